"""From the ledger's groups to the model of a workbook: which scopes have formulas, and why others have none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import ceil

import msgspec

from ledger.domain.money import decimal_text
from ledger.domain.policy import Policy
from ledger.domain.policy.model import Commitment
from ledger.domain.policy.reading import holes, shared
from ledger.domain.window import Window
from projections.credits import Group
from projections.evaluation.around import widened
from projections.evaluation.levels import rounds_each
from projections.workbook.cases import FactRows, cases_of
from projections.workbook.exclusions import Excluding, concerned, excluding
from projections.workbook.model import (
    EXACT,
    EXACT_DIVIDED,
    MOST_DIVIDED,
    Model,
    Scope,
    Units,
    counts_by_share,
    has_gaps,
    length_of,
)
from projections.workbook.remedies import percent_of, reasons

__all__ = ["model", "reason_for_values"]


# Decimals that an input may have in any case; more where the terms have more.
_EDGE_PLACES, _SHARE_PLACES, _PAYS_PLACES = 3, 3, 2


def model(groups: Sequence[Group], counts: Sequence[int], windows: Iterable[Window], as_of: int) -> Model:
    """Return what the workbook calculates. counts: of each group its subscriptions; as_of: UTC seconds."""
    known: dict[tuple[str, int], Group] = {}
    for group in groups:
        known.setdefault((group.policy.key, group.version), group)
    policies = [(group.version, group.policy, group) for _, group in sorted(known.items())]
    # Those that have formulas are numbered first.
    policies.sort(key=lambda found: bool(reason_for_values(found[1])))
    numbers = {(policy.key, version): at for at, (version, policy, _) in enumerate(policies, 1)}
    said = [policy for _, policy, _ in policies if not reason_for_values(policy)]
    listed = list(
        dict.fromkeys(sorted(windows, key=lambda one: (one.start, one.incident, one.window, repr(one))))
    )
    units = _units(said, listed)
    order = sorted(range(len(groups)), key=lambda at: _order(groups[at]))
    places = [0] * len(groups)
    scopes: list[Scope] = []
    taken: list[Excluding] = []
    for place, at in enumerate(order):
        places[at] = place
        group = groups[at]
        scopes.append(
            Scope(place + 1, numbers[group.policy.key, group.version], group, counts[at], problem=_problem(group, units))
        )  # fmt: skip
        taken.append(Excluding() if scopes[-1].problem else excluding(group, as_of))
        scopes[-1].problem = scopes[-1].problem or taken[-1].problem
        if taken[-1].taken and group.policy.commitments[0].counting.quantise == "each-up":
            scopes[
                -1
            ].problem = "value: no formula for outages that are rounded up one by one beside exclusions"
    every = {one.exclusion for found in taken for one in found.taken}
    exclusions = sorted(every, key=lambda one: (one.start, one.exclusion, repr(one)))
    facts = FactRows(
        {window: at for at, window in enumerate(listed)},
        {one: at for at, one in enumerate(exclusions)},
        as_of,
    )
    cases = cases_of(scopes, taken, facts, units)
    return Model(units, policies, len(said), cases, scopes, places, listed, exclusions)


def reason_for_values(policy: Policy) -> str:
    """Return why the terms of a policy have no formulas here, "" where they have: those of format 1 and what is like them."""
    first = policy.commitments[0]
    counting = first.counting
    because = {
        "more than one commitment": len(policy.commitments) > 1,
        f"a measure of {first.measure.of}": first.measure.of not in ("time", "affected-share", "user-minutes"),
        "seconds that are down from a share on": counting.down == "at-least-share",
        "shares above a share": first.measure.of != "time" and counting.down != "any",
        "measurements": bool(first.measure.reads),
        "least durations of parts of a second": (counting.minimum or Fraction(1)).denominator != 1,
        "short outages that count by the day": counting.unless_daily_total_above is not None,
        "outages that are each brought to the nearest quantum": counting.quantise == "each-nearest",
        "hours of service or of maintenance": bool(policy.recurring),
        "regions that are down at once": first.scope.regions == "service-wide",
        f"tiers of {first.tiers_of}": first.tiers_of != "availability",
        "tiers with gaps or overlaps": not _tiers_are_known(first),
        **reasons(policy),
        "incidents paid one by one": policy.stacking.incidents != "together",
        "gaps between tiers of a part of the period": policy.period.part != "whole" and bool(holes(first.tiers, first.tiers_of)),
        "shares of a part of the period": policy.period.part != "whole" and first.measure.of != "time",
        "a length of parts of a second": (policy.period.length_seconds or Fraction(1)).denominator != 1,
    }  # fmt: skip
    found = [words for words, there in because.items() if there]
    return f"value: no formula for {', '.join(found)}" if found else ""


def _tiers_are_known(commitment: Commitment) -> bool:
    """Tell whether each availability lies in one tier, or between two neighbours that both are possible there."""
    tiers = commitment.tiers
    if commitment.tiers_of != "availability":
        return True
    if shared(tiers):
        return False
    within = tiers[0].holds(Fraction(1)) and tiers[-1].holds(Fraction(0))
    return not holes(tiers, "availability") or (commitment.gaps == "undecided" and within)


def _order(group: Group) -> tuple[str, int, str, str, list[tuple[str, bool]], int, int]:
    start, end = group.valid
    circle = sorted((name, one.inside) for name, one in group.memberships.items())
    return group.policy.key, group.version, group.service, group.region, circle, start, -end


def _units(policies: Sequence[Policy], windows: Sequence[Window]) -> Units:
    shares = [text for window in windows for text in (window.share_at_least, window.share_at_most) if text]
    shares += [decimal_text(policy.share_above) for policy in policies if policy.share_above is not None]
    edges = [decimal_text(tier.lower * 100) for policy in policies for tier in policy.tiers]
    edges += [
        decimal_text(tier.upper * 100) for policy in policies if has_gaps(policy) for tier in policy.tiers
    ]
    pays = [decimal_text(percent_of(tier)) for policy in policies for tier in policy.tiers]
    pays += [decimal_text(one.limits.percent * 100) for one in policies if one.limits.percent is not None]
    pays += [
        decimal_text(one.limits.rolling_percent * 100)
        for one in policies
        if one.limits.rolling_percent is not None
    ]
    multiples = [
        decimal_text(tier.remedy.multiple)
        for policy in policies
        for tier in policy.tiers
        if tier.remedy.multiple is not None
    ]
    days = [one.limits.days for one in policies]
    days += [tier.remedy.service_days for one in policies for tier in one.tiers]
    return Units(
        10 ** max([_SHARE_PLACES, *map(_places, shares)]),
        100 * 10 ** max([_EDGE_PLACES, *map(_places, edges)]),
        100 * 10 ** max([_PAYS_PLACES, *map(_places, pays)]),
        10 ** max([0, *map(_places, multiples)]),
        10 ** max([0, *(_places(decimal_text(one)) for one in days if one is not None)]),
    )


def _places(number: str) -> int:
    return len(number.partition(".")[2])


def _goes_on_outside(group: Group) -> bool:
    """Tell whether an outage may go on over an edge of the period, where terms ask how long it lasts: a segment ends there.

    What is open, and long enough inside, lasts long enough; but how it is rounded depends on where it ends.
    """
    period, counting = group.period, group.policy.commitments[0].counting
    long = ceil(counting.minimum or 0)
    windows = []
    for window, _ in concerned(group):
        if window.effect not in group.policy.effects:
            continue
        begins = window.start - window.start_within_seconds
        inside = period.start <= begins <= period.end - long
        if window.end is None and inside and not rounds_each(counting):
            window = msgspec.structs.replace(window, end=period.end, end_within_seconds=0)
        windows.append(window)
    span = period.start, period.end
    return widened([group.policy], span, windows) != span


def _problem(group: Group, units: Units) -> str:
    """Return why a spreadsheet cannot calculate a scope, "" where it can."""
    if reason := reason_for_values(group.policy):
        return reason
    if _goes_on_outside(group):
        return "value: no formula for outages that go on over the edge of the period"
    seconds = max(group.period.seconds, length_of(group))
    if not length_of(group):
        return "value: no second of the period is valid"
    by_share = counts_by_share(group.policy)
    if units.edge * seconds > EXACT_DIVIDED:
        return "value: a bound of availability has more decimals than a spreadsheet keeps exact"
    if (
        by_share
        and units.share * seconds >= MOST_DIVIDED
        and any(one.remedy.multiple for one in group.policy.tiers)
    ):
        return "value: a share has more decimals than a common divisor is found for"
    if (
        by_share
        and units.share * seconds > EXACT_DIVIDED
        and any(one.remedy.block_seconds for one in group.policy.tiers)
    ):
        return "value: a share has more decimals than a spreadsheet divides exactly"
    if units.share * max(seconds if by_share else 1, units.edge) > EXACT:
        return "value: a share has more decimals than a spreadsheet keeps exact"
    if _highest_factor(group.policy, seconds * (units.share if by_share else 1), units) > EXACT_DIVIDED:
        return "value: a factor has more decimals than a spreadsheet divides exactly"
    if _highest_days(group.policy, seconds, units) > EXACT_DIVIDED:
        return "value: days of service have more decimals than a spreadsheet divides exactly"
    return ""


def _highest_days(policy: Policy, seconds: int, units: Units) -> int:
    """Return the highest integer on the way to days of service, in parts of a day; a last block may be begun."""
    found = [policy.limits.days or Fraction(0)]
    for tier in policy.tiers:
        remedy = tier.remedy
        times = 1 if remedy.block_seconds is None else seconds // int(remedy.block_seconds) + 1
        found.append((remedy.service_days or Fraction(0)) * times)
    return int(max(found) * units.days)


def _highest_factor(policy: Policy, parts: int, units: Units) -> int:
    """Return the highest integer on the way to a factor that is rounded, 0 where none is. parts: of a second, in the period."""
    if policy.credit.factor_decimals is None:
        return 0
    found = [4 * units.credit, 4 * units.multiple * parts]
    scale = 2 * 10**policy.credit.factor_decimals
    for tier in policy.tiers:
        blocks = 1 if tier.remedy.block_seconds is None else parts // int(tier.remedy.block_seconds) + 1
        found.append(int(percent_of(tier) * units.credit / 100) * blocks * scale)
        found.append(int((tier.remedy.multiple or 0) * units.multiple) * parts * scale)
    return sum(found)
