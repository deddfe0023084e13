"""Computing an issued document again from what it rests on, and saying where it comes out otherwise and why."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from ledger.cli import run
from ledger.cli.documents import drafted, read_facts
from ledger.cli.session import Session
from ledger.cli.statements import at_hand, choice_of
from ledger.domain.money import decimal_text, format_money
from ledger.errors import Altered, Unavailable, counted
from ledger.store.lines import KeptLines

if TYPE_CHECKING:
    import pandas as pd

    from projections.issued import Chain, Held

__all__ = ["Recomputed", "recomputed"]

_SHOWN = 50
Credited: TypeAlias = tuple[int, Fraction | None]


class Recomputed(msgspec.Struct):
    """What came of it: lines, how many were compared, of how many documents; differences: those that are not what was issued."""

    number: int
    lines: int
    documents: int
    calculator: str
    present_calculator: str
    differences: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """Return it for programs (contract in docs/json.md)."""
        return {"equal": not self.differences, **msgspec.to_builtins(self)}

    def tell(self, say: Callable[[str], None]) -> None:
        """Say it in words."""
        if not self.differences:
            together = f" of the {self.documents} documents up to it" if self.documents > 1 else ""
            say(f"number {self.number} comes out the same: {counted(self.lines, 'line')}{together}")
            return
        say(
            f"number {self.number} does not come out the same: {len(self.differences):,} of {self.lines:,} lines differ"
        )
        for one in self.differences[:_SHOWN]:
            days = (
                ""
                if one["service_days_issued"] == one["service_days_recomputed"]
                else f" and {one['service_days_issued'] or 0} days of service, now {one['service_days_recomputed'] or 0}"
            )
            say(
                f"{one['subscription']}  issued as {one['issued']}, now {one['recomputed']} {one['currency']}{days}: {one['why']}"
            )
        if len(self.differences) > _SHOWN:
            say(f"and {len(self.differences) - _SHOWN:,} more; --json has all")


def recomputed(session: Session, chain: Chain) -> Recomputed:
    """Return how the last document of a chain comes out again. Unavailable where an input is not at hand, Altered where one is another."""
    from projections.calculator import CALCULATOR
    from projections.issued import held

    document = chain.last
    rests = document.event.rests_on
    log = session.log()
    if (root := log.root_at(rests.position).hex()) != rests.root:
        raise Altered(
            f"the ledger was altered: the first {rests.position} entries have the root {root}, and number {document.number} rests on {rests.root}; "
            "run ledger verify"
        )
    keys = tuple(
        one.stream.partition("/")[2] for one in rests.sources if one.stream.startswith("subscriptions/")
    )
    for one in chain.documents:
        KeptLines(log, one.event.lines).whole()
    basis = at_hand(
        lambda: run.basis(
            session,
            document.event.period,
            keys,
            rests.published_by,
            f"@{rests.position}",
            rests.as_of,
            rested={one.stream: one.version for one in rests.sources},
        )
    )
    reading = read_facts(session, basis)
    _check_erased(document.event, reading)
    choice = choice_of(rests)
    if rests.calculator != CALCULATOR:
        # What an earlier calculator decided may be open to this one: that is a difference with its reason, not a refusal.
        choice = msgspec.structs.replace(choice, undecided=choice.undecided or "least")
    draft = at_hand(lambda: drafted(session, reading, choice))
    issued = held(log, chain)
    return Recomputed(
        document.number, len(issued.lines), len(chain.documents), rests.calculator, CALCULATOR,
        _differences(issued, draft.facts, draft.lines, None if rests.calculator == CALCULATOR else rests.calculator),
    )  # fmt: skip


def _check_erased(event: Any, reading: Any) -> None:
    """Refuse to compute again with a customer that was erased: nobody can tell whom it was about."""
    from ledger.domain.claims import ERASED

    gone = [
        *(one.entries[0] for one in reading.basis.exclusions if one.customer == ERASED and not one.withdrawn),
        *(
            one.entries[0]
            for one in reading.claims
            if not isinstance(one.customer, str) and one.state == "granted"
        ),
    ]
    used = {one.stream for one in event.rests_on.sources}
    if known := [entry for entry in gone if entry.partition(" ")[0] in used]:
        raise Unavailable(
            f"an input of the document is not at hand: the customer of {', '.join(known)} was erased"
        )


def _differences(
    issued: Held, facts: list[Any], lines: pd.DataFrame, calculator: str | None
) -> list[dict[str, Any]]:
    from projections.drafts import key_of

    keys = [key_of(one) for one in facts]
    fresh: Any = lines[
        ["subscription", "customer", "currency", "amount", "group", "service_days"]
    ].itertuples(index=False)
    now = {(row.customer, row.subscription): row for row in fresh}
    rows: Any = issued.lines.itertuples(index=False)
    found = []
    for row in rows:
        again = now.pop((row.customer, row.subscription), None)
        if again is None:
            if row.now or row.now_days:
                why = "it is in no table of subscriptions, for this customer"
                found.append(
                    _difference(row, (row.now, row.now_days), (0, None), row.currency, why, calculator)
                )
            continue
        same = keys[again.group] in issued.present[row.before]
        # A document that says no days on its lines said those of its assessment, which is compared.
        days = again.service_days if row.now_days is not None else None
        if (
            again.amount != row.now
            or (days or 0) != (row.now_days or 0)
            or again.currency != row.currency
            or not same
        ):
            stood = min(issued.present[row.before])
            why = (
                "its amount differs, and what it rests on does not"
                if same
                else _why(stood, keys[again.group])
            )
            found.append(
                _difference(
                    row, (row.now, row.now_days), (again.amount, days), again.currency, why, calculator
                )
            )
    for again in now.values():
        if again.amount or again.service_days:
            why = f"it was not issued; {facts[again.group]['rule']}"
            found.append(
                _difference(
                    again, (0, None), (again.amount, again.service_days), again.currency, why, calculator
                )
            )
    return found


def _difference(
    row: Any, issued: Credited, again: Credited, currency: str, why: str, calculator: str | None
) -> dict[str, Any]:
    """Return a line that differs. issued, again: money in minor units, and days of service or None."""
    changed = "" if calculator is None else f" (the calculator has changed since, from version {calculator})"
    return {
        "customer": row.customer, "subscription": row.subscription, "currency": currency,
        "issued": format_money(issued[0], currency), "recomputed": format_money(again[0], currency),
        "service_days_issued": None if issued[1] is None else decimal_text(issued[1]),
        "service_days_recomputed": None if again[1] is None else decimal_text(again[1]), "why": f"{why}{changed}",
    }  # fmt: skip


def _why(stood: bytes, found: bytes) -> str:
    """Return how an assessment that stood differs from the one that is found, each as its canonical JSON."""
    was, now = msgspec.json.decode(stood), msgspec.json.decode(found)
    changed = [name for name in now if was.get(name) != now[name]]
    return "; ".join(f"{name} was {was.get(name)!r}, comes out as {now[name]!r}" for name in changed[:3])
