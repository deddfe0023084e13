"""Policy format 1: calendar months, windows that count in full or by share, tiers, percent of the fee.

What is published in it keeps its meaning for ever, so nothing is added here; what more a contract may say is format 2.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Literal, get_args

from ledger.domain.events import EFFECTS
from ledger.domain.money import ROUNDINGS
from ledger.domain.period import zone_names
from ledger.domain.policy.model import (
    Commitment,
    Counting,
    Credit,
    ExclusionRule,
    Measure,
    PeriodRule,
    Policy,
    Remedy,
    Scope,
    Tier,
)
from ledger.domain.policy.reading import (
    ABSENT,
    Absent,
    Problems,
    cover,
    ordered,
    range_words,
    shown,
    side_given,
)

__all__ = ["read"]

Windows = Literal["full", "by-share", "above-share"]

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
# Planned windows are excluded by their own plan alone; exclusions recorded as facts are not read.
_PLANNED = ExclusionRule(frozenset(("planned-maintenance",)), own_plan_only=True)


def read(document: dict[str, Any], sha256: str, problems: Problems) -> Policy | None:
    """Return the policy of a document, None where something is wrong with it."""
    problems.known(_TABLES[""], "", document)
    version = document.get("format")
    if type(version) is not int or version != 1:
        problems.wrong("format", version, "is not 1 or 2; this ledger reads format = 1 and format = 2")
    key = problems.key("policy", document.get("policy"))
    title = problems.text("title", document.get("title", ""))
    in_force_from = problems.date("in_force_from", document.get("in_force_from"))
    period = _table("period", document, problems)
    problems.choice("period.kind", period.get("kind"), ("calendar-month",))
    zone = problems.choice(
        "period.zone", period.get("zone"), zone_names(), "an IANA zone such as UTC or Europe/London"
    )
    counting = _table("counting", document, problems)
    effects = _effects(counting.get("effects"), problems)
    windows = problems.choice("counting.windows", counting.get("windows"), get_args(Windows))
    share_above = _share_above(windows, counting.get("share_above"), problems)
    planned = problems.choice("counting.planned", counting.get("planned"), ("excluded", "counted"))
    tiers = _tiers(document.get("tiers"), problems)
    credit = _table("credit", document, problems)
    problems.choice("credit.of", credit.get("of"), ("fee",))
    rounding = problems.choice("credit.rounding", credit.get("rounding"), ROUNDINGS)
    if problems.found:
        return None
    commitment = Commitment(
        name="",
        measure=Measure(of="affected-share" if windows == "by-share" else "time"),
        counting=Counting(
            effects=effects,
            down="above-share" if windows == "above-share" else "any",
            share_above=share_above,
        ),
        scope=Scope(),
        tiers=tiers,
    )
    return Policy(
        key=key, title=title, in_force_from=in_force_from, format=1, period=PeriodRule("calendar-month", zone),
        commitments=(commitment,), exclusions=() if planned == "counted" else (_PLANNED,),
        credit=Credit(), rounding=rounding, sha256=sha256,
    )  # fmt: skip


def _table(name: str, document: dict[str, Any], problems: Problems) -> dict[str, Any]:
    table = document.get(name)
    if type(table) is not dict:
        problems.wrong(name, table, f"is not a table; write [{name}]")
        # The missing table is one problem; its fields would only repeat it.
        return ABSENT
    problems.known(_TABLES[name], f"{name}.", table)
    return table


def _effects(value: object, problems: Problems) -> frozenset[str]:
    if isinstance(value, Absent):
        return frozenset()
    if type(value) is not list or not value:
        problems.wrong(
            "counting.effects", value, f"is not a list of effects; name at least one of {', '.join(EFFECTS)}"
        )
        return frozenset()
    for index, effect in enumerate(value, 1):
        problems.choice(f"counting.effects {index}", effect, EFFECTS)
        if effect in value[: index - 1]:
            problems.add(f"counting.effects names {shown(effect)} twice; name it once")
    return frozenset(effect for effect in value if type(effect) is str)


def _share_above(windows: str, value: object, problems: Problems) -> Fraction | None:
    if isinstance(value, Absent):
        return None
    if windows != "above-share":
        if value is not None:
            problems.add(
                f'counting.share_above {shown(value)} has no meaning with windows = "{windows}"; '
                'leave it out, or write windows = "above-share"'
            )
        return None
    share = problems.decimal("counting.share_above", value, "0.05")
    if share is not None and share >= 1:
        problems.add(f"counting.share_above {shown(value)} is not below 1; no share is above it: 5% is 0.05")
    return share


def _tiers(value: object, problems: Problems) -> tuple[Tier, ...]:
    if type(value) is not list or not value or not all(type(entry) is dict for entry in value):
        problems.wrong("tiers", value, "is not a list of tables; write one [[tiers]] for each")
        return ()
    before = len(problems.found)
    tiers = [
        tier for index, entry in enumerate(value, 1) if (tier := _tier(f"tiers {index}: ", entry, problems))
    ]
    # Tiers that could not be read would show as gaps.
    if len(problems.found) == before:
        cover(tiers, "", problems)
    return ordered(tiers)


def _tier(where: str, entry: dict[str, Any], problems: Problems) -> Tier | None:
    problems.known(_TABLES["tiers"], where, entry)
    lower = _side(where, entry, ("at_least", "above"), Fraction(0), problems)
    upper = _side(where, entry, ("at_most", "below"), Fraction(100), problems)
    credit = problems.percent(f"{where}credit_percent", entry.get("credit_percent"), "10")
    if lower is None or upper is None or credit is None:
        return None
    words = range_words(where, "availability", lower, upper, problems)
    if words is None:
        return None
    return Tier(
        lower[0] / 100, lower[1], upper[0] / 100, upper[1], credit, words, remedy=Remedy(percent=credit),
    )  # fmt: skip


def _side(
    where: str, entry: dict[str, Any], sides: tuple[str, str], open_side: Fraction, problems: Problems
) -> tuple[Fraction, bool, str] | None:
    side = side_given(where, "availability", sides, entry.keys(), problems)
    if not side:
        return None if side is None else (open_side, True, "")
    field = f"availability_{side}"
    bound = problems.percent(f"{where}{field}", entry[field], "99.9")
    # As it is written: 99.0% stays 99.0%.
    return None if bound is None else (bound, side == sides[0], f"{side.replace('_', ' ')} {entry[field]}%")
