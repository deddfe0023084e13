"""The one figure of a commitment for a period: an availability or a value, as bounds where the facts are bounds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TypeAlias

import msgspec

from ledger.domain.ends import is_endless, whole_down, whole_up
from ledger.domain.interval import Span, intersect, length, subtract, union
from ledger.domain.measurement import Measurement
from ledger.domain.period import days
from ledger.domain.policy.model import Commitment, Policy
from ledger.domain.window import EVERY, place
from ledger.errors import Refused
from projections.evaluation.evidence import Evidence, Plain
from projections.evaluation.exclusions import excluded
from projections.evaluation.levels import NONE, WHOLE
from projections.evaluation.timeline import Timeline, removed_with, timeline

__all__ = ["Figure", "counts_over_the_period", "excluded_time", "figure", "measurements_of", "quotient_sum"]

_UNIT_SECONDS = {
    "us": Fraction(1, 10**6), "microseconds": Fraction(1, 10**6), "ms": Fraction(1, 1000), "milliseconds": Fraction(1, 1000),
    "s": WHOLE, "seconds": WHOLE, "second": WHOLE, "min": Fraction(60), "minutes": Fraction(60), "minute": Fraction(60),
}  # fmt: skip


class Figure(msgspec.Struct, frozen=True):
    """What a commitment comes to in a period.

    period_seconds: the denominator, without removed_seconds, which surely leave it; removed_most: those that do at most.
    eligible_least, eligible_most: seconds of eligible downtime; of a measure that has none, the seconds that its availability
    stands for; 0 for a value. low, high: bounds of the availability (a fraction of 1), or of the value. downtime, intervals: spans
    of the stated downtime, and of what counts of it; excluded: of excluded time; empty where it was stated as a plain number.
    """

    commitment: Commitment
    period_seconds: Fraction
    low: Fraction
    high: Fraction
    eligible_least: Fraction = NONE
    eligible_most: Fraction = NONE
    downtime_seconds: Fraction = NONE
    excluded_seconds: Fraction = NONE
    removed_seconds: Fraction = NONE
    removed_most: Fraction = NONE
    downtime: tuple[Span, ...] = ()
    intervals: tuple[Span, ...] = ()
    excluded: tuple[Span, ...] = ()
    provisional: bool = False
    approximate: bool = False
    entries: frozenset[str] = frozenset()

    @property
    def decided(self) -> bool:
        """Whether the facts leave one figure."""
        return self.low == self.high

    @property
    def best(self) -> Fraction:
        """The quantity its tiers are about where it is best: the most availability, the least downtime or value."""
        match self.commitment.tiers_of:
            case "availability":
                return self.high
            case "downtime":
                return self.eligible_least
            case "value":
                return self.low

    @property
    def worst(self) -> Fraction:
        """The same where it is worst."""
        match self.commitment.tiers_of:
            case "availability":
                return self.low
            case "downtime":
                return self.eligible_most
            case "value":
                return self.high


def figure(policy: Policy, commitment: Commitment, evidence: Evidence) -> Figure:
    """Return what a commitment comes to. Raises Refused where the facts do not fit what it measures."""
    if evidence.plain.given:
        if len(policy.commitments) > 1:
            plain = _its_own(policy, commitment, evidence.plain)
            evidence = msgspec.structs.replace(evidence, plain=plain)
        return _plain(policy, commitment, evidence)
    match commitment.measure.of:
        case "time" | "affected-share" | "user-minutes":
            return _from_timeline(policy, commitment, evidence, timeline(policy, commitment, evidence))
        case "error-rate":
            return _error_rate(policy, commitment, evidence)
        case "executions" | "messages":
            return _ratio(policy, commitment, evidence)
        case "latency":
            return _latency(policy, commitment, evidence)
        case "consecutive-days":
            return _consecutive_days(policy, commitment, evidence)
        case "events":
            return _events(policy, commitment, evidence)


def _denominator(policy: Policy, evidence: Evidence) -> Fraction:
    """Return the seconds of the period before anything leaves it."""
    rule = policy.period
    if rule.length_seconds is not None:
        return rule.length_seconds
    start, end = evidence.span
    return Fraction(max(end - start, 0) if rule.part == "lifetime" else evidence.period.seconds)


def _of_time(
    commitment: Commitment,
    whole: Fraction,
    eligible: tuple[Fraction, Fraction],
    removed: tuple[Fraction, Fraction],
    *,
    downtime: Fraction,
    outside: Fraction,
    at_once: bool = True,
) -> Figure:
    """Return the figure of eligible seconds. eligible, removed: what counts, and what leaves the denominator, at least and at most.

    at_once: the denominator is one of the two that this leaves, and nothing between.
    """
    least, most = eligible
    wide, narrow = whole - removed[0], whole - removed[1]
    high = 1 - min(least / wide, WHOLE) if wide > 0 else WHOLE
    low = 1 - min(most / narrow, WHOLE) if narrow > 0 else WHOLE
    if wide <= 0:
        # Nothing is left in which it could have been down.
        least, most = NONE, NONE
    elif narrow <= 0:
        # Perhaps nothing is left; or all of it, or however little.
        low = NONE if most and not at_once else 1 - min(most / wide, WHOLE)
        least, high = NONE, WHOLE
    return Figure(
        commitment=commitment, period_seconds=max(wide, NONE), low=min(low, high), high=high, eligible_least=least,
        eligible_most=most, downtime_seconds=downtime, excluded_seconds=outside, removed_seconds=removed[0], removed_most=removed[1],
    )  # fmt: skip


def _from_timeline(policy: Policy, commitment: Commitment, evidence: Evidence, found: Timeline) -> Figure:
    made = _of_time(
        commitment, _denominator(policy, evidence), (found.least, found.most),
        (Fraction(found.removed_least), Fraction(found.removed_most)), downtime=Fraction(found.downtime_seconds),
        outside=Fraction(found.excluded_seconds), at_once=found.at_once,
    )  # fmt: skip
    return msgspec.structs.replace(
        made, downtime=found.downtime, intervals=found.intervals, excluded=found.excluded, provisional=found.provisional,
        approximate=found.approximate, entries=found.entries,
    )  # fmt: skip


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


def _counts(one: Measurement) -> tuple[int, int]:
    if one.failed is None or one.total is None:
        raise Refused(
            f"measurement {one.measurement!r} of {one.of} states no failed of total, which the policy counts; record both"
        )
    return one.failed, one.total


def _error_rate(policy: Policy, commitment: Commitment, evidence: Evidence) -> Figure:
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
    made = _of_time(
        commitment, _denominator(policy, evidence), (low, high), (Fraction(removed[0]), Fraction(removed[1])), downtime=high,
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
            (a[0], a[1]) if b is None else (a[0] * b[1] + b[0] * a[1], a[1] * b[1]) if a[1] != b[1] else (a[0] + b[0], a[1])
            for a, b in zip(parts[::2], [*parts[1::2], None], strict=False)
        ]  # fmt: skip
    return Fraction(*parts[0])


def excluded_time(
    policy: Policy, commitment: Commitment, evidence: Evidence
) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Return the seconds that exclusions take out of measurements of the whole commitment, surely and at most."""
    component = commitment.scope.components[0] if len(commitment.scope.components) == 1 else EVERY
    return excluded(policy, commitment, evidence).beside(component, EVERY, None)


def _ratio(policy: Policy, commitment: Commitment, evidence: Evidence) -> Figure:
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
        _of_share(policy, commitment, evidence, low, high), entries=frozenset(entries)
    )


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


def _shares(failed: int, total: int, open_failed: int, open_total: int) -> tuple[Fraction, Fraction]:
    """Return the least and the most of what failed as a share of the whole, if any part of the open counts belongs to it."""
    most, least = total + open_failed, total + open_total - open_failed
    return (
        Fraction(failed, least) if least else Fraction(bool(open_failed)),
        Fraction(failed + open_failed, most) if most else NONE,
    )


def _of_share(
    policy: Policy, commitment: Commitment, evidence: Evidence, low: Fraction, high: Fraction
) -> Figure:
    """Return the figure of an availability that no seconds were counted for: they follow from it."""
    whole = _denominator(policy, evidence)
    least, most = (1 - high) * whole, (1 - low) * whole
    return Figure(
        commitment=commitment, period_seconds=whole, low=low, high=high, eligible_least=least, eligible_most=most,
        downtime_seconds=most,
    )  # fmt: skip


def _value(
    policy: Policy,
    commitment: Commitment,
    evidence: Evidence,
    low: Fraction,
    high: Fraction,
    entries: Iterable[str] = (),
) -> Figure:
    return Figure(
        commitment=commitment, period_seconds=_denominator(policy, evidence), low=low, high=high, entries=frozenset(entries)
    )  # fmt: skip


def _latency(policy: Policy, commitment: Commitment, evidence: Evidence) -> Figure:
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
            f"{policy.key} prices; record it with ledger incident record-measurement"
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
        low, high = _averages(found)
    return _value(policy, commitment, evidence, low, high, entries)


# A value with the least and the most seconds that it weighs.
_Weighed: TypeAlias = tuple[Fraction, int, int]


def _averages(parts: Sequence[_Weighed]) -> tuple[Fraction, Fraction]:
    """Return the least and the most average of values, of which at least one surely weighs something.

    A value weighs as much as it can where it lies on that side of the average, and as little as it must where it does not.
    """
    bounds = []
    for side in (1, -1):
        seconds = sum(least for _, least, _ in parts)
        summed = sum((value * least for value, least, _ in parts), NONE)
        for value, least, most in sorted(parts, key=lambda part: part[0], reverse=side < 0):
            if (value * seconds - summed) * side >= 0:
                break
            seconds, summed = seconds + most - least, summed + value * (most - least)
        bounds.append(summed / seconds)
    return bounds[0], bounds[1]


def _consecutive_days(policy: Policy, commitment: Commitment, evidence: Evidence) -> Figure:
    """Return the longest run of local days on which failed by total was above the share, surely and at most."""
    edge = commitment.counting.share_above or NONE
    entries: set[str] = set()
    read = [(one, surely, _counts(one)) for one, surely in measurements_of(commitment, evidence)]
    sure, maybe = excluded_time(policy, commitment, evidence)
    longest, runs = [0, 0], [0, 0]
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
        bad = (
            counted[1] > 0 and least > edge and bool(length(subtract(span, maybe))),
            most > edge and bool(length(subtract(span, sure))),
        )
        for at in (0, 1):
            runs[at] = runs[at] + 1 if bad[at] else 0
            longest[at] = max(longest[at], runs[at])
    return _value(policy, commitment, evidence, Fraction(longest[0]), Fraction(longest[1]), entries)


def _events(policy: Policy, commitment: Commitment, evidence: Evidence) -> Figure:
    """Return how many incidents, or outages, had seconds that count, or how much failed."""
    counts = commitment.measure.counts
    if counts == "failed":
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
        return _value(policy, commitment, evidence, Fraction(low), Fraction(high), entries)
    found = timeline(policy, commitment, evidence)
    if counts == "outages":
        low, high = found.outages
    else:
        low = high = 0
        for incident in dict.fromkeys(window.incident for window in evidence.windows):
            alone = tuple(window for window in evidence.windows if window.incident == incident)
            its = timeline(policy, commitment, msgspec.structs.replace(evidence, windows=alone))
            low, high = low + bool(its.least), high + bool(its.most)
    made = _value(policy, commitment, evidence, Fraction(low), Fraction(high), found.entries)
    return msgspec.structs.replace(
        made, downtime_seconds=Fraction(found.downtime_seconds), excluded_seconds=Fraction(found.excluded_seconds),
        eligible_least=found.least, eligible_most=found.most, downtime=found.downtime,
        intervals=found.intervals, excluded=found.excluded, provisional=found.provisional, approximate=found.approximate,
    )  # fmt: skip


def _its_own(policy: Policy, commitment: Commitment, plain: Plain) -> Plain:
    """Return of the figures stated for several commitments those of one. Raises Refused where they are none or anybody's."""
    of, kind = commitment.measure.of, "value"
    keep = msgspec.structs.replace
    if commitment.measure.makes == "value":
        others = [
            one.name for one in policy.commitments if one.measure.makes == "value" and one != commitment
        ]
        if others:
            raise Refused(
                f"value may be that of {commitment.name} or of {' or '.join(others)}; state measurements instead of plain figures"
            )
        found = Plain(value=plain.value)
    elif of in ("executions", "messages"):
        kind = "failed and total"
        found = keep(plain, value=None, downtime=None, outages=(), rates=())
        found = found if found.total is None else keep(found, availability=None)
    elif of == "error-rate":
        kind = "error_rates"
        found = keep(plain, value=None)
        if found.rates:
            found = keep(found, downtime=None, availability=None, outages=(), failed=None, total=None)
        elif found.total is not None:
            found = keep(found, downtime=None, availability=None, outages=())
    else:
        kind = "downtime"
        found = keep(plain, value=None, failed=None, total=None, rates=())
    if not found.given:
        raise Refused(
            f"the commitment {commitment.name} measures {of}, and the facts state nothing of it; add {kind}, 0 where nothing failed"
        )
    return found


def _plain(policy: Policy, commitment: Commitment, evidence: Evidence) -> Figure:
    """Return the figure of plain numbers. Raises Refused where they are not what the commitment measures."""
    plain, of = evidence.plain, commitment.measure.of
    if commitment.measure.makes == "value":
        if plain.value is None:
            raise Refused(f"the policy measures {of}, so it needs value; add it")
        return _value(policy, commitment, evidence, *plain.value)
    if plain.value is not None:
        raise Refused(
            f"value has no meaning under a policy that measures {of}; state downtime, uptime or counts instead"
        )
    if plain.availability is not None:
        return _of_share(policy, commitment, evidence, *plain.availability)
    if plain.total is not None and plain.failed is not None:
        if of not in ("executions", "messages", "error-rate"):
            raise Refused(
                f"failed and total have no meaning under a policy that measures {of}; state downtime, or measurements"
            )
        low, high = _of_counts(commitment, plain.failed, plain.total)
        return _of_share(policy, commitment, evidence, low, high)
    if of in ("executions", "messages"):
        raise Refused(f"the policy measures {of}, so it needs failed and total; add them")
    whole = _denominator(policy, evidence)
    plain, removed = _under_limits(policy, plain)
    unseen = plain.unobserved
    if unseen and commitment.measure.missing == "excluded":
        removed += unseen
    gross, least, most = _plain_downtime(commitment, msgspec.structs.replace(evidence, plain=plain))
    if unseen and commitment.measure.missing == "down":
        least, most = least + unseen, most + unseen
    return _of_time(
        commitment,
        whole,
        (least, most),
        (removed, removed),
        downtime=gross,
        outside=min(plain.excluded, gross),
    )


def _of_counts(
    commitment: Commitment, failed: tuple[Fraction, Fraction], total: tuple[Fraction, Fraction]
) -> tuple[Fraction, Fraction]:
    """Return the least and the most availability of so many failures of so many in all, which no failures are more than."""
    least, most = max(total[0], failed[0]), total[1]
    found = []
    if not least:
        # Perhaps there was nothing that could fail.
        found.append(NONE if commitment.measure.missing == "down" else WHOLE)
    if most:
        fewest, some = failed[0], min(failed[1], most)
        # Of countless failures of countless in all nothing follows.
        found.append(WHOLE if is_endless(fewest) else 1 - fewest / most)
        # The more failed of the fewer, the worse; where more may have failed than there surely were, all of them may have.
        found.append(NONE if some >= least else 1 - some / least)
    return min(found), max(found)


def _under_limits(policy: Policy, plain: Plain) -> tuple[Plain, Fraction]:
    """Return plain figures with as much excluded downtime as a limit leaves, and the seconds that leave the denominator.

    What is excluded in all is no less than what is of downtime. Of earlier time that uses up a limit per year nothing is stated.
    """
    limit = min((rule.most for rule in policy.exclusions if rule.most is not None), default=None)
    whole = plain.excluded if plain.removed is None else plain.removed
    left, part = (one if limit is None else min(one, limit) for one in (whole, plain.excluded))
    removed = left if any(rule.treated == "removed" for rule in policy.exclusions) else NONE
    return msgspec.structs.replace(plain, excluded=part), removed


def _plain_downtime(commitment: Commitment, evidence: Evidence) -> tuple[Fraction, Fraction, Fraction]:
    """Return gross, and least and most eligible seconds."""
    plain, counting, of = evidence.plain, commitment.counting, commitment.measure.of
    if plain.rates:
        width = commitment.measure.bucket_seconds
        if width is None:
            raise Refused(
                f"error_rates have no meaning under a policy that measures {of}; state downtime instead"
            )
        low = sum((least * count * width for least, _, count in plain.rates), NONE)
        high = sum((most * count * width for _, most, count in plain.rates), NONE)
        return high, low, high
    if plain.outages:
        gross = sum((seconds for seconds, _, _ in plain.outages), NONE)
        least, most = _of_outages(commitment, evidence, plain.outages)
    else:
        low, high = plain.downtime or (NONE, NONE)
        gross = high
        # Taken as one outage, of which a part was excluded.
        least, most = (
            _of_outages(commitment, evidence, [(max(one - plain.excluded, NONE), WHOLE, WHOLE)])[at]
            for at, one in enumerate((low, high))
        )
        if counting.quantise.startswith("slots"):
            raise Refused(
                f'quantise = "{counting.quantise}" needs to know when it was down; state windows instead of plain downtime'
            )
    least, most = (_whole_quanta(one, commitment, each=False) for one in (least, most))
    return gross, least, most


def _of_outages(
    commitment: Commitment, evidence: Evidence, outages: Iterable[tuple[Fraction, Fraction, Fraction]]
) -> tuple[Fraction, Fraction]:
    """Return the least and most eligible seconds of outages without times: of each its seconds, and its share as bounds."""
    minimum = commitment.counting.minimum
    least = most = NONE
    short: list[tuple[Fraction, Fraction, Fraction]] = []
    for seconds, *shares in outages:
        low, high = (_share_counted(commitment, share) for share in shares)
        if minimum is not None and seconds < minimum:
            short.append((seconds, low, high))
            continue
        lasted = _whole_quanta(seconds, commitment, each=True)
        least, most = least + lasted * low, most + lasted * high
    added = _of_short_outages(commitment, evidence, short) if short else (NONE, NONE)
    return least + added[0], most + added[1]


def _of_short_outages(
    commitment: Commitment, evidence: Evidence, outages: Sequence[tuple[Fraction, Fraction, Fraction]]
) -> tuple[Fraction, Fraction]:
    """Return what outages that are too short count by a day's total, at least and at most: on which days they were was not said.

    On one day all of them are most; on as many as there are, none of these may have more than the limit. An outage may be cut by
    a midnight.
    """
    limit, gathered = commitment.counting.unless_daily_total_above, evidence.plain.gathered
    if limit is None:
        return NONE, NONE
    excess = commitment.counting.daily_total_counts == "excess"
    n_days = 1 if gathered else min(len(days(evidence.period)), 2 * len(outages))
    bounds = []
    for at, other_days in ((1, n_days - 1), (2, 0)):
        down = [outage for outage in outages if outage[at]]
        total = sum((outage[0] for outage in down), NONE)
        if total <= limit * (other_days + 1):
            bounds.append(NONE)
        elif excess:
            bounds.append(total - limit * (other_days + 1))
        else:
            # Of a part of an outage less than a quantum may be left out; what other days have counts nothing.
            lost = (
                commitment.counting.quantum
                if other_days and commitment.counting.quantise == "each-down"
                else 0
            )
            counted = (
                (_whole_quanta(outage[0], commitment, each=True) - lost) * outage[at] for outage in down
            )
            bounds.append(max(sum(counted, NONE) - limit * other_days, NONE))
    least, most = bounds
    return (least, least) if gathered is False else (least, most)


def _share_counted(commitment: Commitment, share: Fraction) -> Fraction:
    counting = commitment.counting
    if counting.down == "above-share" and share <= (counting.share_above or NONE):
        return NONE
    if counting.down == "all" and share < 1:
        return NONE
    return (
        share
        if commitment.measure.of in ("affected-share", "user-minutes", "error-rate")
        else Fraction(share > 0)
    )


def _whole_quanta(seconds: Fraction, commitment: Commitment, *, each: bool) -> Fraction:
    counting = commitment.counting
    if counting.quantise not in (("each-up", "each-down") if each else ("total-up", "total-down")):
        return seconds
    whole = whole_up if counting.quantise.endswith("-up") else whole_down
    return whole(seconds / counting.quantum) * counting.quantum
