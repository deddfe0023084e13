"""How an answer came about, step by step and in sentences: what counted, what did not and why, what that pays, and what a limit left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import msgspec

from ledger.domain.money import format_money
from ledger.domain.policy.model import Limits, Policy, sum_in
from ledger.domain.policy.values import duration_text
from ledger.domain.policy.words import allowance_words, base_words, remedy_words
from ledger.errors import Refused
from projections.availability import exact_text
from projections.doubts import never_above
from projections.evaluation.amounts import Choice, base_factor, forms_of, limited, times_paid
from projections.evaluation.evidence import Evidence
from projections.evaluation.figures import Figure
from projections.evaluation.forms import Form, scaled
from projections.evaluation.levels import NONE
from projections.evaluation.not_counted import elsewhere, not_counted, refused_exclusions
from projections.evaluation.outcome import Outcome, Result
from projections.evaluation.requests import Question
from projections.evaluation.spelling import money_text, ranged, seconds_text, span_text, speller

__all__ = ["why"]

# What is paid at least and at most.
_Forms = tuple[Form, Form]


def why(policy: Policy, asked: Question, made: Outcome, found: dict[str, Any]) -> Iterator[str]:
    """Yield how an answer came about, step by step. found: the fields of the answer, of which only `why` is missing."""
    period = asked.evidence.period
    if period.kind == "day":
        yield (
            f"the period is the day {period.label} only, not the {policy.period.kind} that holds it, "
            "which is what the policy pays for"
        )
    yield from refused_exclusions(policy, asked.evidence)
    yield from elsewhere(policy, asked.evidence)
    if made.one_by_one:
        yield from _incidents(policy, asked, made)
    else:
        yield from _results(policy, asked, made.results, asked.evidence, "")
    yield from _limits(policy, asked, made)
    yield from _amount(policy, asked, made, found)
    if policy.limits.rolling_percent is not None:
        yield f"credited before: {_credited(asked)}"
    yield from _terminations(found)
    if asked.approximately_within is not None:
        many = sum(window.approximate for window in asked.evidence.windows)
        yield (
            f"approximate times were taken to be off by no more than {seconds_text(Fraction(asked.approximately_within))}"
            f"{'' if many else ', but no window has any'}"
        )
    yield from _while_open(policy, asked, found)
    if found["decides"]:
        yield f"what would decide: {found['decides']}"


def _incidents(policy: Policy, asked: Question, made: Outcome) -> Iterator[str]:
    """Yield the steps of each incident alone, and how they become one."""
    how = {
        "best-of": "the one that pays most is paid", "sum": "what they pay is added up",
        "choose-one": "the customer chooses one of those that pay",
    }[policy.stacking.incidents]  # fmt: skip
    if not made.incidents:
        yield f'no incident counts; each would be looked at alone (stacking.incidents = "{policy.stacking.incidents}")'
    else:
        yield f'each incident is looked at alone, and {how} (stacking.incidents = "{policy.stacking.incidents}")'
    pays: list[tuple[str, _Forms | None]] = []
    for (name, results), (_, evidence) in zip(
        made.incidents, made.evidence_alone(asked.evidence), strict=True
    ):
        said = name if evidence.plain.given else f"incident {name}"
        yield from _results(policy, asked, results, evidence, f"{said}: ")
        forms = _paid(made, asked, results)
        pays.append((said, forms))
        if forms is not None:
            yield f"{said} pays {_worth(policy, asked, forms)}"
    if policy.stacking.incidents == "best-of" and len(pays) > 1 and (best := _best(pays)):
        yield f"no incident pays more than {best}"


def _results(
    policy: Policy, asked: Question, results: Sequence[Result], evidence: Evidence, of: str
) -> Iterator[str]:
    """Yield the steps of each commitment, and how they become one. of: the incident they are of, "" of the whole period."""
    for result in results:
        name = f"{of}{result.figure.commitment.name}: " if result.figure.commitment.name else of
        yield from (f"{name}{line}" for line in _result(policy, asked, result, evidence))
    if len(results) < 2:
        return
    pays = [(one.figure.commitment.name, _forms(policy, asked, one)) for one in results]
    for name, forms in pays:
        if forms is not None:
            yield f"{of}{name} pays {_worth(policy, asked, forms)}"
    match policy.stacking.commitments:
        case "sum":
            yield f"{of}what the commitments pay is added up"
        case "choose-one":
            yield (
                f"{of}the customer chooses one of the commitments that pay"
                if asked.chosen is None
                else f"{of}the customer chose {asked.chosen}"
            )
        case _:
            best = _best(pays)
            yield f"{of}the commitment that pays most is paid{f': {best}' if best else ''}"


def _result(policy: Policy, asked: Question, result: Result, evidence: Evidence) -> Iterator[str]:
    one, base = result.figure, base_words(policy)
    if one.commitment.measure.makes == "availability":
        yield from _measured(policy, one, evidence)
        spell = speller(one)
        yield f"availability {ranged(one.low, one.high, lambda end: f'{spell(end)}%')}"
    else:
        yield f"{one.commitment.measure.of} {ranged(one.low, one.high, speller(one))}"
    for choice in result.choices:
        yield f"{choice.tier.words}: {remedy_words(choice.tier.remedy, base)}"
        yield from _beyond(choice)
        yield from _no_more_than_the_period(choice, base)
        yield from _times(choice, base)
    yield from _factor(policy, asked, result)


def _measured(policy: Policy, one: Figure, evidence: Evidence) -> Iterator[str]:
    """Yield what an availability was made from: counts, rates, or seconds, of which some may not have counted."""
    of, counts = one.commitment.measure.of, one.counts
    if counts:
        failed, total = (exact_text(Fraction(count)) for count in counts[:2])
        yield f"{failed} of {total} {of} failed{_perhaps(counts)}"
        return
    if of in ("executions", "messages"):
        return
    if of == "error-rate":
        low, high = exact_text((1 - one.high) * 100), exact_text((1 - one.low) * 100)
        width = duration_text(Fraction(one.commitment.measure.bucket_seconds or 60))
        yield (
            f"the average error rate of all buckets of {width} is {low if low == high else f'from {low}% to {high}'}%, in "
            f"{seconds_text(one.period_seconds)}{_taken_out(one)}"
        )
        return
    found = not_counted(policy, one, evidence)
    without = (
        f", and {seconds_text(found.without_data)} without data that count as down"
        if found.without_data
        else ""
    )
    yield (
        f"{span_text(one.eligible_least, one.eligible_most)} of eligible downtime ({seconds_text(one.downtime_seconds)} in all, "
        f"{seconds_text(one.excluded_seconds)} of it not counted{without}{_quanta(one)}) in {seconds_text(one.period_seconds)}"
        f"{_taken_out(one)}"
    )
    if found.reasons:
        yield f"not counted: {', '.join(f'{seconds_text(seconds)} {reason}' for seconds, reason in found.reasons)}"
    if found.beyond_limit:
        yield f"{seconds_text(found.beyond_limit)} count although exclusions name them, as they are more than what exclusions.most lets them be"
    if found.beyond_daily_total:
        limit = duration_text(one.commitment.counting.unless_daily_total_above or NONE)
        yield f"{seconds_text(found.beyond_daily_total)} count of outages that are too short, which is what those of a day have beyond {limit}"


def _perhaps(counts: tuple[int, ...]) -> str:
    """Return in words what of some counts is perhaps part of the period."""
    return f", and perhaps {counts[2]} of {counts[3]} more" if counts[3] else ""


def _taken_out(one: Figure) -> str:
    return (
        f", after {span_text(one.removed_seconds, one.removed_most)} were taken out"
        if one.removed_most
        else ""
    )


def _quanta(one: Figure) -> str:
    counting = one.commitment.counting
    if counting.quantise == "exact":
        return ""
    nearest = f", to the nearest, ties {counting.ties}" if counting.quantise.endswith("-nearest") else ""
    return f", in whole quanta of {duration_text(Fraction(counting.quantum))}{nearest}"


def _beyond(choice: Choice) -> Iterator[str]:
    """Yield how much exceeds the allowance of a tier, where it pays for no more than that."""
    allowance = choice.tier.remedy.beyond
    if allowance is None:
        return
    (eligible, _, value), (most, _, highest) = choice.paid_for(0), choice.paid_for(1)
    said = _range(value, highest) if allowance.of == "value" else span_text(eligible, most)
    yield f"beyond {allowance_words(allowance)} that is {said}, which is paid for"


def _no_more_than_the_period(choice: Choice, base: str) -> Iterator[str]:
    """Yield for how long a multiple is paid, where what overlaps or was rounded up is more than the period."""
    if choice.tier.remedy.multiple is None or choice.eligible[1] <= choice.seconds:
        return
    low, high = (choice.paid_for(at)[1] * choice.seconds for at in (0, 1))
    yield f"as a multiple of {base} no more than the whole period is paid for: {span_text(low, high)}"


def _times(choice: Choice, base: str) -> Iterator[str]:
    """Yield how often a tier pays, where that is not once."""
    remedy = choice.tier.remedy
    if remedy.per == "period":
        return
    low, high = times_paid(choice)
    many = _range(low, high)
    if remedy.per == "block" and remedy.block_seconds is not None:
        many += f" {remedy.blocks} blocks of {duration_text(remedy.block_seconds)}"
    else:
        many += " of them"
    if remedy.percent is None or remedy.take:
        yield f"that is {many}"
        return
    percents = ranged(remedy.percent * low, remedy.percent * high, lambda end: f"{exact_text(end)}%")
    yield f"that is {many}, {percents.removeprefix('from ')} of {base}"


def _factor(policy: Policy, asked: Question, result: Result) -> Iterator[str]:
    """Yield how a part of the base was rounded before it is used."""
    credit = policy.credit
    if credit.factor_decimals is None:
        return
    exactly = msgspec.structs.replace(policy, credit=msgspec.structs.replace(credit, factor_decimals=None))
    before, after = _forms(exactly, asked, result), _forms(policy, asked, result)
    mode = credit.factor_rounding or policy.rounding
    said = f"a part of the {base_words(policy)} is rounded to {credit.factor_decimals} decimals, {mode}"
    if before is None or after is None or before == after:
        yield said
        return
    rates = [
        f"{exact_text(one.rate)} is {exact_text(other.rate)}"
        for one, other in zip(before, after, strict=True)
        if one.rate is not None and other.rate is not None
    ]
    yield f"{said}{': ' if rates else ''}{' and '.join(dict.fromkeys(rates))}"


def _forms(policy: Policy, asked: Question, one: Result) -> _Forms | None:
    """Return what a commitment pays before limits; None where that takes a currency that was not said."""
    try:
        return forms_of(policy, one.figure.commitment, one.choices, asked.currency or "")
    except Refused:
        return None


def _paid(made: Outcome, asked: Question, results: Sequence[Result]) -> _Forms | None:
    """Return what the commitments pay together before limits; None where that takes a currency that was not said."""
    try:
        return made.of_commitments(results, asked.currency or "", asked.chosen)
    except Refused:
        return None


def _best(pays: Sequence[tuple[str, _Forms | None]]) -> str | None:
    """Return which one pays most for every fee; None where none does, or none pays anything."""
    for name, forms in pays:
        if forms is None:
            return None
        others = [other for one, other in pays if one != name]
        if not forms[0].is_nothing and all(other and never_above(other[1], forms[0]) for other in others):
            return name
    return None


def _worth(policy: Policy, asked: Question, forms: _Forms) -> str:
    """Return what is paid at least and at most in words: money where the fee was said, or else parts of it."""
    if asked.currency is not None and asked.base is not None:
        # Sums are paid as they stand, and only parts are of the base.
        currency, base, factor = asked.currency, asked.base, base_factor(policy)
        low, high = (scaled(form, factor).value(base) for form in forms)
        return f"{ranged(low, high, lambda end: money_text(end, currency)).removeprefix('from ')} {currency}"
    rates = [form.rate for form in forms]
    if rates[0] is None or rates[1] is None:
        return "a sum that takes the fee, and its currency, to be known"
    said = ranged(rates[0] * 100, rates[1] * 100, lambda end: f"{exact_text(end)}%").removeprefix("from ")
    return f"{said} of {base_words(policy)}"


def _limits(policy: Policy, asked: Question, made: Outcome) -> Iterator[str]:
    """Yield what each limit cut, and from what."""
    limits, cut = policy.limits, False
    try:
        forms = made.forms(asked.currency or "", asked.chosen)
        for name in ("percent", "amount", "rolling_percent"):
            alone = msgspec.structs.replace(policy, limits=Limits(**{name: getattr(limits, name)}))
            left = [limited(alone, form, asked.currency or "", asked.credited_before) for form in forms]
            before, after = (_worth(policy, asked, pair) for pair in (forms, (left[0], left[1])))
            if before != after:
                yield f"{f'of {before}' if cut else f'before limits that is {before}, of which'} limits.{name} leaves {after}"
                cut = True
            forms = left[0], left[1]
    except Refused:
        return  # A limit in a currency that was not said.
    days, all_days = made.days(asked.chosen), made.days(asked.chosen, limited=False)
    if days is not None and all_days is not None and days != all_days:
        low, high = (_range(*pair) for pair in (all_days, days))
        yield f"of {low} days of service limits.days leaves {high}"


def _amount(policy: Policy, asked: Question, made: Outcome, found: dict[str, Any]) -> Iterator[str]:
    """Yield what is paid, as it was rounded, and what a least payout and a floor make of it."""
    currency, paid = asked.currency, (found["credit_at_least"], found["credit_at_most"])
    if paid[0] is None or currency is None:
        return
    prices = made.prices(currency, asked.credited_before, asked.chosen)
    left_out = {"only_above": None, "at_least": None}

    def amounts() -> tuple[str, str | None]:
        low, high = (msgspec.structs.replace(price, **left_out).amount(asked.base or 0) for price in prices)
        return format_money(low, currency), None if paid[1] is None else format_money(high, currency)

    shown = amounts()
    lines = [line for price in prices for choice in price.form.of for line in choice]
    # A sum is no part of the fee.
    is_sum = all(not a for a, _ in lines) and any(b for _, b in lines)
    of = "" if found["base"] is None or is_sum else f"of {found['base']} {currency} "
    yield f"{of}that is {_between(*shown, currency)}, rounded {policy.rounding}"
    for name, what in (
        ("only_above", "an amount is paid only above {}"),
        ("at_least", "an amount that is owed is at least {}, as far as limits let it"),
    ):
        del left_out[name]
        said, before, shown = sum_in(getattr(policy.limits, name), currency), shown, amounts()
        if said is not None:
            so = "" if shown == before else f", so that {_between(*shown, currency)} is paid"
            yield f"{what.format(f'{format_money(int(said), currency)} {currency}')}{so}"


def _between(low: str, high: str | None, currency: str) -> str:
    if high is None:
        return f"{low} {currency} or more"
    return f"{low} {currency}" if low == high else f"from {low} to {high} {currency}"


def _terminations(found: dict[str, Any]) -> Iterator[str]:
    if found["termination"] is not None:
        yield f"right to terminate: {'yes' if found['termination'] else 'no'}"


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


def _range(low: Fraction, high: Fraction) -> str:
    return ranged(low, high, exact_text).removeprefix("from ")
