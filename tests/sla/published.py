"""Where the published cases of SLA arithmetic are: beside the checkout, as they are not the project's to carry."""

from __future__ import annotations

from pathlib import Path

__all__ = ["HOW_MANY", "NOT_HERE", "published"]

HOW_MANY = 113
_PLACE = Path("shared", "vectors", "sla_cases.json")
NOT_HERE = (
    f"the {HOW_MANY} published cases are not run: {_PLACE} lies in no folder above the checkout; the project's own cases of "
    "every kind are (tests/sla/sla_cases.json)"
)


def published() -> Path | None:
    """Return the file of the published cases, None where it lies in no folder above this one."""
    for folder in Path(__file__).resolve().parents:
        if (found := folder / _PLACE).exists():
            return found
    return None
