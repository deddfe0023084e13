"""Restating: what is issued against what is known now, and which entries made the difference.

The delta of a line is what is right now less what was issued, both as rounded, so that issued and adjusted add up to what
is right. What a policy does not take back is waived, and not booked. A restatement looks only at the lines that what moved
can reach; what did not move cannot have changed them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pandas as pd

from ledger.errors import Refused
from projections import service_days
from projections.availability import entry_order
from projections.causes import NOTHING, Moved, Since, causes_of, looks_back, reaches
from projections.drafts import AssessedFacts, Draft, PolicyOf, key_of, lines_of, text_of
from projections.issued import Held

__all__ = [
    "Pair",
    "Restated",
    "adjustment_text",
    "days_held",
    "reached",
    "restated",
]

# Any: to an array it is one more object.
_NO_DAYS: Any = Fraction(0)


def reached(moved: Sequence[Moved], policy_of: PolicyOf) -> Callable[[Mapping[str, Any]], bool]:
    """Return what tells of an assessment whether what moved can reach it.

    A policy looks at one service, and at one region of it unless its scope is wide, time elsewhere uses up a limit of its exclusions, or
    a right to terminate looks back: an earlier version may have been wide. What it reads beside (other months, claims, cohorts, tables)
    moves nothing here: where such a source changed every line is looked at.
    """
    known: dict[tuple[Any, ...], bool] = {}

    def wanted(one: Mapping[str, Any]) -> bool:
        key = one["policy"], one["policy_version"], one["service"], one["region"]
        if key not in known:
            policy = policy_of(one["policy"], one["policy_version"])
            known[key] = any(
                reaches(each, one["service"], one["region"], policy)
                or (looks_back(policy) and each.touches(one["service"], one["region"], any_region=True))
                for each in moved
            )
        return known[key]

    return wanted


class Pair(msgspec.Struct, frozen=True):
    """An assessment as it was and as it is now, None where there is none, why, and the lines in which money changed.

    part: only for the lines that are listed, also those whose money did not change; all others that rested on it stayed, or went
    where another pair says that is none. lines: as in a draft, with as_issued, as_now, amount (what is booked) and waived, in minor units, and the same of
    service_days.
    """

    before: AssessedFacts | None
    after: AssessedFacts | None
    part: bool
    causes: tuple[str, ...]
    lines: pd.DataFrame


class Restated(msgspec.Struct, frozen=True):
    """All that changed, in the order of the assessments; lines: how many were looked at."""

    pairs: list[Pair]
    lines: int

    @property
    def causes(self) -> list[str]:
        """The entries that made a difference, each once."""
        return sorted({cause for pair in self.pairs for cause in pair.causes}, key=entry_order)


def restated(
    issued: Held,
    draft: Draft,
    policy_of: PolicyOf,
    since: Since = NOTHING,
) -> Restated:
    """Return what changed between what stands issued and a draft of the same lines.

    since: what has become known since the last document. Raises Refused where the currency of a subscription changed.
    """
    table = _side_by_side(issued, draft, policy_of)
    table, stood = _with_what_stood(table, issued, draft)
    combined = pd.MultiIndex.from_arrays([table["before"], table["after"]])
    codes, found = pd.factorize(combined)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(found) + 1))
    changes = (table["as_now"] != table["last"]).to_numpy() | table["other_days"].to_numpy()
    moves: list[_Move] = []
    for at, (before, after) in enumerate(found):
        where = order[starts[at] : starts[at + 1]]
        was = None if before < 0 else stood[before]
        facts = None if after < 0 else draft.facts[after]
        moves.append(_Move(before, was, facts, table.take(where), changes[where]))
    rests = _rests(moves)
    pairs: list[Pair] = []
    for at, move in enumerate(moves):
        if not move.stays or move.changes.any():
            # Of a part every line that moved is listed: of those that are not it is known that they did not.
            part = rests.get(move.before, at) != at
            lines = move.rows if part and not move.stays else move.rows[move.changes]
            pairs += _pairs(move.was, move.facts, move.rows, lines, part, policy_of, since)
    return Restated(sorted(pairs, key=_order), len(table))


class _Move(NamedTuple):
    """The lines that went from one assessment to another, and of each whether its money changed. before: its index, -1 for none."""

    before: int
    was: AssessedFacts | None
    facts: AssessedFacts | None
    rows: pd.DataFrame
    changes: Any

    @property
    def stays(self) -> bool:
        """Whether both are the same."""
        return key_of(self.was) == key_of(self.facts)


def _rests(moves: Sequence[_Move]) -> dict[int, int]:
    """Return by what lines rested on which of the moves is that of the lines that no other lists.

    They stayed where they were; if all went somewhere, it is where most lines would have to be listed for nothing.
    """
    found: dict[int, tuple[bool, int, int]] = {}
    for at, one in enumerate(moves):
        if one.before >= 0:
            rank = one.stays, int((~one.changes).sum()), -at
            found[one.before] = max(found.get(one.before, rank), rank)
    return {before: -last for before, (_, _, last) in found.items()}


def _with_what_stood(
    table: pd.DataFrame, issued: Held, draft: Draft
) -> tuple[pd.DataFrame, list[AssessedFacts]]:
    """Return the table with what each line rested on last by index of the assessments returned, each there once."""
    codes, found = pd.factorize(pd.MultiIndex.from_arrays([table["before"], table["after"]]))
    stood: list[AssessedFacts] = []
    index: dict[bytes, int] = {}
    places = []
    for before, after in found:
        if before < 0:
            places.append(-1)
            continue
        was = issued.stood(before, None if after < 0 else draft.facts[after])
        places.append(index.setdefault(key_of(was), len(stood)))
        if places[-1] == len(stood):
            stood.append(was)
    return table.assign(before=np.asarray(places, dtype=np.int64)[codes]), stood


def _order(pair: Pair) -> tuple[Any, ...]:
    facts = pair.after or pair.before or {}
    causes = [entry_order(one) for one in pair.causes]
    return facts["policy"], facts["service"], facts["region"], key_of(pair.before), key_of(pair.after), causes


def _side_by_side(issued: Held, draft: Draft, policy_of: PolicyOf) -> pd.DataFrame:
    """Return one row for each line in either: what it says now, or else said last, with what was issued of it.

    other_days: whether the days of service that are right now are not those that were last found right.
    """
    issued_days, now_days = days_held(issued, policy_of)
    old, new = issued.lines, draft.lines
    # A line is of one customer: one that a subscription was taken from is gone, and one that it was given to is new.
    new_at = pd.Index(new["subscription"].astype(object)).get_indexer(old["subscription"].astype(object))
    theirs = new_at >= 0
    if len(new):
        theirs &= _same(old["customer"], new["customer"].take(np.where(theirs, new_at, 0)))
    old_at = np.full(len(new), -1, dtype=np.int64)
    old_at[new_at[theirs]] = np.flatnonzero(theirs)
    gone = np.flatnonzero(~theirs)
    said = ["customer", "subscription", "currency", "fee", "valid_from", "valid_to", "claim"]
    there = old_at >= 0
    at = np.where(there, old_at, 0)

    def was(name: str, instead: Any) -> Any:
        if not len(old):
            return np.full(len(new), instead)
        return np.where(there, old[name].to_numpy()[at], instead)

    _check_currency(new, was("currency", None))
    last = was("before", -1).astype(np.int64)
    # A line that was credited no more is back because its table has it again.
    inputs = there.copy()
    inputs[there] = ~np.asarray(issued.ended, dtype=np.bool_)[last[there]]
    for name in ("fee", "valid_from", "valid_to"):
        inputs &= _same(was(name, None), new[name].to_numpy())
    kept = new[said].assign(
        unclaimed=new["unclaimed"], undecided=new["undecided"], before=last, after=new["group"],
        as_issued=was("issued", 0).astype(np.int64), last=was("now", 0).astype(np.int64), as_now=new["amount"],
        old_claim=pd.Series(was("claim", None), dtype=object), same_inputs=inputs,
        service_days_as_issued=pd.Series(_at(issued_days, at, there), dtype=object),
        service_days_last=pd.Series(_at(now_days, at, there), dtype=object),
        service_days_as_now=new["service_days"], service_days_unclaimed=new["service_days_unclaimed"],
    )  # fmt: skip
    left = old.iloc[gone]
    lost = left[said].assign(
        unclaimed=0, undecided=np.full(len(gone), None, dtype=object), before=left["before"], after=-1, as_issued=left["issued"], last=left["now"], as_now=0,
        old_claim=left["claim"], same_inputs=False, service_days_as_issued=issued_days[gone], service_days_last=now_days[gone],
        service_days_as_now=np.full(len(gone), None), service_days_unclaimed=np.full(len(gone), None),
    )  # fmt: skip
    # Where nothing was right and nothing is, there is nothing to say: no line was issued, or it was taken away before.
    lost = lost[(lost["last"] != 0).to_numpy() | service_days.any_of(_column(lost, "service_days_last"))]
    kept = kept[
        ((kept["before"] >= 0) | (kept["as_now"] != 0)).to_numpy()
        | service_days.any_of(_column(kept, "service_days_as_now"))
    ]
    found: pd.DataFrame = kept if not len(lost) else pd.concat([kept, lost], ignore_index=True)
    was_days, are_days = (_column(found, name) for name in ("service_days_last", "service_days_as_now"))
    return found.assign(other_days=service_days.any_of(_delta(was_days, are_days)))


def _column(table: pd.DataFrame, name: str) -> Any:
    return table[name].to_numpy(dtype=object)


def _delta(before: Any, now: Any) -> Any:
    """Return days less days, where either side that says none counts as 0; None where both say none."""
    nothing = np.full(len(now), _NO_DAYS, dtype=object)
    less = service_days.taken(nothing, before)
    return service_days.added(less, now)


def _at(values: Any, at: Any, there: Any) -> Any:
    """Return values at some places, None where there is none."""
    if not len(values):
        return np.full(len(at), None, dtype=object)
    return np.where(there, values[at], None)


def days_held(issued: Held, policy_of: PolicyOf) -> tuple[Any, Any]:
    """Return the days of service that were issued of each line, and last found right; None where none is said of it.

    A document that carries no days on its lines said them of its assessments alone: they are what was issued.
    """
    lines = issued.lines
    days, now = (_column(lines, name).copy() for name in ("issued_days", "now_days"))
    before, claims = lines["before"].to_numpy(dtype=np.int64), lines["claim"].tolist()
    stands = [
        known if len(keys) != 1 else msgspec.json.decode(next(iter(keys)))
        for known, keys in zip(issued.known, issued.present, strict=True)
    ]
    pays = np.asarray([service_days.pays_days(one) for one in stands], dtype=np.bool_)
    for at in np.flatnonzero(service_days.none_of(days) & pays[before]).tolist() if len(lines) else ():
        facts = stands[before[at]]
        policy = policy_of(facts["policy"], facts["policy_version"])
        claimed = claims[at] is not None or policy.claim.how == "automatic"
        days[at] = now[at] = service_days.said_by(facts, claimed=claimed)
    return days, now


def _same(one: Any, other: Any) -> Any:
    return np.fromiter(
        (a == b for a, b in zip(one.tolist(), other.tolist(), strict=True)), dtype=np.bool_, count=len(one)
    )


def _check_currency(new: pd.DataFrame, old: Any) -> None:
    now = new["currency"].to_numpy()
    wrong = [
        at
        for at, (a, b) in enumerate(zip(old.tolist(), now.tolist(), strict=True))
        if a is not None and a != b
    ]
    if wrong:
        more = len(wrong) - 20
        problems = tuple(
            f"subscription {new['subscription'].iloc[at]!r} was credited in {old[at]} and is billed in {now[at]} now, which "
            "cannot be subtracted; correct the currency, or give it another name"
            for at in wrong[:20]
        )
        hints = (f"and {more:,} more of this kind",) if more > 0 else ()
        raise Refused("; ".join((*problems, *hints)), problems, hints)


def _pairs(
    was: AssessedFacts | None, facts: AssessedFacts | None, rows: pd.DataFrame, lines: pd.DataFrame, part: bool, policy_of: PolicyOf, since: Since,
) -> Iterator[Pair]:  # fmt: skip
    """Yield what became of an assessment. rows: all lines that moved from it to the other; lines: those that are listed."""
    known = facts or was or {}
    clawback = policy_of(known["policy"], known["policy_version"]).credit.clawback
    held = was
    if since.new_calculator and len(lines) and _says_the_same(was, facts):
        # Revisions that cancel each other out made no difference; the arithmetic did.
        held = facts
    for causes, some in _by_causes(held, facts, rows, lines, policy_of, since):
        yield Pair(was, facts, part, causes, _booked(some, clawback=clawback))


def _by_causes(
    before: AssessedFacts | None, after: AssessedFacts | None, rows: pd.DataFrame, changed: pd.DataFrame, policy_of: PolicyOf, since: Since
) -> Iterator[tuple[tuple[str, ...], pd.DataFrame]]:  # fmt: skip
    """Yield the lines whose money changed with what caused it, those with the same causes together; no lines where none did."""
    if not len(changed):
        named = causes_of(before, after, rows, since, policy_of)
        yield tuple(sorted({entry for each in named for entry in each}, key=entry_order)), changed
        return
    places: dict[tuple[str, ...], list[int]] = {}
    for at, causes in enumerate(causes_of(before, after, changed, since, policy_of)):
        places.setdefault(causes, []).append(at)
    for causes, where in places.items():
        yield causes, changed if len(places) == 1 else changed.take(where)


def _says_the_same(one: AssessedFacts | None, other: AssessedFacts | None) -> bool:
    """Tell whether two assessments differ in nothing but the entries they rest on."""
    return (
        one is not None
        and other is not None
        and key_of({**one, "entries": []}) == key_of({**other, "entries": []})
    )


def _booked(lines: pd.DataFrame, *, clawback: bool) -> pd.DataFrame:
    delta = lines["as_now"] - lines["as_issued"]
    waived = np.zeros(len(lines), dtype=np.int64) if clawback else np.minimum(delta.to_numpy(), 0)
    booked = lines.assign(amount=delta - waived, waived=waived)
    now, before = (_column(lines, name) for name in ("service_days_as_now", "service_days_as_issued"))
    days = _delta(before, now)
    silent = service_days.none_of(days)
    kept = np.where(silent, days, _NO_DAYS) if clawback else service_days.held_back(days)
    return booked.assign(
        service_days=service_days.taken(days, kept), service_days_waived=kept,
        service_days_as_issued=_or_nothing(before, silent), service_days_as_now=_or_nothing(now, silent),
    )  # fmt: skip


def _or_nothing(days: Any, silent: Any) -> Any:
    """Return days as 0 where none are said of a line that has some to say."""
    return np.where(service_days.none_of(days) & ~silent, _NO_DAYS, days)


def adjustment_text(found: Restated, salts: Callable[[], bytes]) -> bytes:
    """Return the lines of an adjustment as they are kept (docs/statements.md)."""
    parts: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    for pair in found.pairs:
        known = pair.after or pair.before or {}
        said = {name: known[name] for name in ("service", "region", "policy", "policy_version")}
        said |= {"before": pair.before, "after": pair.after, "causes": list(pair.causes)}
        parts.append(({**said, "part": True, "listed": True} if pair.part else said, lines_of(pair.lines)))
    return text_of(parts, salts)
