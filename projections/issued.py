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
from projections.drafts import ASSESSED, AssessedFacts, key_of

if TYPE_CHECKING:
    from ledger.store.log import SealedLog

__all__ = ["Chain", "Held", "held", "signed", "totals_of"]

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

    lines: a table with one row for each subscription of a customer, and columns customer, subscription, currency, fee, valid_from,
    valid_to, issued (the sum of what was issued), now (what was last found right), claim, before (an index of `known`: the
    assessment it rested on when it was last said), document (the version of the one that said it last), found (an index of
    `known`: where what is right now was said first), and issued_days and now_days (the same of days of service, as fractions;
    None where the document that said it last says none of it). The others go by index of known, which has one for each assessment
    of each document: known: the assessments. present: the keys of those that stand for it after later documents, in the order
    in which these said so; several only where a document did not list all lines that moved. causes: the entries that a
    document names for it. ended: whether the lines under it are credited no more.
    """

    lines: pd.DataFrame
    known: list[AssessedFacts]
    present: list[tuple[bytes, ...]]
    causes: list[tuple[str, ...]]
    ended: list[bool]

    def stood(self, at: int, after: AssessedFacts | None) -> AssessedFacts:
        """Return what stands for an assessment of a line that comes to rest on another, None where it is credited no more.

        at: an index of known. Where a document left open which lines moved, the line is where it is now, if that is one of
        those that may stand for it; else at the place it is at now; else where the last document about it put it.
        """
        keys = self.present[at]
        if len(keys) > 1 and after is not None:
            if key_of(after) in keys:
                return after
            keys = tuple(one for one in keys if _place(msgspec.json.decode(one)) == _place(after)) or keys
        own = key_of(self.known[at])
        found: AssessedFacts = msgspec.json.decode(own if own in keys else keys[-1])
        return found


def _place(facts: Mapping[str, Any]) -> tuple[str, str, str]:
    return facts["policy"], facts["service"], facts["region"]


def signed(amount: str) -> int:
    """Return an amount of an issued line, written with all digits of its currency, as minor units."""
    return int(amount.replace(".", ""))


def totals_of(chain: Chain) -> dict[str, int]:
    """Return by currency what the documents say that their lines add up to, in minor units."""
    found: dict[str, int] = {}
    for total in (total for document in chain.documents for total in document.event.totals):
        found[total.currency] = found.get(total.currency, 0) + signed(total.amount)
    return found


def held(log: SealedLog, chain: Chain, wanted: Wanted | None = None) -> Held:
    """Return what stands issued of the lines whose assessment is wanted (None: of all).

    wanted: is asked with an assessment as it was issued, which has service, region and policy.
    """
    found = Held(pd.DataFrame(), [], [], [], [])
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    texts = [KeptLines(log, document.event.lines) for document in chain.documents]
    # Lines stay under the assessment that said them last, while later ones of their place, under other terms, stand for it.
    places_wanted = {
        _place(one) for kept in texts for one in kept.assessments() if wanted is not None and wanted(one)
    }
    for document, kept in zip(chain.documents, texts, strict=True):
        chosen = [
            at for at, one in enumerate(kept.assessments()) if wanted is None or _place(one) in places_wanted
        ]
        said = [(*_facts(document.event, kept.assessments()[at]), kept.assessments()[at]) for at in chosen]
        _follow(found.present, said)
        places = {}
        for at, (before, after, one) in zip(chosen, said, strict=True):
            # A line that is no longer credited rests on what it last rested on.
            rests = after if after is not None else before or {}
            places[at] = len(found.known)
            found.known.append(rests)
            found.present.append((key_of(rests),))
            found.causes.append(tuple(one.get("causes", ())))
            found.ended.append(after is None)
        _read(kept.leaves(chosen), places, columns)
        columns["document"] += [document.version] * (len(columns["before"]) - len(columns["document"]))
    lines = pd.DataFrame(
        {name: pd.Series(values, dtype=_INTEGERS.get(name, object)) for name, values in columns.items()},
        copy=False,
    )
    lines["found"] = lines["before"]
    if len(chain.documents) > 1:
        lines = _last_said(lines)
    return msgspec.structs.replace(found, lines=lines.drop(columns=["amount", "days"]))


_COLUMNS = (
    "customer", "subscription", "currency", "fee", "valid_from", "valid_to", "claim", "amount", "issued", "now", "days",
    "issued_days", "now_days", "before", "document",
)  # fmt: skip
_INTEGERS: dict[str, Any] = dict.fromkeys(("fee", "amount", "issued", "now", "before", "document"), np.int64)


def _last_said(lines: pd.DataFrame) -> pd.DataFrame:
    """Return what the last document about each line says of it: it counts from what was issued before it.

    A line is of one customer. Documents once took what another customer had been issued of a subscription for what its present
    one had: then only what was added is this one's, and no more than that was found right for it.
    """
    again = np.flatnonzero(lines.duplicated("subscription", keep=False).to_numpy())
    if not len(again):
        return lines
    issued, now, found = (lines[name].to_numpy(copy=True) for name in ("issued", "now", "found"))
    issued_days, now_days = (
        lines[name].to_numpy(dtype=object, copy=True) for name in ("issued_days", "now_days")
    )
    columns = ("customer", "subscription", "amount", "days")
    last: dict[tuple[str, str], int] = {}
    holder: dict[str, str] = {}
    for at, customer, subscription, amount, days in zip(
        again.tolist(), *(lines[name].take(again).tolist() for name in columns), strict=True
    ):
        before = last.get((customer, subscription))
        if holder.get(subscription, customer) != customer and issued[at] - amount != (
            0 if before is None else issued[before]
        ):
            issued[at] = now[at] = amount + (0 if before is None else issued[before])
            if days is not None:
                already = None if before is None else issued_days[before]
                issued_days[at] = now_days[at] = days + (already or 0)
        if before is not None and (now[before], now_days[before]) == (now[at], now_days[at]):
            found[at] = found[before]
        last[customer, subscription], holder[subscription] = at, customer
    stays = np.ones(len(lines), dtype=np.bool_)
    stays[again] = False
    stays[list(last.values())] = True
    said = lines.assign(
        issued=issued, now=now, found=found,
        issued_days=pd.Series(issued_days, dtype=object), now_days=pd.Series(now_days, dtype=object),
    )  # fmt: skip
    return said[stays].reset_index(drop=True)


def _facts(
    event: StatementIssued | AdjustmentIssued, one: Mapping[str, Any]
) -> tuple[AssessedFacts | None, AssessedFacts | None]:
    """Return what an assessment of a document says was so before it, and is so after."""
    if isinstance(event, AdjustmentIssued):
        return one["before"], one["after"]
    return None, {name: one[name] for name in ASSESSED if name in one}


def _follow(
    present: list[tuple[bytes, ...]],
    said: Iterable[tuple[AssessedFacts | None, AssessedFacts | None, Mapping[str, Any]]],
) -> None:
    """Let assessments stand for those that a document says have changed into them, for the lines that it does not list."""
    into: dict[bytes, dict[bytes, None]] = {}
    for before, after, one in said:
        if before is None or after is None or one.get("listed"):
            continue
        keys = (key_of(before), key_of(after)) if one.get("part") else (key_of(after),)
        into.setdefault(key_of(before), {}).update(dict.fromkeys(keys))
    if into:
        for at, stand in enumerate(present):
            present[at] = tuple(dict.fromkeys(key for one in stand for key in into.get(one, (one,))))


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
        add["amount"](amount)
        add["issued"](before + amount)
        add["now"](amount if line.as_now is None else signed(line.as_now))
        days = line.service_days
        add["days"](None if days is None else Fraction(days))
        if days is None:
            add["issued_days"](None)
            add["now_days"](None)
        else:
            already, right = line.service_days_as_issued, line.service_days_as_now
            add["issued_days"](Fraction(days) + (0 if already is None else Fraction(already)))
            add["now_days"](Fraction(days if right is None else right))
        add["before"](places[line.assessment])
