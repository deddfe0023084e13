"""The version of the arithmetic, as it stands in every issued document.

A document says with which version its figures were computed, so that a difference that a later version makes is told from
one that the facts make. `tests/golden/calculator.json` and `calculator_format_2.json` hold the figures of each version: whoever changes
a figure is made to raise the version by a test.
"""

__all__ = ["CALCULATOR"]

CALCULATOR = "3"
