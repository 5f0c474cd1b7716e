"""The engine: reads both sides, decides, plans or applies, and records, in steps that may be killed
at any point.
"""
