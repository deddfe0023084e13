"""The answer to a question: what a policy makes of the facts, which rule decided, and why, for people and programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any

from ledger.domain.ends import is_endless, is_open
from ledger.domain.instants import from_seconds
from ledger.domain.interval import Span, intersect, length
from ledger.domain.money import allocate, format_money, minor_units
from ledger.domain.period import Period
from ledger.domain.policy.deadline import claim_deadline
from ledger.domain.policy.model import NO_LIMIT, Policy
from ledger.domain.policy.values import duration_text
from ledger.domain.policy.words import base_words, remedy_words
from ledger.errors import Refused
from projections.availability import (
    exact_text,
    percent_text,
    rule_words,
    seconds_value,
)
from projections.evaluation.amounts import base_factor
from projections.evaluation.deciding import Vague, vague_times, what_decides
from projections.evaluation.evidence import Evidence, Plain
from projections.evaluation.figures import Figure, figure
from projections.evaluation.outcome import Outcome, Result, outcome, right_to_terminate
from projections.evaluation.requests import OF_THE_CLAIM, Question, question

__all__ = ["answer"]

_NOTHING = (
    "nothing is stated of what happened; state windows ([] where nothing was down), measurements, or plain figures such as "
    "downtime_minutes"
)
_FAULTLESS = "nothing is stated of what happened, so the period is taken as without fault"


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
    found: dict[str, Any] = {
        "policy": policy.key, "policy_version": version, "policy_sha256": policy.sha256, "service": asked.evidence.service,
        "region": asked.evidence.region, "period": period.label, "zone": period.zone,
        "period_start": None if period.first == "1970-01-01" else from_seconds(period.start),
        "period_end": None if period.first == "1970-01-01" else from_seconds(period.end),
        **_figure(made.results[0], period), **_money(asked, made), **_days(asked, made),
        "termination": _termination(policy, asked, made),
        "claim": _claim(policy, asked), "rule": rule_words(made, version),
        "provisional": any(one.figure.provisional for one in made.results),
        "approximate": any(one.figure.approximate for one in made.results),
    }  # fmt: skip
    rates = made.rates(asked.currency, asked.credited_before, asked.chosen)
    if opened := [
        *found.get("open_bounds", ()),
        *_open([] if rates is None else [("credit_percent", *rates)]),
    ]:
        found["open_bounds"] = opened
    if len(made.results) > 1:
        found["commitments"] = [
            {"commitment": one.figure.commitment.name, **_figure(one, period)} for one in made.results
        ]

    def decided(other: Outcome) -> bool:
        return _decided(asked, other)

    found["approximately_within_seconds"] = asked.approximately_within
    vague = vague_times(asked.evidence, made, decided)
    found |= _vague(vague)
    found["decides"] = what_decides(policy, asked.evidence, made, decided, asked.chosen, vague)
    found["why"] = list(_why(policy, asked, made, found))
    warnings = [*asked.warnings, *([] if asked.stated else [_FAULTLESS])]
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


def _figure(result: Result, period: Period) -> dict[str, Any]:
    one = result.figure
    counts_time = one.commitment.measure.makes == "availability"
    decided, tiers = one.decided, [choice.tier for choice in result.choices]
    edges = decided and len(tiers) == 1 and tiers[0].of != "value"
    of, bounds = one.commitment.tiers_of, _bounds(one)
    found: dict[str, Any] = {
        "measure": one.commitment.measure.of, "period_seconds": seconds_value(one.period_seconds),
        "downtime_seconds": seconds_value(one.downtime_seconds), "excluded_seconds": seconds_value(one.excluded_seconds),
        "removed_seconds": seconds_value(one.removed_seconds), "removed_seconds_at_most": seconds_value(one.removed_most),
        **_bounded(
            "eligible_downtime_seconds", one.eligible_least, one.eligible_most,
            lambda end: seconds_value(end, bounds if of == "downtime" else ()),
        ),
        **_bounded("availability", one.low, one.high, _speller(one), there=counts_time),
        **_bounded("value", one.low, one.high, _speller(one), there=not counts_time),
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
    pays = {
        any((remedy.percent, remedy.multiple, remedy.fixed, remedy.hourly, remedy.service_days))
        for remedy in (choice.tier.remedy for choice in result.choices)
    }
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
    bounds = _bounds(one)
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


def _bounds(one: Figure) -> list[Fraction]:
    """Return the bounds between the tiers, the best first."""
    return sorted(
        {bound for tier in one.commitment.tiers for bound in (tier.lower, tier.upper)}
        - {Fraction(0), NO_LIMIT},
        reverse=one.commitment.tiers_of == "availability",
    )


def _speller(one: Figure) -> Callable[[Fraction], str]:
    """Return how an availability, or a value, is spelled: never as the edge of a tier that it is not on."""
    edges = _bounds(one) if one.commitment.tiers_of in ("availability", "value") else []
    if one.commitment.measure.makes == "availability":
        return lambda end: percent_text(end, edges)
    return lambda end: exact_text(end, edges)


def _percent(spell: Callable[[Fraction], str]) -> Callable[[Fraction], str]:
    return lambda end: f"{spell(end)}%"


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


def _money(asked: Question, made: Outcome) -> dict[str, Any]:
    policy, currency, base = made.policy, asked.currency, asked.base
    found: dict[str, Any] = {"currency": currency, "base": None, "factor": None, "credit_percent": None}
    rates = made.rates(currency, asked.credited_before, asked.chosen)
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
        exact = base * base_factor(policy)
        found["base"] = (
            format_money(int(exact), currency)
            if exact.denominator == 1
            else exact_text(exact / 10 ** minor_units(currency))
        )
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
    import msgspec

    return msgspec.structs.replace(
        evidence, period=period, plain=plain, windows=(), measurements=(), exclusions=(), observed=None
    )


def _claim(policy: Policy, asked: Question) -> dict[str, Any] | None:
    """Return until when a credit has to be claimed, and whether it was; None where it comes by itself."""
    times, evidence = asked.times, asked.evidence
    spans = [window for window in evidence.windows if not window.withdrawn]
    start = times.get("incident_start", min((window.start for window in spans), default=None))
    ends = [window.end for window in spans]
    end = times.get(
        "incident_end", None if None in ends or not ends else max(one for one in ends if one is not None)
    )
    period = None if evidence.period.first == "1970-01-01" else evidence.period
    found: dict[str, Any] = {"evidence": policy.claim.evidence, "last_day": None, "until": None}
    try:
        deadline = claim_deadline(
            policy,
            incident_start=start,
            incident_end=end,
            period=period,
            eligible_at=times.get("eligible_at"),
        )
    except Refused as refused:
        return {**found, "words": str(refused), "in_time": None, "revised_after": None}
    if deadline is None:
        return None
    claimed, revised = times.get("claimed_at"), times.get("revised_at")
    return {
        **found, "last_day": deadline.last_day, "until": from_seconds(deadline.ends), "words": deadline.words,
        "in_time": None if claimed is None else claimed < deadline.ends,
        "revised_after": None if revised is None else revised >= deadline.ends,
    }  # fmt: skip


def _why(policy: Policy, asked: Question, made: Outcome, found: dict[str, Any]) -> Iterator[str]:
    """Yield how the answer came about, step by step."""
    base, period = base_words(policy), asked.evidence.period
    if period.kind == "day":
        yield (
            f"the period is the day {period.label} only, not the {policy.period.kind} that holds it, "
            "which is what the policy pays for"
        )
    for result in made.results:
        one = result.figure
        name = f"{one.commitment.name}: " if one.commitment.name else ""
        if one.commitment.measure.makes == "availability":
            yield (
                f"{name}{_span(one.eligible_least, one.eligible_most)} of eligible downtime ({_seconds(one.downtime_seconds)} in all, "
                f"{_seconds(one.excluded_seconds)} of it not counted{_quanta(one)}) in {_seconds(one.period_seconds)}"
                f"{f', after {_span(one.removed_seconds, one.removed_most)} were taken out' if one.removed_most else ''}"
            )
            yield f"{name}availability {_range(one.low, one.high, _percent(_speller(one)))}"
        else:
            yield f"{name}{one.commitment.measure.of} {_range(one.low, one.high, _speller(one))}"
        for choice in result.choices:
            yield f"{name}{choice.tier.words}: {remedy_words(choice.tier.remedy, base)}"
    if found["credit_at_least"] is not None:
        amount = (
            f"{found['credit']} {asked.currency}"
            if found["credit"] is not None
            else f"{found['credit_at_least']} {asked.currency} or more"
            if found["credit_at_most"] is None
            else f"from {found['credit_at_least']} to {found['credit_at_most']} {asked.currency}"
        )
        of = "" if found["base"] is None else f"of {found['base']} {asked.currency} "
        yield f"{of}that is {amount}, rounded {policy.rounding}"
        floor = policy.limits.only_above
        if floor:
            yield f"an amount is paid only above {format_money(int(dict(floor)[asked.currency or '']), asked.currency or '')} {asked.currency}"
    if policy.limits.rolling_percent is not None:
        yield f"credited before: {_credited(asked)}"
    if asked.approximately_within is not None:
        many = sum(window.approximate for window in asked.evidence.windows)
        yield (
            f"approximate times were taken to be off by no more than {_seconds(Fraction(asked.approximately_within))}"
            f"{'' if many else ', but no window has any'}"
        )
    yield from _while_open(policy, asked, found)
    if found["decides"]:
        yield f"what would decide: {found['decides']}"


def _quanta(one: Figure) -> str:
    counting = one.commitment.counting
    return (
        ""
        if counting.quantise == "exact"
        else f", in whole quanta of {duration_text(Fraction(counting.quantum))}"
    )


def _while_open(policy: Policy, asked: Question, found: dict[str, Any]) -> Iterator[str]:
    """Yield what the policy says is issued while the facts are open; nothing where they are not, or it says nothing."""
    end = policy.facts.undecided
    if end != "refused":
        said = [
            f"{found[f'{name}_at_{end}']} {unit}"
            for name, unit in (("credit", asked.currency), ("service_days", "days of service"))
            if found[name] is None and found[f"{name}_at_{end}"] is not None
        ]
        if said:
            yield f"until that is decided, the {end} is what the policy lets be issued: {' and '.join(said)}"
    if found["provisional"] and policy.facts.provisional == "as-they-stand":
        yield "the policy lets it be issued as it stands, though it is provisional"


def _credited(asked: Question) -> str:
    if asked.currency is None:
        return "nothing, as far as was said"
    return f"{format_money(asked.credited_before, asked.currency)} {asked.currency}"


def _seconds(value: Fraction) -> str:
    return duration_text(value) if value.denominator == 1 else f"{exact_text(value)} seconds"


def _span(low: Fraction, high: Fraction) -> str:
    return _range(low, high, _seconds).removeprefix("from ")


def _range(low: Fraction, high: Fraction, spell: Callable[[Fraction], str]) -> str:
    """Return bounds in words, such as "from 10 to less than 20"; an end that is not reached is said not to be."""
    if low == high:
        return spell(low)
    least = f"more than {spell(low)}" if is_open(low) else spell(low)
    if is_endless(high):
        return least if is_open(low) else f"{least} or more"
    most = f"less than {spell(high)}" if is_open(high) else spell(high)
    return f"from {least} to {most}"
