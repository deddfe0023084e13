"""Each fact that is a bound, with the evidence in which it is closed both ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec

from ledger.domain.ends import is_open, side_of
from ledger.domain.exclusion import Exclusion
from ledger.domain.interval import Span, intersect, subtract
from ledger.domain.measurement import Measurement
from ledger.domain.policy.model import Commitment, Policy
from ledger.domain.window import EVERY, UNKNOWN, Window, place, reach, share_bounds
from projections.evaluation.evidence import Evidence, Membership, Plain
from projections.evaluation.measured import counts_over_the_period, excluded_time, measurements_of

__all__ = ["Open", "open_facts", "with_window"]

# A fact in words, and the evidence with it closed at either end.
Open: TypeAlias = tuple[str, Evidence, Evidence]
# A place that nothing which is asked for is in.
_ELSEWHERE = ""


def open_facts(policy: Policy, evidence: Evidence) -> Iterator[Open]:
    """Yield each fact that is a bound for a policy, with the evidence in which it is closed at its least and at its most."""
    yield from _of_plain(policy, evidence)
    start, end = evidence.span
    windows = [
        (place_of, window)
        for place_of, window in enumerate(evidence.windows)
        if not window.withdrawn
        and window.service == evidence.service
        and reach(window, start, end, evidence.as_of).most is not None
    ]
    for place_of, window in windows:
        for words, narrow, wide in (
            *_of_window(window, evidence),
            *_where(window, policy, evidence),
        ):
            yield words, with_window(evidence, place_of, narrow), with_window(evidence, place_of, wide)
    exclusions = [one for one in evidence.exclusions if _is_read(one, policy, evidence)]
    yield from _of_cohorts([*(window for _, window in windows), *exclusions], evidence)
    yield from _of_exclusions(exclusions, evidence)
    yield from _of_measurements(policy, evidence)


def _of_plain(policy: Policy, evidence: Evidence) -> Iterator[Open]:
    plain = evidence.plain
    for name, said in (
        ("downtime", "the exact downtime"),
        ("availability", "the exact availability"),
        ("value", "the exact value"),
        ("failed", "how many failed"),
        ("total", "how many there were in all"),
    ):
        pair = getattr(plain, name)
        if pair is not None and pair[0] != pair[1]:
            yield said, *_closed(evidence, name, *((end, end) for end in pair))
    for number, (seconds, low, high) in enumerate(plain.outages):
        if low != high:
            ways = (_with(plain.outages, number, (seconds, share, share)) for share in (low, high))
            yield f"the share that outage {number + 1} affected", *_closed(evidence, "outages", *ways)
    for number, (low, high, buckets) in enumerate(plain.rates):
        if low != high:
            ways = (_with(plain.rates, number, (rate, rate, buckets)) for rate in (low, high))
            yield f"the error rate {number + 1}", *_closed(evidence, "rates", *ways)
    if plain.gathered is None and _have_days(policy, plain):
        yield "on which days the short outages were", *_closed(evidence, "gathered", False, True)


def _closed(evidence: Evidence, name: str, one: Any, other: Any) -> tuple[Evidence, Evidence]:
    """Return evidence whose plain figure of a name is one thing, and the other."""
    first, second = (
        msgspec.structs.replace(evidence, plain=msgspec.structs.replace(evidence.plain, **{name: value}))
        for value in (one, other)
    )
    return first, second


def _with(several: tuple[Any, ...], number: int, one: Any) -> tuple[Any, ...]:
    """Return several things, of which that with a number is another."""
    return *several[:number], one, *several[number + 1 :]


def _have_days(policy: Policy, plain: Plain) -> bool:
    """Tell whether outages may be too short, but for what a day has of them."""
    lasts = [seconds for seconds, _, _ in plain.outages] or list(plain.downtime or ())
    return any(
        one.counting.minimum is not None
        and one.counting.unless_daily_total_above is not None
        and any(seconds < one.counting.minimum for seconds in lasts)
        for one in policy.commitments
    )


def with_window(evidence: Evidence, place_of: int, window: Window) -> Evidence:
    """Return the evidence with another window at a place of its list."""
    windows = (*evidence.windows[:place_of], window, *evidence.windows[place_of + 1 :])
    return msgspec.structs.replace(evidence, windows=windows)


def _of_window(window: Window, evidence: Evidence) -> Iterator[tuple[str, Window, Window]]:
    name = f"{window.incident}/{window.window}"
    low, high = share_bounds(window)
    if low != high:
        least, most = (_text(window.share_at_least, low), _text(window.share_at_most, high))
        said = (
            f"{'more than ' if is_open(low) else ''}{least}",
            f"{'less than ' if is_open(high) else ''}{most}",
        )
        yield (
            f"the share that window {name} affected (from {' to '.join(said)})",
            _of_share(window, least, side_of(low)),
            _of_share(window, most, side_of(high)),
        )
    if window.end is None:
        stop = max(evidence.as_of, window.start + 1)
        yield (
            f"when window {name} ended",
            msgspec.structs.replace(window, end=stop),
            msgspec.structs.replace(window, end=max(evidence.span[1], stop)),
        )
    late, early = window.start_within_seconds, window.end_within_seconds
    if (late or early) and window.end is not None:
        exact = msgspec.structs.replace(window, start_within_seconds=0, end_within_seconds=0)
        narrow = (window.start + late, window.end - early)
        yield (
            f"the exact times of window {name}",
            # Perhaps nothing is left of it, and then it covers nothing.
            msgspec.structs.replace(exact, start=narrow[0], end=max(narrow)),
            msgspec.structs.replace(exact, start=window.start - late, end=window.end + early),
        )


def _of_share(window: Window, share: str, side: int) -> Window:
    return msgspec.structs.replace(
        window, share_at_least=share, share_at_most=share, share_sides=(side, side)
    )


def _text(said: str | None, bound: object) -> str:
    return str(bound) if said is None else said


def _where(window: Window, policy: Policy, evidence: Evidence) -> Iterator[tuple[str, Window, Window]]:
    """Yield where a window was that names no region or no component, as far as that is open."""
    name = f"{window.incident}/{window.window}"
    scopes = [one.scope for one in policy.commitments]
    if window.region == UNKNOWN:
        if any(one.regions != "union" for one in scopes):
            if place(window.region, window.regions, evidence.region) == "perhaps":
                away, there = (
                    msgspec.structs.replace(window, region=one) for one in (_ELSEWHERE, evidence.region)
                )
                yield f"whether window {name} was in {evidence.region}", away, there
        elif named := _named("region", evidence):
            # Any region counts.
            outside, inside = (msgspec.structs.replace(window, region=one) for one in (_ELSEWHERE, named[0]))
            yield f"where window {name} was", inside, outside
    component = _component(window, policy)
    if component is not None:
        away, there = (msgspec.structs.replace(window, component=one) for one in (_ELSEWHERE, component))
        yield f"whether window {name} was of {component}", away, there
    elif window.component == UNKNOWN and (named := _named("component", evidence)):
        outside, inside = (msgspec.structs.replace(window, component=one) for one in (_ELSEWHERE, named[0]))
        yield f"of which component window {name} was", inside, outside


def _named(field: str, evidence: Evidence) -> list[str]:
    """Return the components, or regions, that exclusions name, each of which is taken out of its own windows alone."""
    said = dict.fromkeys(getattr(one, field) for one in evidence.exclusions if not one.withdrawn)
    return [one for one in said if one not in (EVERY, UNKNOWN)]


def _component(one: Window | Measurement, policy: Policy) -> str | None:
    """Return the component that a fact is perhaps about, and that terms ask for; None where that is not open."""
    asked = (name for commitment in policy.commitments for name in commitment.scope.components)
    return next((name for name in asked if place(one.component, one.components, name) == "perhaps"), None)


def _is_read(one: Exclusion, policy: Policy, evidence: Evidence) -> bool:
    named = {kind for rule in policy.exclusions if not rule.own_plan_only for kind in rule.kinds}
    return not one.withdrawn and one.kind in named and one.service in (EVERY, evidence.service)


def _of_cohorts(facts: list[Window | Exclusion], evidence: Evidence) -> Iterator[Open]:
    names = (one.cohort for one in facts if one.cohort is not None and evidence.member(one.cohort) is None)
    for name in dict.fromkeys(names):
        without, with_it = (
            msgspec.structs.replace(
                evidence, memberships={**evidence.memberships, name: Membership(inside, "")}
            )
            for inside in (False, True)
        )
        yield f"whether the customer is in cohort {name!r}", without, with_it


def _of_exclusions(exclusions: list[Exclusion], evidence: Evidence) -> Iterator[Open]:
    def changed(of: list[Exclusion], **to: str | None) -> Evidence:
        others = tuple(one for one in evidence.exclusions if one not in of)
        return msgspec.structs.replace(
            evidence, exclusions=(*others, *(msgspec.structs.replace(one, **to) for one in of))
        )

    if evidence.customer is None:
        for customer in dict.fromkeys(one.customer for one in exclusions if one.customer is not None):
            mine = [one for one in exclusions if one.customer == customer]
            said = " and ".join(repr(one.exclusion) for one in mine)
            gone = tuple(one for one in evidence.exclusions if one not in mine)
            yield (
                f"whether {f'exclusion {said} is' if len(mine) == 1 else f'exclusions {said} are'} about the customer",
                changed(mine, customer=None),
                msgspec.structs.replace(evidence, exclusions=gone),
            )
    for one in exclusions:
        unknown = [name for name in ("component", "region") if getattr(one, name) == UNKNOWN]
        if unknown:
            yield (
                f"where exclusion {one.exclusion!r} was",
                changed([one], **dict.fromkeys(unknown, EVERY)),
                changed([one], **dict.fromkeys(unknown, _ELSEWHERE)),
            )


def _of_measurements(policy: Policy, evidence: Evidence) -> Iterator[Open]:
    """Yield where measurements were made that name no place, and how much of one was in the time that is asked for."""
    found: dict[str, Open] = {}
    for commitment in policy.commitments:
        for one, surely in measurements_of(commitment, evidence):
            name = f"{one.incident}/{one.measurement}"
            if not surely:
                component = _component(one, policy)
                there = msgspec.structs.replace(
                    one, region=evidence.region, component=component or one.component
                )
                unknown = [
                    *([f"in {evidence.region}"] if one.region == UNKNOWN else []), *([f"of {component}"] if component else []),
                ]  # fmt: skip
                words = f"whether measurement {name} was {' and '.join(unknown)}"
                found.setdefault(words, (words, _instead(evidence, one), _instead(evidence, one, there)))
            inside = _inside(one, policy, commitment, evidence)
            if inside is not None:
                words, span = f"how much of measurement {name} was {inside[0]}", inside[1]
                placed = msgspec.structs.replace(one, start=span[0], end=span[1])
                passed = msgspec.structs.replace(placed, failed=0, total=(one.total or 0) - (one.failed or 0))
                failed = msgspec.structs.replace(placed, total=one.failed)
                found.setdefault(
                    words, (words, _instead(evidence, one, passed), _instead(evidence, one, failed))
                )
    yield from found.values()


def _inside(
    one: Measurement, policy: Policy, commitment: Commitment, evidence: Evidence
) -> tuple[str, Span] | None:
    """Return what of a measurement is open, in words, and a span that is asked for in any case; None where nothing is."""
    if not counts_over_the_period(commitment):
        return None
    start, end = evidence.span
    clipped = max(one.start, start), min(one.end, end)
    _, taken = excluded_time(policy, commitment, evidence)
    rest = subtract([clipped], taken)
    if not rest:
        return None
    if clipped != (one.start, one.end):
        return "in the period", rest[0]
    return ("in time that is not excluded", rest[0]) if intersect([clipped], taken) else None


def _instead(evidence: Evidence, one: Measurement, other: Measurement | None = None) -> Evidence:
    """Return the evidence with another measurement in the place of one, or with none."""
    kept = tuple(other if same == one else same for same in evidence.measurements)
    return msgspec.structs.replace(evidence, measurements=tuple(same for same in kept if same is not None))
