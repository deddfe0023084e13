"""Drafts: what a document would say of the credits of a period, before anything is issued.

Lines that share what their policy makes of the facts share an assessment. The amount of a line is its credit; where the
bounds decide none, the end that was chosen; where the policy pays on request only, nothing until a claim was granted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np
import pandas as pd

from ledger.domain.claims import Claim
from ledger.domain.money import format_money
from ledger.domain.policy import Policy
from ledger.errors import Refused
from projections.credits import COLUMNS, MONEY_COLUMNS, rows

__all__ = [
    "ASSESSED",
    "Choice",
    "Draft",
    "Facts",
    "PolicyOf",
    "draft",
    "key_of",
    "lines_of",
    "nothing_drafted",
    "statement_text",
    "text_of",
]

Facts: TypeAlias = dict[str, Any]
PolicyOf: TypeAlias = Callable[[str, int], Policy]

# What the lines of one assessment share: all of a credit row that is neither the subscription's own nor money.
_OF_LINES = frozenset(("customer", "subscription", "currency", *MONEY_COLUMNS))
ASSESSED = tuple(name for name in COLUMNS if name not in _OF_LINES)
_SHOWN = 20


class Choice(msgspec.Struct, frozen=True):
    """How facts that are still open are to count, chosen by who issues; neither: they are refused.

    undecided: which end of the bounds, where they decide no amount. provisional: open windows, as they stand.
    """

    undecided: Literal["least", "most"] | None = None
    provisional: bool = False


class Draft(msgspec.Struct, frozen=True):
    """The assessments of a document, and a table of its lines in their order.

    lines: columns group (an index of facts), customer, subscription, currency, fee (minor units), valid_from, valid_to
    (dates as texts, None where it has no end), amount (minor units), claim (the entry that granted it, or None),
    unclaimed (what it would pay on a claim, minor units, 0 where nothing has to be claimed), chosen (whether the amount
    is an end of bounds).
    """

    facts: list[Facts]
    lines: pd.DataFrame

    @property
    def uses_undecided(self) -> bool:
        """Whether an amount was chosen and not decided."""
        return bool(self.lines["chosen"].any())

    @property
    def uses_provisional(self) -> bool:
        """Whether anything in it is provisional."""
        return any(one["provisional"] for one in self.facts)


def nothing_drafted() -> Draft:
    """Return a draft without lines."""
    names = (
        "group",
        "customer",
        "subscription",
        "currency",
        "fee",
        "valid_from",
        "valid_to",
        "amount",
        "claim",
        "unclaimed",
    )
    return Draft([], pd.DataFrame({**{name: [] for name in names}, "chosen": np.zeros(0, dtype=np.bool_)}))


def key_of(facts: Facts | None) -> bytes:
    """Return what tells assessments apart: their canonical JSON."""
    return msgspec.json.encode(facts, order="sorted")


def draft(
    subscriptions: pd.DataFrame,
    frame: pd.DataFrame,
    choice: Choice,
    claims: Iterable[Claim],
    policy_of: PolicyOf,
    period: str,
) -> Draft:
    """Return the draft of priced subscriptions.

    frame: as `projections.credits.price` makes it of them. claims: those that may be for the period, a month. Raises Refused where facts are
    open and it was not chosen how they count.
    """
    if len(frame) < len(subscriptions):
        # Whoever is not valid in the period has no row; the order stays.
        subscriptions = subscriptions.loc[
            subscriptions["subscription"].isin(frame["subscription"])
        ].reset_index(drop=True)
    codes, facts = _grouped(frame)
    _check_provisional(facts, choice)
    amounts, chosen = _amounts(frame, choice)
    lines = pd.DataFrame(
        {
            "group": codes,
            "customer": subscriptions["customer"],
            "subscription": subscriptions["subscription"],
            "currency": frame["currency"].astype(object),
            "fee": subscriptions["fee"],
            "valid_from": _dates(subscriptions["valid_from"]),
            "valid_to": _dates(subscriptions["valid_to"]),
            "amount": amounts,
            "claim": pd.Series(np.full(len(frame), None, dtype=object), dtype=object),
            "unclaimed": np.zeros(len(frame), dtype=np.int64),
            "chosen": chosen,
        },
        copy=False,
    )
    _claimed(lines, facts, claims, policy_of, period)
    order = np.argsort(codes, kind="stable")
    return Draft(facts, lines.take(order).reset_index(drop=True))


def _dates(values: pd.Series) -> Any:
    known, found = pd.factorize(values, use_na_sentinel=True)
    texts = np.asarray([*(str(one)[:10] for one in pd.DatetimeIndex(found)), None], dtype=object)
    # As objects, since pandas would make a number of what has no date.
    return pd.Series(texts[known], dtype=object)


def _grouped(frame: pd.DataFrame) -> tuple[Any, list[Facts]]:
    """Return the assessment of each row, and the assessments in an order that follows from them alone."""
    combined = np.zeros(len(frame), dtype=np.int64)
    for name in ASSESSED:
        values = frame[name]
        if isinstance(values.dtype, pd.CategoricalDtype):
            places: Any = values.cat.codes.to_numpy().astype(np.int64)
        else:
            places = pd.factorize(values, use_na_sentinel=False)[0]
        if len(places) and places.min() == places.max():
            continue
        combined = pd.factorize(combined * (int(places.max(initial=0)) + 2) + places + 1)[0].astype(np.int64)
    _, firsts, codes = np.unique(combined, return_index=True, return_inverse=True)
    facts = [_facts(row) for row in rows(frame.iloc[firsts])]
    order = sorted(range(len(facts)), key=lambda at: _place(facts[at]))
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return ranks[codes], [facts[at] for at in order]


def _facts(row: Mapping[str, Any]) -> Facts:
    found = {name: row[name] for name in ASSESSED}
    # Tables of subscriptions are among the document's sources: published again they change no assessment.
    found["entries"] = [entry for entry in found["entries"] if not entry.startswith("subscriptions/")]
    return found


def _place(facts: Facts) -> tuple[Any, ...]:
    return facts["policy"], facts["policy_version"], facts["service"], facts["region"], key_of(facts)


def _check_provisional(facts: Sequence[Facts], choice: Choice) -> None:
    if choice.provisional:
        return
    problems = [
        f"{one['service']} in {one['region']} under {one['policy']} is provisional: a window is still open, or it is not known "
        f"who is in a cohort ({', '.join(one['entries'])})"
        for one in facts
        if one["provisional"]
    ]
    if problems:
        raise Refused(
            f"{_some(problems)}; wait until it is known, or issue with --provisional to count it as it stands",
            tuple(problems),
        )


def _some(problems: Sequence[str]) -> str:
    more = len(problems) - _SHOWN
    return "; ".join(problems[:_SHOWN]) + (f"; and {more:,} more" if more > 0 else "")


def _amounts(frame: pd.DataFrame, choice: Choice) -> tuple[Any, Any]:
    least, most = (frame[f"credit_at_{end}"].to_numpy(dtype=np.int64) for end in ("least", "most"))
    open_ = least != most
    where = np.flatnonzero(open_)
    if len(where) and choice.undecided is None:
        problems = [
            f"subscription {row['subscription']!r} is credited from {row['credit_at_least']} to {row['credit_at_most']} "
            f"{row['currency']}, as the facts do not decide it"
            for row in rows(frame.iloc[where[:_SHOWN]])
        ]
        more = f"; and {len(where) - _SHOWN:,} more" if len(where) > _SHOWN else ""
        raise Refused(
            f"{'; '.join(problems)}{more}; wait until it is known, or issue with --undecided least or most",
            tuple(problems),
        )
    return (most if choice.undecided == "most" else least).copy(), open_


def _claimed(
    lines: pd.DataFrame, facts: Sequence[Facts], claims: Iterable[Claim], policy_of: PolicyOf, period: str
) -> None:
    """Take back what has to be claimed and was not granted, and note the claim where it was."""
    asked = [policy_of(one["policy"], one["policy_version"]).claim.how == "on-request" for one in facts]
    if not any(asked):
        return
    granted: dict[str, list[Claim]] = {}
    for claim in claims:
        if claim.state == "granted" and isinstance(claim.customer, str):
            granted.setdefault(claim.customer, []).append(claim)
    where = np.flatnonzero(np.asarray(asked)[lines["group"].to_numpy()])
    customers, groups = lines["customer"].take(where).tolist(), lines["group"].take(where).tolist()
    by = [
        _grant(granted.get(customer, ()), facts[group], period)
        for customer, group in zip(customers, groups, strict=True)
    ]
    claimed = np.full(len(lines), None, dtype=object)
    claimed[where] = by
    lines["claim"] = pd.Series(claimed, dtype=object)
    without = where[np.asarray([one is None for one in by], dtype=np.bool_)]
    amounts = lines["amount"].to_numpy().copy()
    unclaimed = np.zeros(len(lines), dtype=np.int64)
    unclaimed[without] = amounts[without]
    amounts[without] = 0
    lines["amount"], lines["unclaimed"] = amounts, unclaimed


def _grant(claims: Sequence[Claim], facts: Facts, period: str) -> str | None:
    """Return the entry of the first claim that asks for this credit: for the whole period, or an incident it rests on."""
    streams = {entry.partition(" ")[0] for entry in facts["entries"]}
    for claim in claims:
        # A policy with longer periods is claimed for by those, or by the month in which one ends.
        if claim.period not in (period, facts["period"]):
            continue
        if not claim.incidents or not streams.isdisjoint(f"incident/{one}" for one in claim.incidents):
            return claim.entries[-1]
    return None


# ---- as text ---------------------------------------------------------------------------------------------


def statement_text(found: Draft, salts: Callable[[], bytes]) -> bytes:
    """Return the lines of a statement as they are kept (docs/statements.md)."""
    return text_of([(facts, lines_of(part)) for facts, part in _parts(found)], salts)


def _parts(found: Draft) -> list[tuple[Facts, pd.DataFrame]]:
    starts = np.searchsorted(found.lines["group"].to_numpy(), np.arange(len(found.facts) + 1))
    return [(facts, found.lines.iloc[starts[at] : starts[at + 1]]) for at, facts in enumerate(found.facts)]


def lines_of(part: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the lines of a table of lines as they are kept, their keys in order, without those that say nothing."""
    money = [name for name in ("as_issued", "as_now", "waived") if name in part.columns]
    names = (
        "customer",
        "subscription",
        "currency",
        "fee",
        "valid_from",
        "valid_to",
        "amount",
        "claim",
        "unclaimed",
        *money,
    )
    found = []
    for values in zip(*(part[name].tolist() for name in names), strict=True):
        row = dict(zip(names, values, strict=True))
        currency = row["currency"]
        line: dict[str, Any] = {"amount": format_money(row["amount"], currency)}
        for name in ("as_issued", "as_now"):
            if name in row:
                line[name] = format_money(row[name], currency)
        line["assessment"] = 0  # its place, so that the keys stay in order
        if row["claim"] is not None:
            line["claim"] = row["claim"]
        line |= {"currency": currency, "customer": row["customer"], "fee": format_money(row["fee"], currency)}
        line["subscription"] = row["subscription"]
        if row["unclaimed"]:
            line["unclaimed"] = format_money(row["unclaimed"], currency)
        line["valid_from"] = row["valid_from"]
        if row["valid_to"] is not None:
            line["valid_to"] = row["valid_to"]
        if row.get("waived"):
            line["waived"] = format_money(row["waived"], currency)
        found.append(line)
    return found


def text_of(
    parts: Sequence[tuple[Mapping[str, Any], Sequence[dict[str, Any]]]], salts: Callable[[], bytes]
) -> bytes:
    """Return assessments and the lines that rest on them as a text of lines, each with a salt.

    salts: 16 bytes each; two of them make the seed from which the salt of each line is derived, and which is not kept.
    """
    from hashlib import sha256

    encode = msgspec.json.Encoder().encode
    seed, number = salts() + salts(), len(parts)
    first: list[bytes] = []
    rest: list[bytes] = []
    for at, (facts, lines) in enumerate(parts):
        size = 0
        for line in lines:
            line["assessment"] = at
            salt = sha256(seed + number.to_bytes(8, "big")).hexdigest()[:32]
            text = b'{"line":%b,"salt":"%b"}\n' % (encode(line), salt.encode())
            rest.append(text)
            size, number = size + len(text), number + 1
        salt = sha256(seed + at.to_bytes(8, "big")).hexdigest()[:32]
        known = {**facts, "lines": len(lines), "bytes": size}
        first.append(b'{"assessment":%b,"salt":"%b"}\n' % (key_of(known), salt.encode()))
    return b"".join([*first, *rest])
