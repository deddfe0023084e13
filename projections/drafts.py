"""Drafts: what a document would say of the credits of a period, before anything is issued.

Lines that share what their policy makes of the facts share an assessment. The amount of a line is its credit; where the
bounds decide none, the end that was chosen; where the policy pays on request only, what granted claims account for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np
import pandas as pd

from ledger.domain.claims import Claim
from ledger.domain.events import PolicySays
from ledger.domain.money import decimal_text, format_money
from ledger.domain.policy import Policy
from ledger.domain.policy.periods import claim_labels, parse_policy_period
from ledger.errors import Refused
from projections import service_days
from projections.claimed import Grant, grant, incidents_of
from projections.credits import CLAIM_COLUMNS, COLUMNS, MONEY_COLUMNS, rows
from projections.deadlines import by_customer
from projections.grouping import grouped, numbers_of

__all__ = [
    "ASSESSED",
    "AssessedFacts",
    "Draft",
    "IssuerChoice",
    "PolicyOf",
    "PriceWith",
    "draft",
    "key_of",
    "lines_of",
    "nothing_drafted",
    "statement_text",
    "text_of",
]

AssessedFacts: TypeAlias = dict[str, Any]
PolicyOf: TypeAlias = Callable[[str, int], Policy]
PriceWith: TypeAlias = Callable[[pd.DataFrame, frozenset[str]], pd.DataFrame]

# What the lines of one assessment share: all of a credit row that is neither the subscription's own, nor money, nor its claim.
_OF_LINES = frozenset(("customer", "subscription", "currency", *MONEY_COLUMNS, *CLAIM_COLUMNS))
ASSESSED = tuple(name for name in COLUMNS if name not in _OF_LINES)
_SHOWN = 20


class IssuerChoice(msgspec.Struct, frozen=True):
    """How facts that are still open are to count, chosen by who issues; neither: they are refused.

    undecided: which end of the bounds, where they decide no amount. provisional: open windows, as they stand. It is for the
    lines of policies that leave it refused; what a policy says of its own lines holds for them.
    """

    undecided: Literal["least", "most"] | None = None
    provisional: bool = False


class Draft(msgspec.Struct, frozen=True):
    """The assessments of a document, and a table of its lines in their order.

    lines: columns group (an index of facts), customer, subscription, currency, fee (minor units), valid_from, valid_to
    (dates as texts, None where it has no end), amount (minor units), claim (the entry that granted it, or None;
    several with commas), unclaimed (what more it would pay on a claim, minor units, 0 where nothing has to be claimed), undecided (which
    end of the bounds the amount is, None where it is decided), service_days and service_days_unclaimed (the same as amount and
    unclaimed in days of service, as fractions; None where the policy knows none). uses_undecided, uses_provisional: the choice of who issues was
    needed. policies_say: where policies said it themselves.
    """

    facts: list[AssessedFacts]
    lines: pd.DataFrame
    uses_undecided: bool = False
    uses_provisional: bool = False
    policies_say: tuple[PolicySays, ...] = ()


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
        "undecided",
        "service_days",
        "service_days_unclaimed",
    )
    return Draft([], pd.DataFrame({name: [] for name in names}))


def key_of(facts: AssessedFacts | None) -> bytes:
    """Return what tells assessments apart: their canonical JSON."""
    return msgspec.json.encode(facts, order="sorted")


def draft(
    subscriptions: pd.DataFrame,
    frame: pd.DataFrame,
    choice: IssuerChoice,
    claims: Iterable[Claim],
    policy_of: PolicyOf,
    price_with: PriceWith,
) -> Draft:
    """Return the draft of priced subscriptions.

    frame: as `projections.credits.price` makes it of them. claims: those that may be for the period. price_with:
    prices some of the subscriptions again, as if nothing but the windows of some incidents were known. Raises Refused where
    facts are open and neither their policy says nor it was chosen how they count.
    """
    if len(frame) < len(subscriptions):
        # Whoever is not valid in the period has no row; the order stays.
        subscriptions = subscriptions.loc[
            subscriptions["subscription"].isin(frame["subscription"])
        ].reset_index(drop=True)
    codes, facts = _grouped(frame)
    _check_provisional(facts, choice, policy_of)
    amounts, ends = _amounts(frame, codes, facts, choice, policy_of)
    days = service_days.given(facts, codes, ends)
    asked, grants = _grants(subscriptions["customer"], codes, facts, claims, policy_of)
    paid, days_paid = amounts.copy(), days.copy()
    paid[asked] = 0
    days_paid[asked] = service_days.taken(days[asked], days[asked])
    granted_by = np.full(len(frame), None, dtype=object)
    parts: dict[frozenset[str], list[int]] = {}
    for at, given in grants.items():
        granted_by[at], paid[at], days_paid[at] = ", ".join(given.entries), amounts[at], days[at]
        if given.only is not None:
            parts.setdefault(given.only, []).append(at)
    for only in sorted(parts, key=sorted):
        places = np.asarray(parts[only])
        part = price_with(subscriptions.take(places).reset_index(drop=True), only)
        part_codes, part_facts = _grouped(part)
        part_amounts, part_ends = _amounts(part, part_codes, part_facts, choice, policy_of)
        part_days = service_days.given(part_facts, part_codes, part_ends)
        days_paid[places] = service_days.lesser(part_days, days[places])
        codes[places] = part_codes + len(facts)
        facts += part_facts
        paid[places] = np.minimum(part_amounts, amounts[places])
        ends[places] = np.where(part_ends != 0, part_ends, ends[places])
    if parts:
        codes, facts = _ranked(codes, facts)
    lines = pd.DataFrame(
        {
            "group": codes,
            "customer": subscriptions["customer"],
            "subscription": subscriptions["subscription"],
            "currency": frame["currency"].astype(object),
            "fee": subscriptions["fee"],
            "valid_from": _dates(subscriptions["valid_from"]),
            "valid_to": _dates(subscriptions["valid_to"]),
            "amount": paid,
            "claim": pd.Series(granted_by, dtype=object),
            "unclaimed": amounts - paid,
            "undecided": pd.Series(_ENDS[ends], dtype=object),
            "service_days": pd.Series(days_paid, dtype=object),
            "service_days_unclaimed": pd.Series(service_days.taken(days, days_paid), dtype=object),
        },
        copy=False,
    )
    order = np.argsort(codes, kind="stable")
    ordered = lines.take(order).reset_index(drop=True)
    return Draft(
        facts, ordered, *_counted(facts, np.bincount(codes[ends != 0], minlength=len(facts)), policy_of)
    )


def _counted(
    facts: Sequence[AssessedFacts], undecided: Any, policy_of: PolicyOf
) -> tuple[bool, bool, tuple[PolicySays, ...]]:
    """Return whether the choice of who issues was needed for amounts and for open windows, and what policies said themselves.

    undecided: by assessment, in how many lines an end of the bounds was taken.
    """
    chosen = stands = False
    said: dict[tuple[str, int], PolicySays] = {}
    for one, lines in zip(facts, undecided.tolist(), strict=True):
        rule = policy_of(one["policy"], one["policy_version"]).facts
        end = rule.undecided if lines and rule.undecided != "refused" else None
        as_it_stands = bool(one["provisional"]) and rule.provisional == "as-they-stand"
        chosen |= bool(lines) and end is None
        stands |= bool(one["provisional"]) and not as_it_stands
        if end is not None or as_it_stands:
            key = one["policy"], one["policy_version"]
            before = said.get(key, PolicySays(f"policy/{key[0]}", key[1]))
            said[key] = PolicySays(
                before.stream, key[1], before.undecided or end, before.provisional or as_it_stands
            )
    return chosen, stands, tuple(said[key] for key in sorted(said))


def _dates(values: pd.Series) -> Any:
    known, found = pd.factorize(values, use_na_sentinel=True)
    texts = np.asarray([*(str(one)[:10] for one in pd.DatetimeIndex(found)), None], dtype=object)
    # As objects, since pandas would make a number of what has no date.
    return pd.Series(texts[known], dtype=object)


def _grouped(frame: pd.DataFrame) -> tuple[Any, list[AssessedFacts]]:
    """Return the assessment of each row, and the assessments in an order that follows from them alone."""
    codes, firsts = grouped(len(frame), (numbers_of(frame[name].array) for name in ASSESSED))
    facts = [_facts(row) for row in rows(frame.iloc[firsts])]
    return _ranked(codes, facts)


def _ranked(codes: Any, facts: list[AssessedFacts]) -> tuple[Any, list[AssessedFacts]]:
    """Return the assessments that are in use, each once and in their order, and the codes that point at them."""
    keys = [key_of(one) for one in facts]
    by_key = {keys[at]: facts[at] for at in np.unique(codes).tolist()}
    order = sorted(by_key, key=lambda key: _place(by_key[key]))
    rank = {key: at for at, key in enumerate(order)}
    ranks = np.asarray([rank.get(key, -1) for key in keys], dtype=np.int64)
    return ranks[codes], [by_key[key] for key in order]


def _facts(row: Mapping[str, Any]) -> AssessedFacts:
    found = {name: row[name] for name in ASSESSED}
    # Tables of subscriptions are among the document's sources: published again they change no assessment.
    found["entries"] = [entry for entry in found["entries"] if not entry.startswith("subscriptions/")]
    return found


def _place(facts: AssessedFacts) -> tuple[Any, ...]:
    return facts["policy"], facts["policy_version"], facts["service"], facts["region"], key_of(facts)


def _check_provisional(facts: Sequence[AssessedFacts], choice: IssuerChoice, policy_of: PolicyOf) -> None:
    if choice.provisional:
        return
    problems = [
        f"{one['service']} in {one['region']} under {one['policy']} is provisional: a window is still open, or it is not known "
        f"who is in a cohort ({', '.join(one['entries'])}); wait until it is known, or issue with --provisional to count it as it "
        "stands"
        for one in facts
        if one["provisional"]
        and policy_of(one["policy"], one["policy_version"]).facts.provisional == "refused"
    ]
    if problems:
        raise _refused(problems[:_SHOWN], len(problems))


def _refused(problems: Sequence[str], number: int) -> Refused:
    """Return the error of the first few of so many problems."""
    more = number - len(problems)
    hints = (f"and {more:,} more of this kind",) if more > 0 else ()
    return Refused("; ".join((*problems, *hints)), tuple(problems), hints)


# An end of bounds as a number: 0 is none.
_ENDS = np.asarray([None, "least", "most"], dtype=object)


def _amounts(
    frame: pd.DataFrame, codes: Any, facts: Sequence[AssessedFacts], choice: IssuerChoice, policy_of: PolicyOf
) -> tuple[Any, Any]:
    """Return the amount of each row, and which end of its bounds that is: 0 where it is decided, 1 the least, 2 the most."""
    least, most = (frame[f"credit_at_{end}"].to_numpy(dtype=np.int64) for end in ("least", "most"))
    open_days = [one["service_days_at_least"] != one["service_days_at_most"] for one in facts]
    open_ = (least != most) | np.asarray(open_days, dtype=np.bool_)[codes]
    if not open_.any():
        return least.copy(), np.zeros(len(frame), dtype=np.int8)
    numbers = {None: 0, "least": 1, "most": 2, "refused": 0}
    chosen = numbers[choice.undecided]
    rules = [policy_of(one["policy"], one["policy_version"]).facts.undecided for one in facts]
    ends = np.asarray([numbers[rule] or chosen for rule in rules], dtype=np.int8)[codes] * open_
    where = np.flatnonzero(open_ & (ends == 0))
    if len(where):
        problems = [
            f"subscription {row['subscription']!r} is credited {_bounds(row)}, as the facts do not decide it; wait until it is known, or issue with --undecided least or most"
            for row in rows(frame.iloc[where[:_SHOWN]])
        ]
        raise _refused(problems, len(where))
    return np.where(ends == 2, most, least), ends


def _bounds(row: Mapping[str, Any]) -> str:
    """Return the bounds of what a row is credited, in words: of money, of days of service, or of both."""
    said = []
    if row["credit_at_least"] != row["credit_at_most"]:
        said.append(f"from {row['credit_at_least']} to {row['credit_at_most']} {row['currency']}")
    if row["service_days_at_least"] != row["service_days_at_most"]:
        said.append(f"from {row['service_days_at_least']} to {row['service_days_at_most']} days of service")
    return " and ".join(said)


def _grants(
    customers: pd.Series, codes: Any, facts: Sequence[AssessedFacts], claims: Iterable[Claim], policy_of: PolicyOf
) -> tuple[Any, dict[int, Grant]]:  # fmt: skip
    """Return which rows have to be claimed, and by row what of them was granted."""
    on_request = [policy_of(one["policy"], one["policy_version"]).claim.how == "on-request" for one in facts]
    if not any(on_request):
        return np.zeros(len(codes), dtype=np.bool_), {}
    asked = np.asarray(on_request, dtype=np.bool_)[codes]
    granted = by_customer(claims, "granted")
    where = np.flatnonzero(asked & customers.isin(list(granted)).to_numpy())
    found = {}
    for at, customer, group in zip(
        where.tolist(), customers.take(where).tolist(), codes[where].tolist(), strict=True
    ):
        one = facts[group]
        rule = policy_of(one["policy"], one["policy_version"]).period
        labels = claim_labels(rule, parse_policy_period(rule, one["period"]))
        given = grant(granted[customer], incidents_of(one["entries"]), labels)
        if given is not None:
            found[at] = given
    return asked, found


# ---- as text ---------------------------------------------------------------------------------------------


def statement_text(found: Draft, salts: Callable[[], bytes]) -> bytes:
    """Return the lines of a statement as they are kept (docs/statements.md)."""
    return text_of([(facts, lines_of(part)) for facts, part in _parts(found)], salts)


def _parts(found: Draft) -> list[tuple[AssessedFacts, pd.DataFrame]]:
    starts = np.searchsorted(found.lines["group"].to_numpy(), np.arange(len(found.facts) + 1))
    return [(facts, found.lines.iloc[starts[at] : starts[at + 1]]) for at, facts in enumerate(found.facts)]


def lines_of(part: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the lines of a table of lines as they are kept, their keys in order, without those that say nothing."""
    money = [name for name in ("as_issued", "as_now", "waived") if name in part.columns]
    says_days = not service_days.none_of(part["service_days"].to_numpy(dtype=object)).all()
    days = [name for name in _DAYS if says_days and name in part.columns]
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
        "undecided",
        *money,
        *days,
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
        if row.get("service_days") is not None:
            line |= _days_of(row)
        line["subscription"] = row["subscription"]
        if row["unclaimed"]:
            line["unclaimed"] = format_money(row["unclaimed"], currency)
        if row["undecided"] is not None:
            line["undecided"] = row["undecided"]
        line["valid_from"] = row["valid_from"]
        if row["valid_to"] is not None:
            line["valid_to"] = row["valid_to"]
        if row.get("waived"):
            line["waived"] = format_money(row["waived"], currency)
        found.append(line)
    return found


# What a line may say of days of service, in the order of its keys; those that are 0 are left out where that says nothing.
_DAYS = (
    "service_days", "service_days_as_issued", "service_days_as_now", "service_days_unclaimed", "service_days_waived",
)  # fmt: skip
_LEFT_OUT = frozenset(("service_days_unclaimed", "service_days_waived"))


def _days_of(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: decimal_text(row[name])
        for name in _DAYS
        if row.get(name) is not None and (row[name] or name not in _LEFT_OUT)
    }


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
