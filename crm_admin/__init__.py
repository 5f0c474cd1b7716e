"""CRM Admin keeps an organisation's own records and its CRMs in agreement, in both directions.

You see the plan before it writes, can ask of every value why it changed, and can undo every run,
import and merge.
"""

__version__ = "0.1.0"
