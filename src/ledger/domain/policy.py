"""The terms of one SLA: which windows count, how much, and what an availability pays.

A policy is written in TOML, format 1, and published as it is written. Percentages are text, since a TOML
float cannot hold 99.9; in memory they are exact fractions of 1, and every comparison is one of integers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any, Literal, cast, get_args

import msgspec

from ledger.domain.checks import check_key
from ledger.domain.events import Effect
from ledger.domain.money import ROUNDINGS, decimal_text
from ledger.domain.period import Period, zone_names
from ledger.errors import Refused, nearest

__all__ = ["Policy", "Tier", "parse_policy", "policy_in_force", "policy_sha256"]

EFFECTS: tuple[str, ...] = get_args(Effect)
Counting = Literal["full", "by-share", "above-share"]

_DECIMAL = re.compile(r"\d{1,9}(\.\d{1,30})?", re.ASCII)
_TABLES: dict[str, tuple[str, ...]] = {
    "": ("format", "policy", "title", "in_force_from", "period", "counting", "tiers", "credit"),
    "period": ("kind", "zone"),
    "counting": ("effects", "windows", "share_above", "planned"),
    "tiers": (
        "availability_at_least", "availability_above", "availability_at_most", "availability_below",
        "credit_percent",
    ),
    "credit": ("of", "rounding"),
}  # fmt: skip


class Tier(msgspec.Struct, frozen=True):
    """A range of availability and the percentage of the fee it pays.

    lower, upper: bounds as fractions of 1, with whether the bound itself belongs to the tier. credit_percent:
    of the fee. words: the range as the policy spells it, such as "availability below 99.0%".
    """

    lower: Fraction
    lower_included: bool
    upper: Fraction
    upper_included: bool
    credit_percent: Fraction
    words: str

    def holds(self, availability: Fraction) -> bool:
        """Tell whether an availability (a fraction of 1) lies in this tier."""
        above = availability >= self.lower if self.lower_included else availability > self.lower
        below = availability <= self.upper if self.upper_included else availability < self.upper
        return above and below

    @property
    def percent(self) -> str:
        """The credit percentage in its one spelling, such as "12.5"."""
        return decimal_text(self.credit_percent)

    def seconds_to_worse(self, eligible: Fraction, period_seconds: int) -> int | None:
        """Return how many more whole seconds of eligible downtime leave this tier; None if none can."""
        # How much more the tier allows; a bound that belongs to the tier allows all of it.
        room = (1 - self.lower) * period_seconds - eligible
        more = _floor(room) + 1 if self.lower_included else _ceiling(room)
        return more if eligible + more <= period_seconds else None

    def seconds_past_better(self, eligible: Fraction, period_seconds: int) -> int | None:
        """Return how many whole seconds less of eligible downtime give a better tier; None if none is."""
        past = eligible - (1 - self.upper) * period_seconds
        less = _floor(past) + 1 if self.upper_included else _ceiling(past)
        return less if less <= eligible else None


class Policy(msgspec.Struct, frozen=True):
    """One version of the terms; tiers from the best availability to the worst.

    in_force_from: first date, in `zone`. effects: which count. windows: whether a window counts in full, by
    its share, or in full if its share is above share_above. planned_counts: whether planned windows count.
    rounding: one of ledger.domain.money.ROUNDINGS. sha256: of the text as it was published.
    """

    key: str
    title: str
    in_force_from: str
    zone: str
    effects: frozenset[str]
    windows: Counting
    share_above: Fraction | None
    planned_counts: bool
    tiers: tuple[Tier, ...]
    rounding: str
    sha256: str

    def tier_of(self, availability: Fraction) -> Tier:
        """Return the one tier that holds an availability from 0 to 1."""
        for tier in self.tiers:
            if tier.holds(availability):
                return tier
        raise Refused(
            f"availability {availability} is not between 0 and 1, so policy {self.key} has no tier for it"
        )

    def seconds_to_next_tier(self, eligible: Fraction, period_seconds: int) -> int | None:
        """Return `Tier.seconds_to_worse` of the tier that so much eligible downtime leads to."""
        return self.tier_of(1 - eligible / period_seconds).seconds_to_worse(eligible, period_seconds)

    def seconds_past_tier_edge(self, eligible: Fraction, period_seconds: int) -> int | None:
        """Return `Tier.seconds_past_better` of the tier that so much eligible downtime leads to."""
        return self.tier_of(1 - eligible / period_seconds).seconds_past_better(eligible, period_seconds)


def _floor(value: Fraction) -> int:
    return value.numerator // value.denominator


def _ceiling(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)


def policy_sha256(text: str) -> str:
    """Return the SHA-256 of the UTF-8 bytes of a policy's text, in hexadecimal."""
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()


def policy_in_force(versions: Sequence[tuple[int, Policy]], period: Period) -> tuple[int, Policy]:
    """Return version and policy that rule a period whole: the last to come into force by its first day.

    Of two that came into force on the same day the later version rules. Raises Refused where none was in
    force.
    """
    started = [pair for pair in versions if pair[1].in_force_from <= period.first_day]
    if started:
        return max(started, key=lambda pair: (pair[1].in_force_from, pair[0]))
    if not versions:
        raise Refused(f"no policy was published to rule {period.label}; publish one")
    first = min(policy.in_force_from for _, policy in versions)
    raise Refused(
        f"policy {versions[0][1].key!r} has a gap: none of its versions was in force on {period.first_day}, "
        f"the first is in force from {first}; publish a version in force from {period.first_day} or earlier"
    )


def parse_policy(text: str) -> Policy:
    """Return the policy that a TOML text of format 1 states.

    Raises Refused with every problem at once: a field that is missing, unknown (with the nearest known name)
    or wrong, a number where text is due, and tiers that leave a gap or overlap between 0% and 100%.
    """
    import tomllib

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"the policy is not TOML: {error}; correct the text there") from None
    reader = _Reader()
    policy = reader.policy(document, policy_sha256(text))
    if reader.problems or policy is None:
        raise Refused("; ".join(reader.problems), tuple(reader.problems))
    return policy


class _Reader:
    """Reads the tables of a policy and gathers a sentence for everything that is wrong."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def policy(self, document: dict[str, Any], sha256: str) -> Policy | None:
        self._known("", "", document)
        version = document.get("format")
        if type(version) is not int or version != 1:
            self._wrong("format", version, "is not 1; this ledger reads format = 1")
        key = self._key(document.get("policy"))
        title = self._text("title", document.get("title", ""))
        in_force_from = self._date(document.get("in_force_from"))
        period = self._table("period", document)
        self._choice("period.kind", period.get("kind"), ("calendar-month",))
        zone = self._choice(
            "period.zone", period.get("zone"), zone_names(), "an IANA zone such as UTC or Europe/London"
        )
        counting = self._table("counting", document)
        effects = self._effects(counting.get("effects"))
        windows = self._choice("counting.windows", counting.get("windows"), get_args(Counting))
        share_above = self._share_above(windows, counting.get("share_above"))
        planned = self._choice("counting.planned", counting.get("planned"), ("excluded", "counted"))
        tiers = self._tiers(document.get("tiers"))
        credit = self._table("credit", document)
        self._choice("credit.of", credit.get("of"), ("fee",))
        rounding = self._choice("credit.rounding", credit.get("rounding"), ROUNDINGS)
        if self.problems:
            return None
        return Policy(
            key=key, title=title, in_force_from=in_force_from, zone=zone, effects=effects,
            windows=cast(Counting, windows), share_above=share_above, planned_counts=planned == "counted",
            tiers=tiers, rounding=rounding, sha256=sha256,
        )  # fmt: skip

    def _wrong(self, field: str, value: object, rest: str) -> None:
        self.problems.append(
            f"{field} is missing; add it" if value is None else f"{field} {_shown(value)} {rest}"
        )

    def _known(self, table: str, where: str, found: Iterable[str]) -> None:
        for name in found:
            if name not in _TABLES[table]:
                self.problems.append(
                    f"{where}{name} is not a field of a policy{nearest(name, _TABLES[table])}; known are "
                    f"{', '.join(_TABLES[table])}"
                )

    def _table(self, name: str, document: dict[str, Any]) -> dict[str, Any]:
        table = document.get(name)
        if type(table) is not dict:
            self._wrong(name, table, f"is not a table; write [{name}]")
            # The missing table is one problem; its fields would only repeat it.
            return _Absent()
        self._known(name, f"{name}.", table)
        return table

    def _text(self, field: str, value: object) -> str:
        if isinstance(value, _Absent):
            return ""
        if type(value) is not str:
            self._wrong(field, value, "is not text; put it in quotes")
            return ""
        return value

    def _key(self, value: object) -> str:
        key = self._text("policy", value)
        if type(value) is str:
            try:
                check_key(key)
            except ValueError as error:
                self.problems.append(f"policy {error}")
        return key

    def _choice(self, field: str, value: object, known: Iterable[str], instead: str = "") -> str:
        if isinstance(value, _Absent):
            return ""
        found = self._text(field, value)
        known = tuple(known)
        if type(value) is str and found not in known:
            instead = instead or ("one of " if len(known) > 1 else "") + ", ".join(known)
            self.problems.append(f"{field} {found!r} is not known{nearest(found, known)}; write {instead}")
        return found

    def _date(self, value: object) -> str:
        # A date with a time is a date to Python, but not to a policy.
        if not isinstance(value, date) or isinstance(value, datetime):
            self._wrong("in_force_from", value, "is not a date; write it without quotes, like 2022-01-01")
            return ""
        return value.isoformat()

    def _effects(self, value: object) -> frozenset[str]:
        if isinstance(value, _Absent):
            return frozenset()
        if type(value) is not list or not value:
            self._wrong(
                "counting.effects",
                value,
                f"is not a list of effects; name at least one of {', '.join(EFFECTS)}",
            )
            return frozenset()
        for index, effect in enumerate(value, 1):
            self._choice(f"counting.effects {index}", effect, EFFECTS)
            if effect in value[: index - 1]:
                self.problems.append(f"counting.effects names {_shown(effect)} twice; name it once")
        return frozenset(effect for effect in value if type(effect) is str)

    def _share_above(self, windows: str, value: object) -> Fraction | None:
        if isinstance(value, _Absent):
            return None
        if windows != "above-share":
            if value is not None:
                self.problems.append(
                    f'counting.share_above {_shown(value)} has no meaning with windows = "{windows}"; '
                    'leave it out, or write windows = "above-share"'
                )
            return None
        share = self._decimal("counting.share_above", value, "0.05")
        if share is not None and share >= 1:
            self.problems.append(
                f"counting.share_above {_shown(value)} is not below 1; no share is above it: 5% is 0.05"
            )
        return share

    def _decimal(self, field: str, value: object, example: str) -> Fraction | None:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            self._wrong(
                field, value, f'is a number, which TOML cannot keep exact; write it as text: "{value}"'
            )
        elif not isinstance(value, str) or not _DECIMAL.fullmatch(value):
            self._wrong(field, value, f'is not a decimal; write it like "{example}"')
        else:
            return Fraction(value)
        return None

    def _percent(self, field: str, value: object, example: str) -> Fraction | None:
        found = self._decimal(field, value, example)
        if found is not None and found > 100:
            self.problems.append(
                f"{field} {_shown(value)} is more than 100%; write a percentage from 0 to 100"
            )
            return None
        return found

    def _tiers(self, value: object) -> tuple[Tier, ...]:
        if type(value) is not list or not value or not all(type(entry) is dict for entry in value):
            self._wrong("tiers", value, "is not a list of tables; write one [[tiers]] for each")
            return ()
        before = len(self.problems)
        tiers = [
            tier for index, entry in enumerate(value, 1) if (tier := self._tier(f"tiers {index}", entry))
        ]
        # Tiers that could not be read would show as gaps.
        if len(self.problems) == before:
            self._cover(tiers)
        return tuple(sorted(tiers, key=_from_below, reverse=True))

    def _tier(self, where: str, entry: dict[str, Any]) -> Tier | None:
        self._known("tiers", f"{where}: ", entry)
        lower = self._side(where, entry, "availability_at_least", "availability_above", Fraction(0))
        upper = self._side(where, entry, "availability_at_most", "availability_below", Fraction(100))
        credit = self._percent(f"{where}: credit_percent", entry.get("credit_percent"), "10")
        if lower is None or upper is None or credit is None:
            return None
        (low, low_in, low_words), (high, high_in, high_words) = lower, upper
        if low > high or (low == high and not (low_in and high_in)):
            self.problems.append(
                f"{where}: no availability is {low_words or 'at least 0%'} and "
                f"{high_words or 'at most 100%'}; exchange or widen the bounds"
            )
            return None
        said = " and ".join(filter(None, (low_words, high_words)))
        return Tier(
            low / 100,
            low_in,
            high / 100,
            high_in,
            credit,
            f"availability {said}" if said else "any availability",
        )

    def _side(
        self, where: str, entry: dict[str, Any], included: str, excluded: str, open_side: Fraction
    ) -> tuple[Fraction, bool, str] | None:
        if included in entry and excluded in entry:
            self.problems.append(f"{where}: {included} and {excluded} contradict each other; leave one out")
            return None
        for field in (included, excluded):
            if field in entry:
                bound = self._percent(f"{where}: {field}", entry[field], "99.9")
                words = f"{field.removeprefix('availability_').replace('_', ' ')} {entry[field]}%"
                return None if bound is None else (bound, field == included, words)
        return open_side, True, ""

    def _cover(self, tiers: list[Tier]) -> None:
        """Find each availability from 0% to 100% that no tier holds, or more than one."""
        # A bound is a place just before or just after a number, so that touching tiers meet in one place.
        reached = (Fraction(0), 0)
        for tier in sorted(tiers, key=_from_below):
            begins, ends = (
                (tier.lower, 0 if tier.lower_included else 1),
                (tier.upper, 1 if tier.upper_included else 0),
            )
            if begins > reached:
                self.problems.append(
                    f"tiers leave a gap: none holds {_between(reached, begins)}; add or widen a tier"
                )
            elif begins < reached:
                shared = min(reached, ends)
                self.problems.append(
                    f"tiers overlap: more than one holds {_between(begins, shared)}; narrow one of them"
                )
            reached = max(reached, ends)
        if reached < (Fraction(1), 1):
            self.problems.append(
                f"tiers leave a gap: none holds {_between(reached, (Fraction(1), 1))}; add or widen a tier"
            )


class _Absent(dict[str, Any]):
    """A table that is not there, which was said already: each of its fields is as absent."""

    def get(self, key: str, default: object = None) -> Any:
        return self


def _from_below(tier: Tier) -> tuple[Fraction, bool, Fraction, bool]:
    return tier.lower, not tier.lower_included, tier.upper, tier.upper_included


def _between(begins: tuple[Fraction, int], ends: tuple[Fraction, int]) -> str:
    low, high = decimal_text(begins[0] * 100), decimal_text(ends[0] * 100)
    if begins[0] == ends[0]:
        return f"exactly {low}%"
    first, last = ("above" if begins[1] else "from"), ("up to and including" if ends[1] else "to below")
    return f"{first} {low}% {last} {high}%"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
