"""The suite every provider passes against its simulator: what the engine may rely on.

A provider's test file gives a `facts` fixture and inherits from `Conformance`.
"""

from tests.providers.suite_answers import Answers
from tests.providers.suite_reading import Reading
from tests.providers.suite_setting import Setting
from tests.providers.suite_writing import Writing


class Conformance(Reading, Writing, Answers, Setting):
    """Everything together."""
