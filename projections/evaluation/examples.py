"""Worked examples of a policy: its facts are asked, and the answer is compared with what the example expects."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from ledger.domain.policy.model import Example, Policy
from ledger.errors import Refused, nearest
from projections.evaluation.answers import answer

__all__ = ["contradictions"]


def contradictions(policy: Policy, example: Example) -> list[str]:
    """Return a sentence for each thing in which an example and the terms of its policy do not agree.

    Figures are compared as numbers, so "10" is "10.00"; a figure is also right to the decimals that the example writes, as
    contracts print 99.86 for 99.861111.
    """
    name = f"example {example.name!r}" if example.name else "an example"
    try:
        # An example is about what was; nothing in it can still be open.
        found = answer(policy, example.facts, now=0)
    except Refused as error:
        return [f"{name} cannot be computed: {problem}" for problem in error.problems]
    return list(_compared(name, "", example.expect, found))


def _compared(name: str, where: str, expect: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    for field, wanted in expect.items():
        if field not in found:
            yield f"{name} expects {where}{field}, which no answer has{nearest(field, found)}"
        elif isinstance(wanted, dict) and isinstance(found[field], dict):
            yield from _compared(name, f"{where}{field}.", wanted, found[field])
        elif not _same(found[field], wanted):
            yield f"{name} expects {where}{field} {_shown(wanted)}, but the terms give {_shown(found[field])}"


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, list) and isinstance(found, list):
        return len(found) == len(wanted) and all(map(_same, found, wanted))
    if isinstance(wanted, bool) or isinstance(found, bool) or found is None:
        return found is wanted or (found is None and wanted in ("", "undecided"))
    exact, said = _number(found), _number(wanted)
    if exact is None or said is None:
        return bool(found == wanted)
    places = len(str(wanted).partition(".")[2])
    return exact == said or (places > 0 and abs(exact - said) * 10**places * 2 <= 1)


def _number(value: Any) -> Fraction | None:
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        return None


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "nothing decided" if value is None else str(value)
