"""Whether facts fit the policy they are asked of and the period: sentences for what no commitment reads, or nothing can be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from ledger.domain.interval import Span
from ledger.domain.measurement import Measurement
from ledger.domain.period import Period, days
from ledger.domain.policy.model import Commitment, Policy
from ledger.domain.window import Window
from projections.availability import exact_text
from projections.evaluation.evidence import Evidence, Plain

__all__ = ["idle", "impossible", "reads_windows", "taken_as", "unasked", "unread", "unsaid"]

_BY_DAY = ("bad-days", "consecutive-days")
_BY_TIME = ("time", "affected-share", "user-minutes")


def reads_windows(commitment: Commitment) -> bool:
    """Tell whether a commitment is measured by windows that have an effect which counts, perhaps beside measurements."""
    return commitment.measure.reads_windows and bool(commitment.counting.effects)


def taken_as(commitments: Iterable[Commitment]) -> str:
    """Return what a period is taken as of which nothing is stated: measures of counts have no data then, which may be down."""
    down = any(one.measure.missing == "down" and not one.measure.reads_windows for one in commitments)
    return "without data, which counts as down" if down else "without fault"


def unread(
    policy: Policy,
    windows: Iterable[Window],
    measurements: Iterable[Measurement],
    observed: tuple[Span, ...] | None,
) -> Iterator[str]:
    """Yield a sentence for each kind of fact that says when it was and that no commitment of a policy reads."""
    commitments = policy.commitments
    measures = _and(dict.fromkeys(one.measure.of for one in commitments))
    reads = sorted({kind for one in commitments for kind in one.measure.reads})
    instead = f"measurements of {_and(reads)}" if reads else "windows"
    if any(True for _ in windows) and not any(reads_windows(one) for one in commitments):
        yield f"windows are read by no commitment of a policy of {measures}; state {instead}, or plain figures, instead"
    for one in measurements:
        if one.of not in reads:
            yield (
                f"measurement {one.measurement!r} is of {one.of}, which no commitment of the policy reads; leave it out, or state "
                f"{instead}"
            )
        elif one.failed is None and "latency" not in reads:
            yield (
                f"measurement {one.measurement!r} of {one.of} states no failed of total, which the policy counts; state both"
            )
    by_data = {*_BY_TIME, "error-rate"}
    if observed is not None and not any(one.measure.of in by_data for one in commitments):
        yield f"observed has no meaning under a policy of {measures}, which asks nothing of time without data; leave it out"


def unasked(policy: Policy, plain: Plain) -> Iterator[str]:
    """Yield which figures were stated that none of several commitments measures."""
    measures = {one.measure.of for one in policy.commitments}
    shares = {"executions", "messages", "error-rate"}
    for name, given, of in (
        ("value", plain.value is not None, {"latency", "consecutive-days", "bad-days", "events"}),
        ("failed and total", plain.total is not None, shares), ("error_rates", bool(plain.rates), {"error-rate"}),
    ):  # fmt: skip
        if given and not measures & of:
            yield f"{name}: nothing of the kind is measured by a policy of {' and '.join(sorted(measures))}; leave it out"


def unsaid(policy: Policy, evidence: Evidence, period: Period) -> Iterator[str]:
    """Yield a warning where what is said leaves a commitment, or the whole period, as if nothing had happened.

    It may be so; it may be a slip, which pays nothing.
    """
    windows, measurements = evidence.windows, evidence.measurements
    if evidence.exclusions and all(rule.own_plan_only or rule.is_recurring for rule in policy.exclusions):
        yield "the policy has no rule for exclusions, so that nothing is excluded by those which are stated"
    said: tuple[Any, ...] = (*windows, *measurements)
    named = " and ".join(name for name, some in (("window", windows), ("measurement", measurements)) if some)
    if said and not any(
        one.start < period.end and (one.end is None or one.end > period.start) for one in said
    ):
        yield f"no {named.replace(' and ', ' and no ')} lies in the period {period.label}, so that nothing of them counts"
    elif said:
        for one in policy.commitments:
            by_windows = reads_windows(one) and windows
            if not by_windows and not any(other.of in one.measure.reads for other in measurements):
                yield (
                    f"nothing is stated of what the commitment {one.name} measures ({one.measure.of}), so it is taken as "
                    f"{taken_as([one])}"
                )


def idle(policy: Policy, facts: Mapping[str, Any], period: Period) -> Iterator[str]:
    """Yield a warning for each fact beside what happened that decides nothing under a policy, and where that was not yet in force."""
    named = {name for name, value in facts.items() if value is not None}
    if "credited_before" in named and policy.limits.rolling_percent is None:
        yield "the policy limits no months together (limits.rolling_percent), so that credited_before takes nothing away"
    of_claims = [
        name for name in ("incident_end", "eligible_at", "claimed_at", "revised_at") if name in named
    ]
    if of_claims and policy.claim.how == "automatic":
        yield f"the policy pays without a claim, so that {_and(of_claims)} set{'s' if len(of_claims) == 1 else ''} no deadline"
    # Terms that hold for a term may be those of a term that began within the period.
    begun = facts.get("term_start") if policy.version.rule != "in-force" else None
    if period.first != "1970-01-01" and max(period.first_day, begun or "") < policy.in_force_from:
        yield (
            f"the policy is in force from {policy.in_force_from}, and {period.label} begins before; a run of credits takes the terms "
            "in force on the first day of a period"
        )


def impossible(policy: Policy, plain: Plain, period: Period) -> Iterator[str]:
    """Yield a sentence where something lasted for longer than it can have, in the period or of something else."""
    lasted = [] if plain.downtime is None else [("downtime", plain.downtime[0])]
    lasted += [(f"outage {number}", seconds) for number, (seconds, _, _) in enumerate(plain.outages, 1)]
    lasted += [("excluded", plain.removed or Fraction(0)), ("unobserved", plain.unobserved)]
    buckets = sum(number for _, _, number in plain.rates)
    # The last bucket may be a part of one.
    lasted += [
        ("error_rates", Fraction(buckets * width))
        for width in sorted({one.measure.bucket_seconds for one in policy.commitments if one.measure.bucket_seconds})
        if buckets and (buckets - 1) * width >= period.seconds
    ]  # fmt: skip
    if not any(seconds > period.seconds for _, seconds in lasted):
        # One after the other, or, where parts of the users count, at the same time for different ones.
        at_once = all(one.measure.of in ("affected-share", "user-minutes") for one in policy.commitments)
        lasted.append(
            (
                "outages together",
                sum((seconds * (low if at_once else 1) for seconds, low, _ in plain.outages), Fraction(0)),
            )
        )
        if plain.downtime is not None:
            lasted.append(("downtime and unobserved together", plain.downtime[0] + plain.unobserved))
    for name, seconds in lasted:
        if seconds > period.seconds:
            yield (
                f"{name} of {_seconds(seconds)} is longer than the period {period.label}, which has {_seconds(Fraction(period.seconds))}; "
                "correct it, or state a longer period"
            )
    yield from _too_many_days(policy, plain, period)
    yield from _excluded(policy, plain)


def _too_many_days(policy: Policy, plain: Plain, period: Period) -> Iterator[str]:
    """Yield a sentence where more days were bad than there are in the period."""
    by_day = {one.measure.of in _BY_DAY for one in policy.commitments if one.measure.makes == "value"}
    if plain.value is None or by_day != {True}:
        return
    least, there = plain.value[0], len(days(period))
    if least > there:
        yield (
            f"value {exact_text(least)} is more days than the {there} of the period {period.label}; correct it, or state a longer period"
        )


def _excluded(policy: Policy, plain: Plain) -> Iterator[str]:
    """Yield a sentence where it cannot be told what a policy makes of plain excluded time."""
    whole = max(plain.excluded, plain.removed or Fraction(0))
    if not whole:
        return
    name = "excluded_downtime" if plain.excluded else "excluded"
    rules = [rule for rule in policy.exclusions if not rule.is_recurring]
    if plain.excluded and (plain.outages or plain.rates):
        one, several = ("outage", "outages") if plain.outages else ("rate", "error_rates")
        yield (
            f"excluded_downtime of {_seconds(plain.excluded)} stands beside {several}, and of which of them it is a part "
            f"is not known; state each {one} without what was excluded of it"
        )
    elif not rules:
        yield f"{name} has no meaning: the policy excludes nothing (exclusions); leave it out"
    elif plain.downtime is not None and plain.excluded > plain.downtime[1]:
        yield (
            f"excluded_downtime of {_seconds(plain.excluded)} is more than the downtime of {_seconds(plain.downtime[1])} "
            "that it is a part of; correct one of them"
        )
    elif plain.removed is not None and plain.removed < plain.excluded:
        yield (
            f"excluded of {_seconds(plain.removed)} is all excluded time, and excluded_downtime of {_seconds(plain.excluded)} a part "
            "of it; correct one of them"
        )
    else:
        limits = [rule.most for rule in rules if rule.most is not None and rule.most < whole]
        unlike = len(rules) > 1 and (bool(limits) or len({rule.treated for rule in rules}) > 1)
        # Of more than the limit, some of it outside of downtime, which part the limit leaves is not known.
        some_outside = bool(limits) and 0 < plain.excluded < whole
        if unlike or some_outside:
            why = "under which rule it falls" if unlike else "what of it the limit of the rule leaves"
            yield f"{name} of {_seconds(plain.excluded or whole)} does not say {why}; state windows and exclusions with their times instead"


def _seconds(value: Fraction) -> str:
    return f"{exact_text(value)} second{'' if value == 1 else 's'}"


def _and(names: Iterable[str]) -> str:
    return " and ".join(names)
