"""The answer to a question: what a policy makes of the facts, which rule decided, and why, for people and programs."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import msgspec

from ledger.domain.ends import is_endless, is_open
from ledger.domain.instants import from_seconds
from ledger.domain.interval import Span, intersect, length
from ledger.domain.money import allocate, format_money
from ledger.domain.period import Period
from ledger.domain.policy.deadline import Deadline, claim_deadline
from ledger.domain.policy.model import Policy
from ledger.errors import Refused
from projections.availability import (
    exact_text,
    rule_words,
    seconds_value,
)
from projections.deadlines import first_deadline
from projections.evaluation.amounts import base_factor
from projections.evaluation.deciding import Vague, vague_times, what_decides
from projections.evaluation.evidence import Evidence, Plain
from projections.evaluation.figures import Figure
from projections.evaluation.forms import scaled
from projections.evaluation.measures import figure
from projections.evaluation.misfits import taken_as
from projections.evaluation.outcome import Outcome, Result, outcome, right_to_terminate
from projections.evaluation.requests import OF_THE_CLAIM, Question, question
from projections.evaluation.spelling import edges_of, money_text, speller
from projections.evaluation.why import why

__all__ = ["answer"]

_NOTHING = (
    "nothing is stated of what happened; state windows ([] where nothing was down), measurements, or plain figures such as "
    "downtime_minutes"
)


def answer(policy: Policy, facts: dict[str, Any], now: int, version: int | None = None) -> dict[str, Any]:
    """Return the answer to facts under a policy, as docs/json.md describes it.

    now: UTC seconds, for open windows where the facts state no as_of. version: of a published policy. Raises Refused with
    every problem of the facts at once.
    """
    asked = question(policy, facts, now)
    if not asked.stated and not any(name in asked.times for name in OF_THE_CLAIM):
        raise Refused(_NOTHING)
    made = outcome(policy, asked.evidence)
    period = asked.evidence.period
    rates = made.rates(asked.currency, asked.credited_before, asked.chosen)
    found: dict[str, Any] = {
        "policy": policy.key, "policy_version": version, "policy_sha256": policy.sha256, "service": asked.evidence.service,
        "region": asked.evidence.region, "period": period.label, "zone": period.zone,
        "period_start": None if period.first == "1970-01-01" else from_seconds(period.start),
        "period_end": None if period.first == "1970-01-01" else from_seconds(period.end),
        **_of_period(made, period), **_money(asked, made, rates), **_days(asked, made),
        "termination": _termination(policy, asked, made),
        "claim": _claim(policy, asked), "rule": rule_words(made, version),
        "provisional": any(one.figure.provisional for one in made.results),
        "approximate": any(one.figure.approximate for one in made.results),
    }  # fmt: skip
    if opened := [
        *found.get("open_bounds", ()),
        *_open([] if rates is None else [("credit_percent", *rates)]),
    ]:
        found["open_bounds"] = opened
    if len(made.results) > 1:
        found["commitments"] = [
            {
                "commitment": one.figure.commitment.name,
                **_figure(one, period),
                **(_UNDECIDED if made.one_by_one else {}),
            }
            for one in made.results
        ]
    if made.one_by_one:
        found["incidents"] = [_incident(asked, made, name, results) for name, results in made.incidents]

    def decided(other: Outcome) -> bool:
        return _decided(asked, other)

    found["approximately_within_seconds"] = asked.approximately_within
    vague = vague_times(asked.evidence, made, decided)
    found |= _vague(vague)
    found["decides"] = what_decides(policy, asked.evidence, made, decided, asked.chosen, vague)
    found["why"] = list(why(policy, asked, made, found))
    warnings = list(asked.warnings)
    if not asked.stated:
        taken = taken_as(policy.commitments)
        warnings.append(f"nothing is stated of what happened, so the period is taken as {taken}")
    if warnings:
        found["warnings"] = warnings
    return found


def _vague(found: Vague | None) -> dict[str, Any]:
    return {
        "approximate_holds_within_seconds": None if found is None else found.together,
        "approximate_windows": [
            {"incident": window.incident, "window": window.window, "holds_within_seconds": within}
            for window, within in ([] if found is None else found.alone)
        ],
    }  # fmt: skip


# What the figures of a period lead to where each incident pays by itself: nothing.
_UNDECIDED: dict[str, Any] = {
    "tiers": [],
    "seconds_to_next_tier": None,
    "seconds_past_tier_edge": None,
    "edges": [],
}


def _of_period(made: Outcome, period: Period) -> dict[str, Any]:
    """Return the figures of the first commitment; where each incident pays by itself, they lead to no tier."""
    found = _figure(made.results[0], period)
    if not made.one_by_one:
        return found
    met = {_met(results[0]) for _, results in made.incidents}
    return {**found, **_UNDECIDED, "met": False if False in met else None if None in met else True}


def _incident(asked: Question, made: Outcome, name: str, results: tuple[Result, ...]) -> dict[str, Any]:
    """Return the figures of one incident alone, and what it would pay, before limits."""
    period = asked.evidence.period
    found: dict[str, Any] = {"incident": name, **_figure(results[0], period)}
    try:
        forms = made.of_commitments(results, asked.currency or "", asked.chosen)
    except Refused:
        forms = None  # It takes a currency that was not said.
    for at, bound in enumerate(("at_least", "at_most")):
        form = None if forms is None else forms[at]
        part = None if form is None or form.rate is None else exact_text(form.rate * 100)
        found |= {f"pays_percent_{bound}": part, f"pays_{bound}": None}
        if form is not None and asked.base is not None and asked.currency is not None:
            found[f"pays_{bound}"] = money_text(
                scaled(form, base_factor(made.policy)).value(asked.base), asked.currency
            )
    if len(results) > 1:
        found["commitments"] = [
            {"commitment": one.figure.commitment.name, **_figure(one, period)} for one in results
        ]
    return found


def _figure(result: Result, period: Period) -> dict[str, Any]:
    one = result.figure
    counts_time = one.commitment.measure.makes == "availability"
    decided, tiers = one.decided, [choice.tier for choice in result.choices]
    edges = decided and len(tiers) == 1 and tiers[0].of != "value"
    of, bounds = one.commitment.tiers_of, edges_of(one)
    found: dict[str, Any] = {
        "measure": one.commitment.measure.of, "period_seconds": seconds_value(one.period_seconds),
        "downtime_seconds": seconds_value(one.downtime_seconds), "excluded_seconds": seconds_value(one.excluded_seconds),
        "removed_seconds": seconds_value(one.removed_seconds), "removed_seconds_at_most": seconds_value(one.removed_most),
        **_bounded(
            "eligible_downtime_seconds", one.eligible_least, one.eligible_most,
            lambda end: seconds_value(end, bounds if of == "downtime" else ()),
        ),
        **_bounded("availability", one.low, one.high, speller(one), there=counts_time),
        **_bounded("value", one.low, one.high, speller(one), there=not counts_time),
        "tiers": [tier.words for tier in tiers],
        "met": _met(result),
        "seconds_to_next_tier": tiers[0].seconds_to_worse(one.eligible_least, one.period_seconds) if edges else None,
        "seconds_past_tier_edge": tiers[0].seconds_past_better(one.eligible_least, one.period_seconds) if edges else None,
        "edges": _edges(one),
        "downtime_intervals": _intervals(one.downtime), "eligible_intervals": _intervals(one.intervals),
    }  # fmt: skip
    ends = [(("availability" if counts_time else "value"), one.low, one.high)]
    if opened := _open([("eligible_downtime_seconds", one.eligible_least, one.eligible_most), *ends]):
        found["open_bounds"] = opened
    if one.downtime or one.excluded:
        found["parts"] = _parts(one, period)
    return found


def _met(result: Result) -> bool | None:
    """Tell whether the commitment was kept: no tier that pays is reached; None where it is not decided."""
    pays = {choice.tier.remedy.pays for choice in result.choices}
    return not pays.pop() if len(pays) == 1 else None


def _bounded(name: str, low: Fraction, high: Fraction, spell: Any, *, there: bool = True) -> dict[str, Any]:
    if not there:
        return {name: None, f"{name}_at_least": None, f"{name}_at_most": None}
    return {
        name: spell(low) if low == high else None,
        f"{name}_at_least": spell(low),
        f"{name}_at_most": None if is_endless(high) else spell(high),
    }


def _open(ends: Iterable[tuple[str, Fraction, Fraction]]) -> list[str]:
    """Return which of some bounds, each with its ends, are not reached."""
    return [
        f"{name}{bound}"
        for name, *both in ends
        for bound, end in zip(("_at_least", "_at_most"), both, strict=True)
        if is_open(end)
    ]


def _edges(one: Figure) -> list[dict[str, Any]]:
    """Return each bound of a tier as seconds of eligible downtime, and how many of them are left."""
    of = one.commitment.tiers_of
    if of == "value":
        return []
    bounds = edges_of(one)
    found = []
    for bound in bounds:
        down = (1 - bound) * one.period_seconds if of == "availability" else bound
        if not down:
            continue
        found.append(
            {
                "availability": exact_text(bound * 100) if of == "availability" else None,
                "downtime_seconds": seconds_value(down),
                "remaining_seconds_at_least": _signed(down - one.eligible_most),
                "remaining_seconds_at_most": _signed(down - one.eligible_least),
            }
        )
    return found


def _signed(seconds: Fraction) -> int | str:
    if seconds >= 0:
        return seconds_value(seconds)
    shown = seconds_value(-seconds)
    return -shown if isinstance(shown, int) else f"-{shown}"


def _intervals(spans: Iterable[Span]) -> list[list[str]]:
    return [[from_seconds(start), from_seconds(end)] for start, end in spans]


def _parts(one: Figure, period: Period) -> dict[str, int]:
    """Return the seconds of the period as four parts that add up to it: down or up, inside or outside excluded time.

    They are those of the clock, whatever the policy divides by: a length of its own, or what is left without excluded time.
    """
    inside = length(intersect(one.downtime, one.excluded))
    down, out = length(one.downtime), length(one.excluded)
    return {
        "up": period.seconds - down - out + inside, "up_excluded": out - inside, "down": down - inside, "down_excluded": inside,
    }  # fmt: skip


def _decided(asked: Question, made: Outcome) -> bool:
    """Tell whether an outcome leaves one answer to what was asked: an amount, or without money a form of it."""
    days = made.days(asked.chosen)
    if days is not None and days[0] != days[1]:
        return False
    if asked.currency is not None and asked.base is not None:
        low, high = made.prices(asked.currency, asked.credited_before, asked.chosen)
        return low.amount(asked.base) == high.amount(asked.base)
    try:
        low_form, high_form = made.forms(asked.currency or "", asked.chosen)
    except Refused:
        # What is paid is a sum of a currency that was not said.
        return made.decided
    return low_form == high_form


def _amounts(asked: Question, made: Outcome) -> tuple[int, int | None] | None:
    """Return what is paid in minor units, at least and at most, None where that has no end.

    None where no currency was said, or no fee that it depends on.
    """
    if asked.currency is None:
        return None
    low, high = made.prices(asked.currency, asked.credited_before, asked.chosen)
    if asked.base is None and (low.needs_base or high.needs_base):
        return None
    base = asked.base or Fraction(0)
    return low.amount(base), None if is_endless(high.form.value(base)) else high.amount(base)


def _money(asked: Question, made: Outcome, rates: tuple[Fraction, Fraction] | None) -> dict[str, Any]:
    """Return what is paid. rates: the parts of the base, as `Outcome.rates` has them."""
    policy, currency, base = made.policy, asked.currency, asked.base
    found: dict[str, Any] = {"currency": currency, "base": None, "factor": None, "credit_percent": None}
    if rates is not None:
        # Which percentage it is needs one tier to say so, even where several pay the same.
        one_tier = all(len(result.choices) == 1 for result in made.results)
        one = rates[0] if one_tier and rates[0] == rates[1] else None
        found |= {
            "factor": None if one is None else exact_text(one),
            "credit_percent": None if one is None else exact_text(one * 100),
            "credit_percent_at_least": exact_text(rates[0] * 100),
            "credit_percent_at_most": None if is_endless(rates[1]) else exact_text(rates[1] * 100),
        }  # fmt: skip
    else:
        found |= {"credit_percent_at_least": None, "credit_percent_at_most": None}
    found |= {"credit": None, "credit_at_least": None, "credit_at_most": None}
    amounts = _amounts(asked, made)
    if currency is None or amounts is None:
        return found
    low, high = amounts
    if base is not None:
        found["base"] = money_text(base * base_factor(policy), currency)
    found |= {
        "credit": format_money(low, currency) if low == high else None,
        "credit_at_least": format_money(low, currency),
        "credit_at_most": None if high is None else format_money(high, currency),
    }  # fmt: skip
    if asked.issued is not None:
        found["issued"] = format_money(asked.issued, currency)
        # What is paid now, as rounded, less what was: so the running total equals the fresh figure.
        deltas = low - asked.issued, None if high is None else high - asked.issued
        found |= {
            "delta": format_money(deltas[0], currency) if low == high else None,
            "delta_at_least": format_money(deltas[0], currency),
            "delta_at_most": None if deltas[1] is None else format_money(deltas[1], currency),
        }  # fmt: skip
    if asked.allocate_to:
        if low != high:
            raise Refused(
                "allocate_to splits one amount, but the facts leave an interval; state them exactly"
            )
        order: Any = asked.allocate_order
        found["parts_of_credit"] = [
            format_money(part, currency) for part in allocate(low, asked.allocate_to, order)
        ]
    return found


def _days(asked: Question, made: Outcome) -> dict[str, Any]:
    found = made.days(asked.chosen)
    if found is None:
        return {"service_days": None, "service_days_at_least": None, "service_days_at_most": None}
    return _bounded("service_days", *found, exact_text)


def _termination(policy: Policy, asked: Question, made: Outcome) -> bool | None:
    if not policy.termination:
        return None
    rows = [
        [
            figure(policy, commitment, _earlier(asked.evidence, period, plain))
            for commitment in policy.commitments
        ]
        for period, plain in asked.earlier
    ]
    return right_to_terminate(policy, [*rows, [one.figure for one in made.results]])


def _earlier(evidence: Evidence, period: Period, plain: Plain) -> Evidence:
    return msgspec.structs.replace(
        evidence, period=period, plain=plain, windows=(), measurements=(), exclusions=(), observed=None
    )


def _deadline(policy: Policy, asked: Question) -> Deadline | None:
    """Return until when to claim: from the times that are stated, or else of the incidents that count.

    Raises Refused where what it is counted from is not known.
    """
    times, evidence, anchor = asked.times, asked.evidence, policy.claim.anchor
    period = None if evidence.period.first == "1970-01-01" else evidence.period
    start, end, eligible = (times.get(name) for name in ("incident_start", "incident_end", "eligible_at"))
    stated = {"incident-end": end, "eligibility": eligible}.get(anchor or "", start)
    spans = [window for window in evidence.windows if not window.withdrawn]
    if stated is not None or not spans:
        return claim_deadline(
            policy, incident_start=start, incident_end=end, period=period, eligible_at=eligible
        )
    try:
        deadline = first_deadline(policy, evidence, period)
    except Refused as refused:
        # What is missing is the incident itself.
        if anchor in ("incident-start", "incident-end") and "is missing" in str(refused):
            raise Refused(
                f"it is counted from the {anchor.replace('-', ' ')}, and no incident counts"
            ) from None
        raise
    if deadline is None or anchor != "incident-end":
        return deadline
    # Of an open incident the end is yet to come, and so is the day.
    ended = msgspec.structs.replace(
        evidence, windows=tuple(window for window in evidence.windows if window.end is not None)
    )
    if len(ended.windows) < len(evidence.windows):
        try:
            closed = first_deadline(policy, ended, period)
        except Refused:
            closed = None
        if closed != deadline:
            # Refused, as that end is missing.
            return claim_deadline(policy)
    return deadline


def _claim(policy: Policy, asked: Question) -> dict[str, Any] | None:
    """Return until when a credit has to be claimed, and whether it was; None where it comes by itself."""
    found: dict[str, Any] = {"evidence": policy.claim.evidence, "last_day": None, "until": None}
    try:
        deadline = _deadline(policy, asked)
    except Refused as refused:
        return {**found, "words": str(refused), "in_time": None, "revised_after": None}
    if deadline is None:
        return None
    claimed, revised = asked.times.get("claimed_at"), asked.times.get("revised_at")
    return {
        **found, "last_day": deadline.last_day, "until": from_seconds(deadline.ends), "words": deadline.words,
        "in_time": None if claimed is None else claimed < deadline.ends,
        "revised_after": None if revised is None else revised >= deadline.ends,
    }  # fmt: skip
