"""The one figure of a commitment for a period: an availability or a value, as bounds where the facts are bounds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import msgspec

from ledger.domain.interval import Span, intersect, length, subtract, union
from ledger.domain.measurement import Measurement
from ledger.domain.period import days
from ledger.domain.policy.model import Commitment, Policy
from ledger.domain.window import EVERY, place
from ledger.errors import Refused
from projections.evaluation.evidence import Evidence, Plain
from projections.evaluation.exclusions import excluded
from projections.evaluation.levels import NONE, WHOLE, nearest
from projections.evaluation.recurring import removed_by_the_policy, with_recurring
from projections.evaluation.timeline import Timeline, timeline

__all__ = ["Figure", "figure", "quotient_sum"]

_UNIT_SECONDS = {
    "us": Fraction(1, 10**6), "microseconds": Fraction(1, 10**6), "ms": Fraction(1, 1000), "milliseconds": Fraction(1, 1000),
    "s": WHOLE, "seconds": WHOLE, "second": WHOLE, "min": Fraction(60), "minutes": Fraction(60), "minute": Fraction(60),
}  # fmt: skip


class Figure(msgspec.Struct, frozen=True):
    """What a commitment comes to in a period.

    period_seconds: the denominator. eligible_least, eligible_most: seconds of eligible downtime; of a measure that has none,
    the seconds that its availability stands for; 0 for a value. eligible_stated: with stated times taken as exact. low,
    high: bounds of the availability (a fraction of 1), or of the value. downtime, intervals: spans of the stated
    downtime, and of what counts of it; excluded: of excluded time; empty where it was stated as a plain number.
    """

    commitment: Commitment
    period_seconds: Fraction
    downtime_seconds: Fraction
    excluded_seconds: Fraction
    removed_seconds: Fraction
    eligible_least: Fraction
    eligible_stated: Fraction | None
    eligible_most: Fraction
    low: Fraction
    high: Fraction
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
    evidence = with_recurring(policy, evidence)
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
        case "consecutive-days" | "bad-days" if commitment.measure.reads_windows:
            return _days_down(policy, commitment, evidence)
        case "consecutive-days" | "bad-days":
            return _days_measured(policy, commitment, evidence)
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
    commitment: Commitment, whole: Fraction, least: Fraction, most: Fraction, removed: tuple[Fraction, Fraction],
    *, stated: Fraction | None, downtime: Fraction, outside: Fraction,
) -> Figure:  # fmt: skip
    """Return the figure of eligible seconds; removed: what leaves the denominator, at least and at most."""
    wide, narrow = whole - removed[0], whole - removed[1]
    if narrow <= 0:
        # Nothing is left in which it could have been down.
        least, most, narrow = NONE if wide <= 0 else least, NONE if wide <= 0 else most, wide
    high = 1 - min(least / wide, WHOLE) if wide > 0 else WHOLE
    low = 1 - min(most / narrow, WHOLE) if narrow > 0 else high
    return Figure(
        commitment, max(wide, NONE), downtime, outside, removed[0], least, stated, most, min(low, high), high
    )


def _from_timeline(policy: Policy, commitment: Commitment, evidence: Evidence, found: Timeline) -> Figure:
    whole = _denominator(policy, evidence)
    unseen = () if evidence.observed is None else subtract([evidence.span], evidence.observed)
    least, stated, most = found.least, found.stated, found.most
    removed = Fraction(found.removed_least), Fraction(found.removed_most)
    if commitment.measure.missing == "excluded":
        gone = Fraction(length(unseen))
        removed = removed[0] + gone, removed[1] + gone
    elif commitment.measure.missing == "down":
        # A second of which nothing is known is down, unless it is excluded or counts already.
        more = Fraction(length(subtract(unseen, found.intervals)))
        least, most = least + more, most + more
        stated = None if stated is None else stated + more
    made = _of_time(
        commitment, whole, least, most, removed, stated=stated, downtime=Fraction(found.downtime_seconds),
        outside=Fraction(found.excluded_seconds),
    )  # fmt: skip
    return msgspec.structs.replace(
        made, downtime=found.downtime, intervals=found.intervals, excluded=found.excluded, provisional=found.provisional,
        approximate=found.approximate, entries=found.entries,
    )  # fmt: skip


def _read(commitment: Commitment, evidence: Evidence) -> list[tuple[Measurement, bool]]:
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
    gone_sure, gone_maybe = _excluded_time(policy, commitment, evidence)
    sure: dict[int, list[int]] = {}
    maybe: dict[int, list[int]] = {}
    entries = set(beside.entries)
    for one, surely in _read(commitment, evidence):
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
    seen: list[Span] = []
    for bucket, (failed, total) in sorted(maybe.items()):
        span = max(begin + bucket * width, start), min(begin + (bucket + 1) * width, end)
        seen.append(span)
        if bucket not in sure or sure[bucket] != [failed, total]:
            # Whether all of it is about this region is not known: between none and all of it failed.
            most.append((length(subtract([span], gone_sure)), 1))
            continue
        if failed:
            least.append((failed * length(subtract([span], gone_maybe)), total))
            most.append((failed * length(subtract([span], gone_sure)), total))
    empty = subtract([(start, end)], [*seen, *gone_sure])
    removed = [Fraction(length(spans)) for spans in beside.removed]
    if commitment.measure.missing == "excluded":
        unseen = length(subtract(empty, beside.removed[0]))
        removed = [one + unseen for one in removed]
    elif commitment.measure.missing == "down":
        least.append((length(empty), 1))
        most.append((length(empty), 1))
    low, high = quotient_sum(least), quotient_sum(most)
    made = _of_time(
        commitment, _denominator(policy, evidence), low, high, (removed[0], removed[1]), stated=low if low == high else None,
        downtime=high, outside=NONE,
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


def _excluded_time(
    policy: Policy, commitment: Commitment, evidence: Evidence
) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Return the seconds that exclusions take out of measurements of the whole commitment, surely and at most."""
    component = commitment.scope.components[0] if len(commitment.scope.components) == 1 else EVERY
    return excluded(policy, commitment, evidence).beside(component, EVERY, None)


def _ratio(policy: Policy, commitment: Commitment, evidence: Evidence) -> Figure:
    """Return 1 minus failed by total over the period."""
    sure, maybe = _excluded_time(policy, commitment, evidence)
    start, end = evidence.span
    failed = total = open_failed = open_total = 0
    entries: set[str] = set()
    for one, surely in _read(commitment, evidence):
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
    if not total + open_total:
        none = NONE if commitment.measure.missing == "down" else WHOLE
        return none, none
    worst, best = failed + open_failed, failed
    low = 1 - Fraction(worst, total + open_failed) if total + open_failed else WHOLE
    passed = open_total - open_failed
    high = 1 - Fraction(best, total + passed) if total + passed else WHOLE
    return min(low, high), high


def _of_share(
    policy: Policy, commitment: Commitment, evidence: Evidence, low: Fraction, high: Fraction
) -> Figure:
    """Return the figure of an availability that no seconds were counted for: they follow from it."""
    whole = _denominator(policy, evidence)
    least, most = (1 - high) * whole, (1 - low) * whole
    return Figure(
        commitment, whole, most, NONE, NONE, least, least if least == most else None, most, low, high
    )


def _value(
    policy: Policy,
    commitment: Commitment,
    evidence: Evidence,
    low: Fraction,
    high: Fraction,
    entries: Iterable[str] = (),
) -> Figure:
    whole = _denominator(policy, evidence)
    return Figure(
        commitment, whole, NONE, NONE, NONE, NONE, NONE, NONE, low, high, entries=frozenset(entries)
    )


def _latency(policy: Policy, commitment: Commitment, evidence: Evidence) -> Figure:
    """Return the latency in the unit of the measure: the average of all measurements by time, or the highest."""
    measure, (start, end) = commitment.measure, evidence.span
    sure, _ = _excluded_time(policy, commitment, evidence)
    entries: set[str] = set()
    weights: list[tuple[int, Fraction]] = []
    for one, surely in _read(commitment, evidence):
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
        seconds = length(subtract([span], sure))
        if seconds:
            entries.update(one.entries)
            weights.append(
                (seconds, Fraction(one.value) * _UNIT_SECONDS[one.unit] / _UNIT_SECONDS[measure.unit])
            )
    if not weights:
        raise Refused(
            f"no latency ({measure.statistic}) of {evidence.service} was measured in {evidence.region} in {evidence.period.label}, which "
            f"{policy.key} prices; record it with ledger incident record-measurement"
        )
    if measure.combine == "maximum":
        value = max(value for _, value in weights)
    else:
        value = sum((seconds * one for seconds, one in weights), NONE) / sum(
            seconds for seconds, _ in weights
        )
    return _value(policy, commitment, evidence, value, value, entries)


def _days_measured(policy: Policy, commitment: Commitment, evidence: Evidence) -> Figure:
    """Return how many local days failed by total made bad, or the longest run of them."""
    entries: set[str] = set()
    read = [(one, _counts(one)) for one, surely in _read(commitment, evidence) if surely]
    sure, _ = _excluded_time(policy, commitment, evidence)
    found: list[bool] = []
    for day in days(evidence.period):
        failed = total = 0
        for one, (some, of_all) in read:
            if one.start < day.end and one.end > day.start:
                if one.start < day.start or one.end > day.end:
                    raise Refused(
                        f"measurement {one.measurement!r} is over more than the day {day.label}, so whether that day was bad is "
                        "not known; record one for each day"
                    )
                entries.update(one.entries)
                failed, total = failed + some, total + of_all
        bad = (
            total > 0
            and commitment.counting.fails_at(Fraction(failed, total))
            and bool(length(subtract([(day.start, day.end)], sure)))
        )
        found.append(bad)
    count = _count(commitment, found)
    return _value(policy, commitment, evidence, count, count, entries)


def _days_down(policy: Policy, commitment: Commitment, evidence: Evidence) -> Figure:
    """Return the same of local days on which more was down than a day may be."""
    found = timeline(policy, commitment, evidence)
    allowed = commitment.counting.day_above
    low, high = (
        _count(
            commitment,
            [length(intersect(spans, [(day.start, day.end)])) > allowed for day in days(evidence.period)],
        )
        for spans in found.counted
    )
    return _with_timeline(_value(policy, commitment, evidence, low, high, found.entries), found)


def _count(commitment: Commitment, bad: Sequence[bool]) -> Fraction:
    """Return how many days were bad, or how many in a row, as the commitment asks. bad: of each day of the period."""
    if commitment.measure.of == "bad-days":
        return Fraction(sum(bad))
    longest = run = 0
    for one in bad:
        run = run + 1 if one else 0
        longest = max(longest, run)
    return Fraction(longest)


def _events(policy: Policy, commitment: Commitment, evidence: Evidence) -> Figure:
    """Return how many incidents, or outages, had seconds that count, or how much failed."""
    counts = commitment.measure.counts
    if counts == "failed":
        read = [(one, surely, _counts(one)[0]) for one, surely in _read(commitment, evidence)]
        start, end = evidence.span
        sure, maybe = _excluded_time(policy, commitment, evidence)
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
        if found.least != found.most:
            # Outages may join, or be cut, within the bounds.
            low, high = min(low, 1), max(high, len(union((w.start, w.start + 1) for w in evidence.windows)))
    else:
        low = high = 0
        for incident in dict.fromkeys(window.incident for window in evidence.windows):
            alone = tuple(window for window in evidence.windows if window.incident == incident)
            its = timeline(policy, commitment, msgspec.structs.replace(evidence, windows=alone))
            low, high = low + bool(its.least), high + bool(its.most)
    return _with_timeline(
        _value(policy, commitment, evidence, Fraction(low), Fraction(high), found.entries), found
    )


def _with_timeline(made: Figure, found: Timeline) -> Figure:
    """Return a value with what was down."""
    return msgspec.structs.replace(
        made, downtime_seconds=Fraction(found.downtime_seconds), excluded_seconds=Fraction(found.excluded_seconds),
        eligible_least=found.least, eligible_stated=found.stated, eligible_most=found.most, downtime=found.downtime,
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
        low, high = _ratio_bounds(commitment, plain.failed, plain.total, 0, 0)
        return _of_share(policy, commitment, evidence, low, high)
    if of in ("executions", "messages"):
        raise Refused(f"the policy measures {of}, so it needs failed and total; add them")
    whole = _denominator(policy, evidence)
    leaves = any(rule.treated == "removed" and not rule.is_recurring for rule in policy.exclusions)
    removed = plain.removed if leaves else NONE
    if evidence.period.first != "1970-01-01":
        # A period without a place in the calendar is one of service hours alone.
        removed += removed_by_the_policy(policy, evidence)
    unseen = plain.unobserved
    if unseen and commitment.measure.missing == "excluded":
        removed += unseen
    gross, least, most = _plain_downtime(commitment, evidence)
    if unseen and commitment.measure.missing == "down":
        least, most = least + unseen, most + unseen
    return _of_time(
        commitment, whole, least, most, (removed, removed), stated=least if least == most else None, downtime=gross,
        outside=min(plain.excluded, gross),
    )  # fmt: skip


def _plain_downtime(commitment: Commitment, evidence: Evidence) -> tuple[Fraction, Fraction, Fraction]:
    """Return gross, and least and most eligible seconds."""
    plain, counting, of = evidence.plain, commitment.counting, commitment.measure.of
    if plain.rates:
        width = commitment.measure.bucket_seconds
        if width is None:
            raise Refused(
                f"error_rates have no meaning under a policy that measures {of}; state downtime instead"
            )
        total = sum((rate * count * width for rate, count in plain.rates), NONE)
        return total, total, total
    if plain.outages:
        least = most = gross = NONE
        for seconds, low, high in plain.outages:
            gross += seconds
            if counting.minimum is not None and seconds < counting.minimum:
                continue
            lasted = _whole_quanta(seconds, commitment, each=True)
            least += lasted * _share_counted(commitment, low)
            most += lasted * _share_counted(commitment, high)
    else:
        low, high = plain.downtime or (NONE, NONE)
        gross = high
        # Taken as one outage, of which a part was excluded.
        least, most = (
            NONE
            if counting.minimum is not None and one < counting.minimum
            else _whole_quanta(one, commitment, each=True)
            for one in (max(low - plain.excluded, NONE), max(high - plain.excluded, NONE))
        )
        if counting.quantise.startswith("slots"):
            raise Refused(
                f'quantise = "{counting.quantise}" needs to know when it was down; state windows instead of plain downtime'
            )
    least, most = (_whole_quanta(one, commitment, each=False) for one in (least, most))
    return gross, least, most


def _share_counted(commitment: Commitment, share: Fraction) -> Fraction:
    counting = commitment.counting
    if counting.down in ("above-share", "at-least-share") and not counting.fails_at(share):
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
    if not counting.quantise.startswith("each-" if each else "total-"):
        return seconds
    if counting.quantise.endswith("-nearest"):
        return Fraction(nearest(seconds, counting))
    quanta = seconds / counting.quantum
    whole = quanta.numerator // quanta.denominator
    up = counting.quantise.endswith("-up") and whole != quanta
    return Fraction((whole + up) * counting.quantum)
