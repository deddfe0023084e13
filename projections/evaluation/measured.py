"""What a commitment comes to by measurements: error rates, counts, latencies, and days that failed by them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias

import msgspec

from ledger.domain.interval import Span, intersect, length, subtract, union
from ledger.domain.measurement import Measurement
from ledger.domain.period import days
from ledger.domain.policy.model import Commitment, Policy
from ledger.domain.window import EVERY, place
from ledger.errors import Refused
from projections.evaluation.evidence import Evidence
from projections.evaluation.exclusions import excluded
from projections.evaluation.figures import Figure, denominator, of_share, of_time, of_value
from projections.evaluation.levels import NONE, WHOLE
from projections.evaluation.timeline import removed_with

__all__ = [
    "bad_days", "counts_over_the_period", "excluded_time", "measurements_of", "of_days_measured", "of_error_rates", "of_failures",
    "of_latency", "of_ratio", "quotient_sum",
]  # fmt: skip

_UNIT_SECONDS = {
    "us": Fraction(1, 10**6), "microseconds": Fraction(1, 10**6), "ms": Fraction(1, 1000), "milliseconds": Fraction(1, 1000),
    "s": WHOLE, "seconds": WHOLE, "second": WHOLE, "min": Fraction(60), "minutes": Fraction(60), "minute": Fraction(60),
}  # fmt: skip


# A value with the least and the most seconds that it weighs.
_Weighed: TypeAlias = tuple[Fraction, int, int]


def counts_over_the_period(commitment: Commitment) -> bool:
    """Tell whether what is counted of a measurement has no time inside it, so that a part of it is any part."""
    measure = commitment.measure
    return measure.of in ("executions", "messages") or (measure.of == "events" and measure.counts == "failed")


def measurements_of(commitment: Commitment, evidence: Evidence) -> list[tuple[Measurement, bool]]:
    """Return the measurements a commitment reads that touch the asked time, with whether they surely are about it."""
    start, end = evidence.span
    found = []
    for one in dict.fromkeys(evidence.measurements):
        if one.of not in commitment.measure.reads or one.service != evidence.service:
            continue
        if one.end <= start or one.start >= end:
            continue
        region = place(one.region, one.regions, evidence.region)
        if commitment.scope.regions != "union" and region is None:
            continue
        surely = commitment.scope.regions == "union" or region == "surely"
        if commitment.scope.components:
            places = {place(one.component, one.components, name) for name in commitment.scope.components}
            if places == {None}:
                continue
            surely &= "surely" in places
        found.append((one, surely))
    return found


def excluded_time(
    policy: Policy, commitment: Commitment, evidence: Evidence
) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Return the seconds that exclusions take out of measurements of the whole commitment, surely and at most."""
    component = commitment.scope.components[0] if len(commitment.scope.components) == 1 else EVERY
    return excluded(policy, commitment, evidence).beside(component, EVERY, None)


def of_error_rates(policy: Policy, commitment: Commitment, evidence: Evidence) -> Figure:
    """Return 1 minus the average error rate of all buckets; a bucket weighs by the seconds of it that count."""
    width = commitment.measure.bucket_seconds or 60
    begin, (start, end) = evidence.period.start, evidence.span
    beside = excluded(policy, commitment, evidence)
    gone_sure, gone_maybe = excluded_time(policy, commitment, evidence)
    sure: dict[int, list[int]] = {}
    maybe: dict[int, list[int]] = {}
    entries = set(beside.entries)
    for one, surely in measurements_of(commitment, evidence):
        failed, total = _counts(one)
        first, last = (one.start - begin) // width, -(-(one.end - begin) // width)
        whole = (one.start - begin) % width == 0 and (
            (one.end - begin) % width == 0 or one.end == evidence.period.end
        )
        if last - first > 1 and not whole:
            raise Refused(
                f"measurement {one.measurement!r} crosses the edge of a bucket of {width} seconds, so its share of each is not "
                "known; record one for each bucket, or for whole buckets"
            )
        entries.update(one.entries)
        for bucket in range(first, last):
            for found in (maybe,) if not surely else (sure, maybe):
                counted = found.setdefault(bucket, [0, 0])
                counted[0] += failed
                counted[1] += total
    least, most = [], []
    seen: tuple[list[Span], list[Span]] = [], []
    for bucket, (failed, total) in sorted(maybe.items()):
        span = max(begin + bucket * width, start), min(begin + (bucket + 1) * width, end)
        seen[1].append(span)
        if bucket in sure:
            seen[0].append(span)
        if bucket not in sure or sure[bucket] != [failed, total]:
            # Whether all of it is about this region is not known: between none and all of it failed.
            most.append((length(subtract([span], gone_sure)), 1))
            continue
        if failed:
            least.append((failed * length(subtract([span], gone_maybe)), total))
            most.append((failed * length(subtract([span], gone_sure)), total))
    # Without data surely, and perhaps.
    empty, emptier = (subtract([(start, end)], seen[at]) for at in (1, 0))
    missing = commitment.measure.missing
    removed = removed_with(beside, *((empty, emptier) if missing == "excluded" else ((), ())))
    if missing == "down":
        outside = [union([*beside.removed[at], *beside.up[at]]) for at in (1, 0)]
        least.append((length(subtract(empty, outside[0])), 1))
        # What is perhaps without data is among the buckets that may have failed.
        most.append((length(subtract(empty, outside[1])), 1))
    low, high = quotient_sum(least), quotient_sum(most)
    made = of_time(
        commitment, denominator(policy, evidence), (low, high), (Fraction(removed[0]), Fraction(removed[1])), downtime=high,
        outside=NONE,
        at_once=beside.at_once and empty == emptier and (missing != "excluded" or beside.up[0] == beside.up[1]),
    )  # fmt: skip
    return msgspec.structs.replace(made, entries=frozenset(entries))


def quotient_sum(parts: Sequence[tuple[int, int]]) -> Fraction:
    """Return the sum of many quotients (numerator, denominator); in pairs, so that it stays fast with many denominators."""
    if not parts:
        return NONE
    while len(parts) > 1:
        parts = [
            (a[0] + b[0], a[1]) if a[1] == b[1] else (a[0] * b[1] + b[0] * a[1], a[1] * b[1])
            for a, b in zip(parts[::2], [*parts[1::2], (0, 1)], strict=False)
        ]  # fmt: skip
    return Fraction(*parts[0])


def of_ratio(policy: Policy, commitment: Commitment, evidence: Evidence) -> Figure:
    """Return 1 minus failed by total over the period."""
    sure, maybe = excluded_time(policy, commitment, evidence)
    start, end = evidence.span
    failed = total = open_failed = open_total = 0
    entries: set[str] = set()
    for one, surely in measurements_of(commitment, evidence):
        some, of_all = _counts(one)
        span = one.start, one.end
        if not length(subtract([span], sure)):
            continue
        entries.update(one.entries)
        if surely and one.start >= start and one.end <= end and not intersect([span], maybe):
            failed, total = failed + some, total + of_all
        else:
            # What of it falls into the time that is asked for is not known.
            open_failed, open_total = open_failed + some, open_total + of_all
    low, high = _ratio_bounds(commitment, failed, total, open_failed, open_total)
    return msgspec.structs.replace(
        of_share(policy, commitment, evidence, low, high), entries=frozenset(entries),
        counts=(failed, total, open_failed, open_total),
    )  # fmt: skip


def _ratio_bounds(
    commitment: Commitment, failed: int, total: int, open_failed: int, open_total: int
) -> tuple[Fraction, Fraction]:
    """Return the least and the most availability, if any part of the open counts belongs to it."""
    none = NONE if commitment.measure.missing == "down" else WHOLE
    if not total + open_total:
        return none, none
    low, high = _shares(failed, total, open_failed, open_total)
    low, high = 1 - high, 1 - low
    # Perhaps nothing was counted at all.
    return (low, high) if total else (min(low, none), max(high, none))


def of_failures(policy: Policy, commitment: Commitment, evidence: Evidence) -> Figure:
    """Return how much failed."""
    read = [(one, surely, _counts(one)[0]) for one, surely in measurements_of(commitment, evidence)]
    start, end = evidence.span
    sure, maybe = excluded_time(policy, commitment, evidence)
    low = high = 0
    entries: set[str] = set()
    for one, surely, failed in read:
        span = one.start, one.end
        if not length(subtract([span], sure)):
            continue
        entries.update(one.entries)
        high += failed
        if surely and one.start >= start and one.end <= end and not intersect([span], maybe):
            low += failed
    return of_value(policy, commitment, evidence, Fraction(low), Fraction(high), entries)


def of_latency(policy: Policy, commitment: Commitment, evidence: Evidence) -> Figure:
    """Return the latency in the unit of the measure: the average of all measurements by time, or the highest."""
    measure, (start, end) = commitment.measure, evidence.span
    sure, maybe = excluded_time(policy, commitment, evidence)
    entries: set[str] = set()
    found: list[_Weighed] = []
    for one, surely in measurements_of(commitment, evidence):
        if one.value is None or one.statistic != measure.statistic:
            raise Refused(
                f"measurement {one.measurement!r} states {one.statistic or 'no statistic'!r}, but the policy asks for "
                f"{measure.statistic!r}; record that one"
            )
        if one.unit not in _UNIT_SECONDS:
            raise Refused(f"measurement {one.measurement!r} has the unit {one.unit!r}; record it in seconds")
        if not surely:
            raise Refused(
                f"measurement {one.measurement!r} names no region or component; record where it was taken"
            )
        span = max(one.start, start), min(one.end, end)
        seconds = length(subtract([span], maybe)), length(subtract([span], sure))
        if seconds[1]:
            entries.update(one.entries)
            value = Fraction(one.value) * _UNIT_SECONDS[one.unit] / _UNIT_SECONDS[measure.unit]
            found.append((value, *seconds))
    if not found:
        raise Refused(
            f"no latency ({measure.statistic}) of {evidence.service} was measured in {evidence.region} in {evidence.period.label}, which "
            f"{policy.key} prices; record it with ledger incident record-measurement, or where facts are asked about state value or "
            "measurements"
        )
    if not any(least for _, least, _ in found):
        raise Refused(
            f"all latency ({measure.statistic}) of {evidence.service} in {evidence.region} in {evidence.period.label} was perhaps "
            "measured in excluded time alone, so that there may be none; say which customer is meant, or who is in the cohort"
        )
    if measure.combine == "maximum":
        low = max(value for value, least, _ in found if least)
        high = max(value for value, _, _ in found)
    else:
        low = _least_average(found)
        high = -_least_average([(-value, least, most) for value, least, most in found])
    return of_value(policy, commitment, evidence, low, high, entries)


def _least_average(parts: Sequence[_Weighed]) -> Fraction:
    """Return the least average of values, of which at least one surely weighs something.

    A value below the average weighs as much as it can, and any other as little as it must.
    """
    seconds = sum(least for _, least, _ in parts)
    summed = sum((value * least for value, least, _ in parts), NONE)
    for value, least, most in sorted(parts):
        if value * seconds >= summed:
            break
        seconds, summed = seconds + most - least, summed + value * (most - least)
    return summed / seconds


def of_days_measured(policy: Policy, commitment: Commitment, evidence: Evidence) -> Figure:
    """Return how many local days failed by total made bad, or the longest run of them, surely and at most."""
    entries: set[str] = set()
    read = [(one, surely, _counts(one)) for one, surely in measurements_of(commitment, evidence)]
    sure, maybe = excluded_time(policy, commitment, evidence)
    fails = commitment.counting.fails_at
    surely_bad: list[bool] = []
    perhaps_bad: list[bool] = []
    for day in days(evidence.period):
        counted, span = [0, 0, 0, 0], [(day.start, day.end)]
        for one, surely, (failed, total) in read:
            if one.start < day.end and one.end > day.start:
                if one.start < day.start or one.end > day.end:
                    raise Refused(
                        f"measurement {one.measurement!r} is over more than the day {day.label}, so whether that day was bad is "
                        "not known; record one for each day"
                    )
                entries.update(one.entries)
                at = 0 if surely else 2
                counted[at], counted[at + 1] = counted[at] + failed, counted[at + 1] + total
        least, most = _shares(*counted)
        surely_bad.append(counted[1] > 0 and fails(least) and bool(length(subtract(span, maybe))))
        perhaps_bad.append(fails(most) and bool(length(subtract(span, sure))))
    low, high = (bad_days(commitment, bad) for bad in (surely_bad, perhaps_bad))
    return of_value(policy, commitment, evidence, low, high, entries)


def _shares(failed: int, total: int, open_failed: int, open_total: int) -> tuple[Fraction, Fraction]:
    """Return the least and the most of what failed as a share of the whole, if any part of the open counts belongs to it."""
    most, least = total + open_failed, total + open_total - open_failed
    return (
        Fraction(failed, least) if least else Fraction(bool(open_failed)),
        Fraction(failed + open_failed, most) if most else NONE,
    )


def bad_days(commitment: Commitment, bad: Sequence[bool]) -> Fraction:
    """Return how many days were bad, or how many in a row, as the commitment asks. bad: of each day of the period."""
    if commitment.measure.of == "bad-days":
        return Fraction(sum(bad))
    longest = run = 0
    for one in bad:
        run = run + 1 if one else 0
        longest = max(longest, run)
    return Fraction(longest)


def _counts(one: Measurement) -> tuple[int, int]:
    if one.failed is None or one.total is None:
        raise Refused(
            f"measurement {one.measurement!r} of {one.of} states no failed of total, which the policy counts; record both"
        )
    return one.failed, one.total
