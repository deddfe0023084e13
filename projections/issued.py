"""What is issued: the documents about one period in a series, and what stands issued of each line after the last of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pandas as pd

from ledger.domain.documents import Document
from ledger.domain.events import AdjustmentIssued, StatementIssued
from ledger.errors import Unavailable
from ledger.store.lines import KeptLines
from projections.drafts import ASSESSED, Facts, key_of

if TYPE_CHECKING:
    from ledger.store.log import SealedLog

__all__ = ["Chain", "Held", "held", "signed"]

Wanted = Callable[[Mapping[str, Any]], bool]


class _Line(msgspec.Struct, frozen=True):
    customer: str
    subscription: str
    currency: str
    fee: str
    amount: str
    assessment: int
    valid_from: str
    valid_to: str | None = None
    claim: str | None = None
    as_issued: str | None = None
    as_now: str | None = None
    service_days: str | None = None
    service_days_as_issued: str | None = None
    service_days_as_now: str | None = None


class _Leaf(msgspec.Struct, frozen=True):
    line: _Line


_decode = msgspec.json.Decoder(_Leaf).decode


class Chain(msgspec.Struct, frozen=True):
    """The statement of a period, and the adjustments that follow it, in their order."""

    series: str
    documents: list[Document]

    @property
    def statement(self) -> Document:
        """The statement."""
        return self.documents[0]

    @property
    def last(self) -> Document:
        """The last document about the period."""
        return self.documents[-1]

    def upto(self, number: int) -> Chain:
        """Return the chain as it was when a document had been issued."""
        return Chain(self.series, [one for one in self.documents if one.number <= number])


class Held(msgspec.Struct, frozen=True):
    """What stands issued.

    lines: a table with one row for each subscription, and columns customer, subscription, currency, fee, valid_from,
    valid_to, issued (the sum of what was issued), now (what was last found right), claim, before (an index of `known`: the
    assessment it rested on when it was last said), document (the version of the one that said it last), and issued_days and
    now_days (the same of days of service, as fractions; None where the document that said it last says none of it). known:
    assessments. present: by index of known, the keys of those that stand for it after later documents.
    """

    lines: pd.DataFrame
    known: list[Facts]
    present: list[set[bytes]]


def signed(amount: str) -> int:
    """Return an amount of an issued line, written with all digits of its currency, as minor units."""
    return int(amount.replace(".", ""))


def held(log: SealedLog, chain: Chain, wanted: Wanted | None = None) -> Held:
    """Return what stands issued of the lines whose assessment is wanted (None: of all).

    wanted: is asked with an assessment as it was issued, which has service, region and policy.
    """
    known: list[Facts] = []
    index: dict[bytes, int] = {}
    present: list[set[bytes]] = []

    def place(facts: Facts) -> int:
        key = key_of(facts)
        if key not in index:
            index[key] = len(known)
            known.append(facts)
            present.append({key})
        return index[key]

    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for document in chain.documents:
        kept = KeptLines(log, document.event.lines)
        chosen = [at for at, one in enumerate(kept.assessments()) if wanted is None or wanted(one)]
        changes = {at: _facts(document.event, kept.assessments()[at]) for at in chosen}
        _follow(present, [(*changes[at], bool(kept.assessments()[at].get("part"))) for at in chosen])
        # A line that is no longer credited rests on what it last rested on.
        places = {
            at: place(after if after is not None else before or {}) for at, (before, after) in changes.items()
        }
        _read(kept.leaves(chosen), places, columns)
        columns["document"] += [document.version] * (len(columns["before"]) - len(columns["document"]))
    lines = pd.DataFrame(
        {name: pd.Series(values, dtype=_INTEGERS.get(name, object)) for name, values in columns.items()},
        copy=False,
    )
    if len(chain.documents) > 1:
        # What a later document says of a line holds: it counts from what was issued before it.
        lines = lines.drop_duplicates("subscription", keep="last", ignore_index=True)
    return Held(lines, known, present)


_COLUMNS = (
    "customer", "subscription", "currency", "fee", "valid_from", "valid_to", "claim", "issued", "now", "issued_days", "now_days",
    "before", "document",
)  # fmt: skip
_INTEGERS: dict[str, Any] = dict.fromkeys(("fee", "issued", "now", "before", "document"), np.int64)


def _facts(
    event: StatementIssued | AdjustmentIssued, one: Mapping[str, Any]
) -> tuple[Facts | None, Facts | None]:
    """Return what an assessment of a document says was so before it, and is so after."""
    if isinstance(event, AdjustmentIssued):
        return one["before"], one["after"]
    return None, {name: one[name] for name in ASSESSED if name in one}


def _follow(present: list[set[bytes]], changes: Iterable[tuple[Facts | None, Facts | None, bool]]) -> None:
    """Let assessments stand for those that a document says have changed into them."""
    into: dict[bytes, set[bytes]] = {}
    for before, after, part in changes:
        if before is not None and after is not None:
            key = key_of(before)
            into.setdefault(key, set()).update((key_of(after), key) if part else (key_of(after),))
    if into:
        for at, keys in enumerate(present):
            present[at] = {key for one in keys for key in into.get(one, (one,))}


def _read(leaves: Iterable[bytes], places: Mapping[int, int], columns: dict[str, list[Any]]) -> None:
    add = {name: values.append for name, values in columns.items()}
    for leaf in leaves:
        try:
            line = _decode(leaf).line
        except msgspec.MsgspecError as error:
            raise Unavailable(f"a line of a document cannot be read ({error}); run ledger verify") from None
        amount = signed(line.amount)
        before = 0 if line.as_issued is None else signed(line.as_issued)
        add["customer"](line.customer)
        add["subscription"](line.subscription)
        add["currency"](line.currency)
        add["fee"](signed(line.fee))
        add["valid_from"](line.valid_from)
        add["valid_to"](line.valid_to)
        add["claim"](line.claim)
        add["issued"](before + amount)
        add["now"](amount if line.as_now is None else signed(line.as_now))
        days = line.service_days
        if days is None:
            add["issued_days"](None)
            add["now_days"](None)
        else:
            already, right = line.service_days_as_issued, line.service_days_as_now
            add["issued_days"](Fraction(days) + (0 if already is None else Fraction(already)))
            add["now_days"](Fraction(days if right is None else right))
        add["before"](places[line.assessment])
