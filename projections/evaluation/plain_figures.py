"""What a commitment comes to by plain figures: seconds, shares or counts that were stated, without times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import msgspec

from ledger.domain.ends import is_endless, whole_down, whole_up
from ledger.domain.period import days
from ledger.domain.policy.model import Commitment, Policy
from ledger.errors import Refused
from projections.evaluation.evidence import Evidence, Plain
from projections.evaluation.figures import Figure, denominator, of_share, of_time, of_value
from projections.evaluation.levels import NONE, WHOLE, nearest
from projections.evaluation.recurring import removed_by_the_policy

__all__ = ["of_plain"]

# Which figures say what: of seconds, of what was counted, and whatever is measured.
_OF_TIME: tuple[str, ...] = ("downtime", "outages", "availability")
_OF_COUNTS = ("failed", "total")
_OF_ALL = ("excluded", "removed", "unobserved", "gathered")


def of_plain(policy: Policy, commitment: Commitment, evidence: Evidence) -> Figure:
    """Return the figure of plain numbers. Raises Refused where they are not what the commitment measures."""
    of = commitment.measure.of
    plain = evidence.plain if len(policy.commitments) == 1 else _its_own(policy, commitment, evidence.plain)
    if commitment.measure.makes == "value":
        if plain.value is None:
            raise Refused(f"the policy measures {of}, so it needs value; add it")
        return of_value(policy, commitment, evidence, *plain.value)
    if plain.value is not None:
        raise Refused(
            f"value has no meaning under a policy that measures {of}; state downtime, uptime or counts instead"
        )
    if plain.availability is not None:
        return of_share(policy, commitment, evidence, *plain.availability)
    if plain.total is not None and plain.failed is not None:
        if of not in ("executions", "messages", "error-rate"):
            raise Refused(
                f"failed and total have no meaning under a policy that measures {of}; state downtime, or measurements"
            )
        low, high = _of_counts(commitment, plain.failed, plain.total)
        share = of_share(policy, commitment, evidence, low, high)
        exact = plain.failed[0] == plain.failed[1] and plain.total[0] == plain.total[1]
        counts = (int(plain.failed[0]), int(plain.total[0]), 0, 0) if exact else ()
        return msgspec.structs.replace(share, counts=counts)
    if of in ("executions", "messages"):
        raise Refused(f"the policy measures {of}, so it needs failed and total; add them")
    whole = denominator(policy, evidence)
    plain, removed = _under_limits(policy, plain)
    if evidence.period.first != "1970-01-01":
        # A period without a place in the calendar is one of service hours alone.
        removed += removed_by_the_policy(policy, evidence)
    unseen = plain.unobserved
    if unseen and commitment.measure.missing == "excluded":
        removed += unseen
    gross, counted, least, most = _plain_downtime(commitment, msgspec.structs.replace(evidence, plain=plain))
    if unseen and commitment.measure.missing == "down":
        least, most = least + unseen, most + unseen
    return of_time(
        commitment,
        whole,
        (least, most),
        (removed, removed),
        downtime=gross,
        outside=plain.excluded if is_endless(gross) else gross - counted,
    )


def _its_own(policy: Policy, commitment: Commitment, plain: Plain) -> Plain:
    """Return of the figures stated for several commitments those of one. Raises Refused where they are none or anybody's."""
    of, kind, names = commitment.measure.of, "downtime", _OF_TIME
    if commitment.measure.makes == "value":
        others = [
            one.name for one in policy.commitments if one.measure.makes == "value" and one != commitment
        ]
        if others:
            raise Refused(
                f"value may be that of {commitment.name} or of {' or '.join(others)}; state measurements instead of plain figures"
            )
        kind, names = "value", ("value",)
    elif of in ("executions", "messages"):
        kind, names = "failed and total", ("availability",) if plain.total is None else _OF_COUNTS
    elif of == "error-rate":
        kind = "error_rates"
        if plain.rates:
            names = ("rates",)
        elif plain.total is not None:
            names = _OF_COUNTS
    found = Plain(**{name: getattr(plain, name) for name in (*_OF_ALL, *names)})
    if not found.given:
        raise Refused(
            f"the commitment {commitment.name} measures {of}, and the facts state nothing of it; add {kind}, 0 where nothing failed"
        )
    return found


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
        found.append(WHOLE if not some else NONE if some >= least else 1 - some / least)
    return min(found), max(found)


def _under_limits(policy: Policy, plain: Plain) -> tuple[Plain, Fraction]:
    """Return plain figures with as much excluded downtime as a limit leaves, and the seconds that leave the denominator.

    What is excluded in all is no less than what is of downtime. Of earlier time that uses up a limit per year nothing is stated.
    """
    limit = min((rule.most for rule in policy.exclusions if rule.most is not None), default=None)
    whole = plain.excluded if plain.removed is None else plain.removed
    left, part = (one if limit is None else min(one, limit) for one in (whole, plain.excluded))
    leaves = any(rule.treated == "removed" and not rule.is_recurring for rule in policy.exclusions)
    removed = left if leaves else NONE
    return msgspec.structs.replace(plain, excluded=part), removed


def _plain_downtime(
    commitment: Commitment, evidence: Evidence
) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    """Return gross seconds, those of them that count for anything, and least and most eligible seconds."""
    plain, counting, of = evidence.plain, commitment.counting, commitment.measure.of
    if plain.rates:
        width = commitment.measure.bucket_seconds
        if width is None:
            raise Refused(
                f"error_rates have no meaning under a policy that measures {of}; state downtime instead"
            )
        low = sum((least * count * width for least, _, count in plain.rates), NONE)
        high = sum((most * count * width for _, most, count in plain.rates), NONE)
        return high, high, low, high
    if plain.outages:
        gross = sum((seconds for seconds, _, _ in plain.outages), NONE)
        least, most = _of_outages(commitment, evidence, plain.outages)
        counted = _seconds_counted(commitment, evidence, plain.outages)
    else:
        low, high = plain.downtime or (NONE, NONE)
        gross = high
        counted = _seconds_counted(commitment, evidence, [(max(high - plain.excluded, NONE), WHOLE, WHOLE)])
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
    return gross, counted, least, most


def _seconds_counted(
    commitment: Commitment, evidence: Evidence, outages: Iterable[tuple[Fraction, Fraction, Fraction]]
) -> Fraction:
    """Return how many seconds of outages count for anything, whatever share of them and rounded to whatever."""
    exactly = msgspec.structs.replace(commitment.counting, quantise="exact")
    whole = [
        (seconds, WHOLE, WHOLE) if _share_counted(commitment, high) else (seconds, NONE, NONE)
        for seconds, _, high in outages
    ]
    return _of_outages(msgspec.structs.replace(commitment, counting=exactly), evidence, whole)[1]


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
    added = _of_short_outages(commitment, evidence, short)
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
    whole = whole_up if counting.quantise.endswith("-up") else whole_down
    return whole(seconds / counting.quantum) * counting.quantum
