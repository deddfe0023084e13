"""A question as a program states it: facts as a JSON object, read into evidence with all problems at once.

Decimals, percentages and money are text (whole numbers may be numbers); times are RFC 3339 with a zone. A duration is given
in one of several units: `downtime_minutes` or `downtime_seconds`, `_hours`, `_days`.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import msgspec

from ledger.domain.measurement import Measurement
from ledger.domain.money import parse_money
from ledger.domain.period import Period
from ledger.domain.policy.model import Policy
from ledger.domain.window import EVERY, UNKNOWN, Window
from ledger.errors import Refused, nearest
from projections.evaluation import values
from projections.evaluation.amounts import base_factor
from projections.evaluation.asked_period import earlier_of, period_of, silent
from projections.evaluation.evidence import Evidence, Membership, Plain
from projections.evaluation.misfits import idle, impossible, unasked, unread, unsaid
from projections.evaluation.plain_facts import PLAIN, plain_of
from projections.evaluation.reader import UNITS, Reader, as_list, each, spans, texts
from projections.evaluation.timed_facts import EXCLUSION, MEASUREMENT, WINDOW, exclusion, measurement, window

__all__ = ["FACTS", "OF_THE_CLAIM", "Question", "period_asked", "question"]

_MONEY = (
    "base",
    "fee",
    "region_charges",
    "suite_fee",
    "preceding_fee",
    "annual_fee",
    "credited_before",
    "issued",
)
OF_THE_CLAIM = ("incident_start", "incident_end", "eligible_at", "claimed_at", "revised_at")
_TIMES = ("as_of", *OF_THE_CLAIM)
# What says what happened, be it that nothing did: an empty list is a statement, too.
_STATEMENTS = ("windows", "measurements", "observed", "outages", "error_rates")
# Every key a question may have.
FACTS: tuple[str, ...] = (
    "policy", "terms", "version", "id", "term_start", "period", *(f"period_{unit}" for unit in UNITS), "service", "region",
    "customer", "inside", "outside", "windows", "measurements", "exclusions", "observed", *PLAIN, "earlier", "chosen",
    "currency", *_MONEY, "allocate_to", "allocate_order", *_TIMES, *(f"approximately_within_{unit}" for unit in UNITS),
)  # fmt: skip
# What credit.of reads.
_BASES = {
    "fee": "fee", "region-charges": "region_charges", "service-share": "suite_fee", "preceding-fee": "preceding_fee",
    "annual-fee": "annual_fee",
}  # fmt: skip


class Question(msgspec.Struct, frozen=True):
    """Facts, read. base: minor units of what credit.of names; None where no money was asked for.

    earlier: the periods before with their plain figures, the oldest first. times: of the claim, in UTC seconds, by name.
    approximately_within: what "approximately" was said to mean, in seconds; windows that say no more then are bounds.
    warnings: sentences about what can be answered, and was hardly meant. stated: whether anything is stated of what happened, be it
    that nothing did.
    """

    evidence: Evidence
    currency: str | None
    base: Fraction | None
    credited_before: int
    issued: int | None
    chosen: str | None
    earlier: tuple[tuple[Period, Plain], ...]
    allocate_to: tuple[Fraction, ...]
    allocate_order: str
    times: dict[str, int]
    approximately_within: int | None = None
    warnings: tuple[str, ...] = ()
    stated: bool = True


def question(policy: Policy, facts: dict[str, Any], now: int) -> Question:
    """Return the question that facts ask of a policy. now: UTC seconds, for open windows where no as_of is stated.

    Raises Refused with every problem at once.
    """
    problems: list[str] = []
    reader = Reader(facts, FACTS, "", problems)
    period = period_of(policy, reader)
    windows = tuple(each(reader, "windows", WINDOW, window))
    measurements = tuple(each(reader, "measurements", MEASUREMENT, measurement))
    exclusions = tuple(each(reader, "exclusions", EXCLUSION, exclusion))
    within = _approximately(reader)
    kinds = len(policy.commitments) > 1
    plain = plain_of(reader, policy, period)
    service = reader.text("service") or _only("service", reader, windows, measurements) or "service"
    region = reader.text("region") or _only("region", reader, windows, measurements, policy) or "region"
    currency, base = _base(policy, reader)
    earlier = () if period is None else tuple(earlier_of(policy, reader, period))
    ratios = reader.read(
        "allocate_to", lambda value: tuple(values.decimal(one) for one in as_list(value)), ()
    )
    order = reader.choice("allocate_order", ("first-to-last", "last-to-first"), "first-to-last")
    times = {name: found for name in _TIMES if (found := reader.instant(name)) is not None}
    reader.read("term_start", values.date)
    chosen = _chosen(policy, reader)
    observed = reader.read("observed", spans)
    memberships = _memberships(reader)
    customer = reader.text("customer")
    if kinds:
        problems += unasked(policy, plain)
    if plain.given:
        _alone(reader, windows or measurements)
    else:
        problems += unread(policy, windows, measurements, observed)
    if period is not None:
        problems += impossible(policy, plain, period)
    credited, issued = (_amount(reader, name, currency) for name in ("credited_before", "issued"))
    if problems or period is None:
        raise Refused("; ".join(problems), tuple(problems))
    evidence = Evidence(
        service, region, period, times.get("as_of", now), windows=_meant(_named(windows, service), within), measurements=_named(measurements, service),
        exclusions=exclusions, customer=customer, memberships=memberships, observed=observed, plain=plain,
    )  # fmt: skip
    warnings = (
        *_elsewhere(policy, reader, (*evidence.windows, *evidence.measurements)),
        *unsaid(policy, evidence, period),
        *silent(policy, earlier),
        *idle(policy, facts, period),
    )
    return Question(
        evidence,
        currency,
        base,
        credited or 0,
        issued,
        chosen,
        earlier,
        ratios,
        order,
        times,
        within,
        warnings,
        plain.given or any(facts.get(name) is not None for name in _STATEMENTS),
    )


def period_asked(policy: Policy, facts: dict[str, Any]) -> Period:
    """Return the period that facts ask about, read as a policy names its periods. Raises Refused with what is wrong with it."""
    problems: list[str] = []
    reader = Reader(facts, FACTS, "", problems)
    period = period_of(policy, reader)
    reader.instant("incident_start")
    reader.read("term_start", values.date)
    if problems or period is None:
        raise Refused("; ".join(problems), tuple(problems))
    return period


def _chosen(policy: Policy, reader: Reader) -> str | None:
    """Return the commitment that the customer chose, which only some policies leave to the customer."""
    chosen: str | None = reader.text("chosen")
    names, rule = [one.name for one in policy.commitments], policy.stacking.commitments
    if chosen is None:
        return None
    if chosen not in names:
        reader.wrong("chosen", f"{chosen!r} is no commitment of the policy{nearest(chosen, names)}")
    elif rule != "choose-one":
        reader.wrong(
            "chosen",
            f'{chosen!r} has no meaning: the policy leaves no choice to the customer (stacking.commitments = "{rule}"); leave it out',
        )
    return chosen


def _memberships(reader: Reader) -> dict[str, Membership]:
    """Return which cohorts the customer is in, and is not."""
    inside, outside = (reader.read(name, texts, ()) for name in ("inside", "outside"))
    for cohort in sorted({*inside} & {*outside}):
        reader.wrong("inside", f"and outside both name the cohort {cohort!r}; name it in one of them")
    return {
        **{cohort: Membership(False, "") for cohort in outside},
        **{cohort: Membership(True, "") for cohort in inside},
    }


def _alone(reader: Reader, timed: tuple[Any, ...]) -> None:
    """Say what stands beside plain figures, which say nothing of when it was, and would count twice or not at all."""
    if timed:
        reader.problems.append(
            "plain figures stand beside windows or measurements; state one of them, so that nothing counts twice"
        )
    for name, instead in (("exclusions", "excluded_downtime or excluded"), ("observed", "unobserved")):
        if reader.facts.get(name):
            reader.wrong(
                name,
                f"says when it was, and plain figures do not, so that it would not count; state {instead} (in minutes, say) instead",
            )


def _elsewhere(policy: Policy, reader: Reader, said: tuple[Window | Measurement, ...]) -> Iterator[str]:
    """Yield a sentence where facts say where it was, and none is about the service or region asked for.

    It may be so: whoever asks for each region in turn states all windows each time. It may be a slip, which pays nothing.
    """
    said = tuple(one for one in said if not (isinstance(one, Window) and one.withdrawn))
    for field in ("service", "region"):
        asked = reader.facts.get(field)
        named = {getattr(one, field) for one in said}
        if field == "region" and _all_regions(policy):
            return
        if asked is not None and named and not named & {asked, EVERY, UNKNOWN}:
            yield (
                f"{field} {asked!r} is named by no window and no measurement{nearest(asked, named)}; they are about "
                f"{', '.join(sorted(named))}, and nothing of them counts"
            )
            return


def _all_regions(policy: Policy) -> bool:
    """Tell whether every commitment looks at all regions together, whichever is asked for."""
    return all(one.scope.regions != "each" for one in policy.commitments)


def _named(facts: tuple[Any, ...], service: str) -> tuple[Any, ...]:
    """Return facts with the service they are about filled in where they named none, or all."""
    return tuple(
        msgspec.structs.replace(fact, service=service) if fact.service in ("", EVERY) else fact
        for fact in facts
    )


def _approximately(reader: Reader) -> int | None:
    """Return how many seconds times that are said to be approximate may be off; None where that was not said."""
    within = reader.length("approximately_within")
    if within is not None and within.denominator != 1:
        reader.wrong("approximately_within", "is not a whole number of seconds; correct it")
        return None
    return None if within is None else int(within)


def _meant(windows: tuple[Window, ...], within: int | None) -> tuple[Window, ...]:
    """Return windows of which approximate times without a tolerance of their own have the one that was said."""
    if within is None:
        return windows
    return tuple(
        msgspec.structs.replace(
            window, approximate=within > 0, start_within_seconds=within, end_within_seconds=within
        )
        if window.is_vague
        else window
        for window in windows
    )


def _only(
    field: str,
    reader: Reader,
    windows: tuple[Window, ...],
    measurements: tuple[Measurement, ...],
    policy: Policy | None = None,
) -> str | None:
    """Return the one service or region that the facts name; a problem where there are several."""
    named = sorted({getattr(one, field) for one in (*windows, *measurements)} - {EVERY, "", UNKNOWN})
    wide = policy is not None and _all_regions(policy)
    if len(named) > 1 and not wide:
        reader.wrong(
            field, f"is missing, as the facts are about {', '.join(named)}; say which one is asked for"
        )
    return named[0] if named else None


def _amount(reader: Reader, name: str, currency: str | None) -> int | None:
    if reader.facts.get(name) is None:
        return None
    if currency is None:
        if reader.facts.get("currency") is None:
            reader.wrong("currency", f"is missing, which {name} needs; add it")
        return None

    def read(value: Any) -> int:
        try:
            # A whole number of JSON is exact; one with a point is not, and is refused below.
            return parse_money(str(value) if type(value) is int else value, currency)
        except Refused as error:
            raise Refused(str(error).replace("amount", name, 1)) from None

    found: int | None = reader.read(name, read)
    return found


def _base(policy: Policy, reader: Reader) -> tuple[str | None, Fraction | None]:
    """Return currency and minor units of what credit.of names, of which, or of a part of it, the policy pays a part."""
    from ledger.domain.money import minor_units

    def read(value: Any) -> str:
        minor_units(values.text(value))
        return str(value)

    currency = reader.read("currency", read)
    wanted = _BASES[policy.credit.of]
    given = [name for name in ("base", *_BASES.values()) if reader.facts.get(name) is not None]
    for name in given:
        if name not in (wanted, "base"):
            reader.wrong(
                name,
                f'is not what the policy pays a part of (credit.of = "{policy.credit.of}"); state {wanted}',
            )
    if len(given) > 1:
        reader.wrong(given[0], f"and {given[1]} both state what the policy pays a part of; leave one out")
    amount = _amount(reader, given[0], currency) if given else None
    if amount is None:
        return currency, None
    # The base itself is what is left of what credit.of names.
    return currency, Fraction(amount) / (base_factor(policy) if given[0] == "base" else 1)
