"""An event-sourced incident ledger with an SLA credit calculator: the write side.

`IncidentLedger` records actions; `parse_action` makes one from a JSON object. Both are imported when first used,
since a command that only reads has no need of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ledger.append import Receipt
    from ledger.application import IncidentLedger
    from ledger.domain.actions import parse_action
    from ledger.errors import LedgerError

__all__ = ["IncidentLedger", "LedgerError", "Receipt", "parse_action"]

_HOMES = {
    "IncidentLedger": "ledger.application",
    "Receipt": "ledger.append",
    "parse_action": "ledger.domain.actions",
    "LedgerError": "ledger.errors",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'ledger' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
