"""A question as a program states it: facts as a JSON object, read into evidence with all problems at once.

Decimals, percentages and money are text (whole numbers may be numbers); times are RFC 3339 with a zone. A duration is given
in one of several units: `downtime_minutes` or `downtime_seconds`, `_hours`, `_days`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any, TypeAlias, get_args

import msgspec

from ledger.domain.ends import ENDLESS, above, below, beside, whole_down, whole_up
from ledger.domain.events import EFFECTS, Basis
from ledger.domain.exclusion import Exclusion
from ledger.domain.instants import from_seconds
from ledger.domain.interval import Span, union
from ledger.domain.measurement import Measurement
from ledger.domain.money import parse_money
from ledger.domain.period import Period, day_of, parse_period
from ledger.domain.policy.grammar import EXCLUSION_KINDS, MEASURED
from ledger.domain.policy.model import Policy
from ledger.domain.policy.periods import parse_policy_period, period_holding
from ledger.domain.policy.values import UNIT_SECONDS
from ledger.domain.window import EVERY, UNKNOWN, Planned, Window
from ledger.errors import Refused, nearest
from projections.availability import exact_text
from projections.evaluation import values
from projections.evaluation.amounts import base_factor
from projections.evaluation.evidence import Evidence, Membership, Plain
from projections.evaluation.misfits import impossible, unasked, unread, unsaid

__all__ = ["FACTS", "OF_THE_CLAIM", "Question", "period_asked", "question"]

_UNITS = {f"{unit}s": seconds for unit, seconds in UNIT_SECONDS.items()}
_BOUNDS = ("_at_least", "_above", "_at_most", "_below")
_LENGTHS = (
    "period", "downtime", *(f"downtime{bound}" for bound in _BOUNDS), "excluded_downtime", "excluded", "unobserved",
)  # fmt: skip
_BOUNDED = ("availability", "value", "failed", "total")
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


def _spellings(name: str, unit: str) -> tuple[str, ...]:
    """Return how a length is named in a unit: a bound stands behind the unit, as of all facts, or before it."""
    for bound in _BOUNDS:
        if name.endswith(bound):
            return f"{name.removesuffix(bound)}_{unit}{bound}", f"{name}_{unit}"
    return (f"{name}_{unit}",)


_PLAIN = (
    *(spelled for name in _LENGTHS[1:] for unit in _UNITS for spelled in _spellings(name, unit)),
    *(f"{name}{bound}" for name in _BOUNDED for bound in ("", *_BOUNDS)),
    "outages", "users", "error_rates",
)  # fmt: skip
# Plain figures that are a part of the length of the period.
_LASTING = (
    *(spelled for name in _LENGTHS[1:] for unit in _UNITS for spelled in _spellings(name, unit)), "outages", "error_rates",
)  # fmt: skip
# A longer period is a slip; each of its days and buckets may be looked at.
_LONGEST_YEARS = 10
_LONGEST = _LONGEST_YEARS * 366 * 86_400
# Every key a question may have.
FACTS: tuple[str, ...] = (
    "policy", "terms", "version", "id", "term_start", "period", *(f"period_{unit}" for unit in _UNITS), "service", "region",
    "customer", "inside", "outside", "windows", "measurements", "exclusions", "observed", *_PLAIN, "earlier", "chosen",
    "currency", *_MONEY, "allocate_to", "allocate_order", *_TIMES, *(f"approximately_within_{unit}" for unit in _UNITS),
)  # fmt: skip
_SHARE_BOUNDS = tuple(f"share{bound}" for bound in _BOUNDS)
_WINDOW = (
    "incident", "window", "service", "component", "region", "start", "end", "effect", "share", *_SHARE_BOUNDS, "share_of",
    "basis", "quote", "approximate", "start_within_seconds", "end_within_seconds", "cohort", "planned", "withdrawn",
)  # fmt: skip
_MEASUREMENT = (
    "incident", "measurement", "service", "component", "region", "start", "end", "of", "total", "failed", "value", "unit",
    "statistic",
)  # fmt: skip
_EXCLUSION = (
    "exclusion", "kind", "service", "component", "region", "start", "end", "announced_at", "customer", "cohort",
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


class _Facts:
    """Reads values and gathers a sentence for everything that is wrong with them."""

    def __init__(self, facts: dict[str, Any], known: Iterable[str], where: str, problems: list[str]) -> None:
        self.facts, self.where, self.problems = facts, where, problems
        # Which one of a list it is, for names that nobody gave.
        self.index = 0
        known = tuple(known)
        for name in facts:
            if name not in known:
                self.wrong(name, f"is not a fact that is known{nearest(str(name), known)}")

    def wrong(self, name: str, rest: str) -> None:
        self.problems.append(f"{self.where}{name} {rest}")

    def read(self, name: str, read: Callable[[Any], Any], default: Any = None) -> Any:
        """Return a value as a function reads it; what that says in a ValueError or Refused is a problem."""
        value = self.facts.get(name)
        if value is None:
            return default
        try:
            return read(value)
        except (ValueError, Refused) as error:
            if isinstance(error, Refused):
                # The sentence names its field already.
                self.problems.append(f"{self.where}{error}")
            else:
                self.wrong(name, f"{_shown(value)} {error}")
            return default

    def text(self, name: str, default: str | None = None) -> Any:
        return self.read(name, values.text, default)

    def decimal(self, name: str) -> Fraction | None:
        found: Fraction | None = self.read(name, values.decimal)
        return found

    def whole(self, name: str) -> Fraction | None:
        """Return a whole number, as the bounds of one are read."""
        found = self.count(name)
        return None if found is None else Fraction(found)

    def count(self, name: str) -> int | None:
        found: int | None = self.read(name, values.count)
        return found

    def instant(self, name: str) -> int | None:
        found: int | None = self.read(name, values.instant)
        return found

    def choice(self, name: str, known: tuple[str, ...], default: str | None = None) -> Any:
        def read(value: Any) -> str:
            found = values.text(value)
            if found not in known:
                raise ValueError(f"is not one of {', '.join(known)}{nearest(found, known)}")
            return found

        return self.read(name, read, default)

    def length(self, name: str) -> Fraction | None:
        """Return a duration in seconds, in whatever unit it is given."""
        given = [
            (spelled, unit_seconds)
            for unit, unit_seconds in _UNITS.items()
            for spelled in _spellings(name, unit)
            if self.facts.get(spelled) is not None
        ]
        if len(given) > 1:
            self.wrong(given[0][0], f"and {given[1][0]} both state it; leave one out")
        if not given:
            return None
        spelled, unit_seconds = given[0]
        found = self.decimal(spelled)
        return None if found is None else found * unit_seconds

    def required(self, *names: str) -> None:
        """Say which of these are missing."""
        for name in names:
            if self.facts.get(name) is None:
                self.wrong(name, "is missing; add it")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _texts(value: Any) -> tuple[str, ...]:
    if type(value) is not list:
        raise ValueError("is not a list")
    return tuple(values.text(one) for one in value)


def _span(value: Any) -> Span:
    if type(value) is not list or len(value) != 2:
        raise ValueError("is not a pair of start and end")
    start, end = (values.instant(one) for one in value)
    if end <= start:
        raise ValueError("ends before it has begun; a span is [start, end)")
    return start, end


def _spans(value: Any) -> tuple[Span, ...]:
    if type(value) is not list:
        raise ValueError("is not a list of pairs of start and end")
    return union(_span(one) for one in value)


def question(policy: Policy, facts: dict[str, Any], now: int) -> Question:
    """Return the question that facts ask of a policy. now: UTC seconds, for open windows where no as_of is stated.

    Raises Refused with every problem at once.
    """
    problems: list[str] = []
    reader = _Facts(facts, FACTS, "", problems)
    period = _period(policy, reader)
    windows = tuple(_each(reader, "windows", _WINDOW, _window))
    measurements = tuple(_each(reader, "measurements", _MEASUREMENT, _measurement))
    exclusions = tuple(_each(reader, "exclusions", _EXCLUSION, _exclusion))
    within = _approximately(reader)
    kinds = len(policy.commitments) > 1
    plain = _plain(reader, policy, period)
    service = reader.text("service") or _only("service", reader, windows, measurements) or "service"
    region = reader.text("region") or _only("region", reader, windows, measurements, policy) or "region"
    currency, base = _base(policy, reader)
    earlier = () if period is None else tuple(_earlier(policy, reader, period))
    ratios = reader.read("allocate_to", lambda value: tuple(values.decimal(one) for one in _list(value)), ())
    order = reader.choice("allocate_order", ("first-to-last", "last-to-first"), "first-to-last")
    times = {name: found for name in _TIMES if (found := reader.instant(name)) is not None}
    reader.read("term_start", values.date)
    chosen = _chosen(policy, reader)
    observed = reader.read("observed", _spans)
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
        *_silent(earlier),
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


def _earlier(policy: Policy, reader: _Facts, period: Period) -> list[tuple[Period, Plain]]:
    """Return the plain figures of earlier periods, each with its own: the one it names, or the one before that which follows."""
    known = (*_PLAIN, "period", *(f"period_{unit}" for unit in _UNITS))
    inners: list[_Facts] = list(_each(reader, "earlier", known, lambda inner: inner))
    if inners and not policy.termination:
        reader.wrong(
            "earlier", "has no meaning: the policy gives no right to terminate (termination); leave it out"
        )
        return []
    periods: list[Period] = []
    following = period
    for inner in reversed(inners):
        named = any(inner.facts.get(name) is not None for name in known[len(_PLAIN) :])
        own = _period(policy, inner) if named else _before(policy, inner, following)
        if named and own is not None and not _is_length(own) and not _is_length(following):
            if own.end > following.start:
                inner.wrong("period", f"{own.label} ends after the one that follows has begun; correct it")
        following = own or following
        periods.append(following)
    found = []
    for inner, own in zip(inners, reversed(periods), strict=True):
        plain = _plain(inner, policy, own)
        reader.problems += [f"{inner.where}{problem}" for problem in impossible(policy, plain, own)]
        found.append((own, plain))
    return found


def _silent(earlier: Iterable[tuple[Period, Plain]]) -> Iterator[str]:
    """Yield a sentence for each earlier period of which nothing is stated."""
    for number, (period, plain) in enumerate(earlier, 1):
        if plain == Plain():
            yield f"earlier {number}: nothing is stated of it, so {period.label} is taken as without fault"


def _is_length(period: Period) -> bool:
    """Tell whether only the length of a period was stated, not when it was."""
    return period.first == "1970-01-01"


def _before(policy: Policy, inner: _Facts, following: Period) -> Period | None:
    """Return the period before one: by the calendar of the policy, or as long where only a length is stated."""
    rule = policy.period
    if _is_length(following):
        return following
    try:
        if period_holding(rule, following.end - 1) == following:
            return period_holding(rule, following.start - 1)
    except (ValueError, Refused) as error:
        inner.wrong("period", f"before {following.label} is none of the policy: {error}; leave it out")
        return None
    if rule.length_seconds is not None or all(inner.facts.get(name) is None for name in _LASTING):
        # No figure of it asks for its length.
        return following
    inner.wrong(
        "period",
        f"is missing, as {following.label} is no {rule.kind} of the policy, so that how long the one before it was is not known; add "
        "it, or its length as period_minutes",
    )
    return None


def period_asked(policy: Policy, facts: dict[str, Any]) -> Period:
    """Return the period that facts ask about, read as a policy names its periods. Raises Refused with what is wrong with it."""
    problems: list[str] = []
    reader = _Facts(facts, FACTS, "", problems)
    period = _period(policy, reader)
    reader.instant("incident_start")
    reader.read("term_start", values.date)
    if problems or period is None:
        raise Refused("; ".join(problems), tuple(problems))
    return period


def _chosen(policy: Policy, reader: _Facts) -> str | None:
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


def _memberships(reader: _Facts) -> dict[str, Membership]:
    """Return which cohorts the customer is in, and is not."""
    inside, outside = (reader.read(name, _texts, ()) for name in ("inside", "outside"))
    for cohort in sorted({*inside} & {*outside}):
        reader.wrong("inside", f"and outside both name the cohort {cohort!r}; name it in one of them")
    return {
        **{cohort: Membership(False, "") for cohort in outside},
        **{cohort: Membership(True, "") for cohort in inside},
    }


def _alone(reader: _Facts, timed: tuple[Any, ...]) -> None:
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


def _elsewhere(policy: Policy, reader: _Facts, said: tuple[Window | Measurement, ...]) -> Iterator[str]:
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


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise ValueError("is not a list")
    return value


def _named(facts: tuple[Any, ...], service: str) -> tuple[Any, ...]:
    """Return facts with the service they are about filled in where they named none, or all."""
    return tuple(
        msgspec.structs.replace(fact, service=service) if fact.service in ("", EVERY) else fact
        for fact in facts
    )


def _approximately(reader: _Facts) -> int | None:
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
    reader: _Facts,
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


def _period(policy: Policy, reader: _Facts) -> Period | None:
    length = reader.length("period")
    given = reader.facts.get("period")
    if given is not None and length is not None:
        reader.wrong("period", "and its length are both stated; leave one out")
        return None
    if length is not None:
        if length.denominator != 1 or not length:
            reader.wrong("period", "is not a whole number of seconds above 0; correct its length")
            return None
        if length > _LONGEST:
            reader.wrong("period", f"is longer than {_LONGEST_YEARS} years; correct its length")
            return None
        return Period(f"{int(length)} seconds", "span", policy.zone, 0, int(length), "1970-01-01")
    if isinstance(given, dict):
        inner = _Facts(given, ("start", "end"), f"{reader.where}period.", reader.problems)
        start, end = inner.instant("start"), inner.instant("end")
        inner.required("start", "end")
        if start is None or end is None:
            return None
        if end <= start:
            inner.wrong("end", "is not after start; a period is [start, end)")
            return None
        if end - start > _LONGEST:
            inner.wrong("end", f"is more than {_LONGEST_YEARS} years after start; correct one of them")
            return None
        label = f"{from_seconds(start)}/{from_seconds(end)}"
        return Period(label, "span", policy.zone, start, end, day_of(policy.zone, start))
    if given is not None:
        found: Period | None = reader.read("period", lambda value: _labelled(policy, values.text(value)))
        return found
    if given_start := reader.facts.get("incident_start"):
        return _holding(policy, given_start, reader)
    if not any(reader.facts.get(name) for name in ("windows", "measurements", "observed")):
        # A percentage or a count decides without a calendar; a length that is asked for is that of thirty days.
        return Period("30 days", "span", policy.zone, 0, 30 * 86_400, "1970-01-01")
    reader.wrong(
        "period",
        'is missing; write it like "2022-03", {"start": …, "end": …}, or its length as period_minutes',
    )
    return None


def _holding(policy: Policy, begun: Any, reader: _Facts) -> Period | None:
    """Return the period in which an incident began; that its start is no instant is said where times are read."""
    try:
        start = values.instant(begun)
    except ValueError:
        return None
    try:
        return period_holding(policy.period, start)
    except (ValueError, Refused) as error:
        reader.wrong(
            "incident_start", f"{begun!r} lies in no period of the policy: {error}; check it, or state period"
        )
        return None


def _labelled(policy: Policy, label: str) -> Period:
    try:
        return parse_policy_period(policy.period, label)
    except Refused as refused:
        try:
            # A day is a part of every period: its figure is asked for on its own.
            day = parse_period(label, policy.zone)
        except Refused:
            raise refused from None
        if day.kind == "day":
            return day
        raise refused from None


def _each(reader: _Facts, name: str, known: tuple[str, ...], read: Callable[[_Facts], Any]) -> Iterable[Any]:
    value = reader.facts.get(name)
    if value is None:
        return
    if type(value) is not list:
        reader.wrong(name, "is not a list")
        return
    for index, entry in enumerate(value, 1):
        where = f"{reader.where}{name} {index}: "
        if type(entry) is list and name in ("windows", "exclusions") and len(entry) == 2:
            entry = {"start": entry[0], "end": entry[1]}
        if type(entry) is not dict:
            reader.problems.append(f"{where}is not an object; write it in braces")
            continue
        inner = _Facts(entry, known, where, reader.problems)
        inner.index = index
        found = read(inner)
        if found is not None:
            yield found


def _bounds_of(inner: _Facts) -> tuple[int, int] | None:
    start, end = inner.instant("start"), inner.instant("end")
    inner.required("start", "end")
    if start is None or end is None:
        return None
    if end <= start:
        inner.wrong("end", "is not after start; it is [start, end)")
        return None
    return start, end


def _window(inner: _Facts) -> Window | None:
    start, end = inner.instant("start"), inner.instant("end")
    inner.required("start")
    if start is None:
        return None
    if end is not None and end <= start:
        inner.wrong("end", "is not after start; a window is [start, end)")
        return None
    least, most = _part(inner, "share")
    # What it rests on is for who reads the facts; nothing is computed from it.
    inner.text("quote")
    planned = inner.facts.get("planned")
    index = inner.index
    return Window(
        incident=inner.text("incident", f"incident-{index}"), window=inner.text("window", f"window-{index}"),
        service=inner.text("service", ""), component=inner.text("component", EVERY), region=inner.text("region", EVERY),
        start=start, end=end, effect=inner.choice("effect", EFFECTS, "outage"), share_at_least=least and least[0],
        share_at_most=most and most[0], share_sides=(least[1] if least else 0, most[1] if most else 0),
        share_of=inner.text("share_of"), approximate=inner.read("approximate", _flag, False),
        start_within_seconds=inner.count("start_within_seconds") or 0, end_within_seconds=inner.count("end_within_seconds") or 0,
        basis=inner.choice("basis", get_args(Basis)), cohort=inner.text("cohort"), planned=None if planned is None else _planned(inner, planned),
        withdrawn=inner.read("withdrawn", _flag, False),
    )  # fmt: skip


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError("is neither true nor false")
    return value


def _planned(outer: _Facts, value: Any) -> Planned | None:
    names = ("announced_at", "scheduled_start", "scheduled_end")
    if type(value) is not dict:
        outer.wrong("planned", f"is not an object with {', '.join(names)}")
        return None
    inner = _Facts(value, names, f"{outer.where}planned.", outer.problems)
    inner.required(*names)
    announced, start, end = (inner.instant(name) for name in names)
    if announced is None or start is None or end is None:
        return None
    if end <= start:
        inner.wrong("scheduled_end", "is not after scheduled_start; exchange them")
        return None
    if announced >= end:
        inner.wrong(
            "announced_at", "is not before scheduled_end: what is over is not planned; correct one of them"
        )
        return None
    return Planned(announced, start, end)


def _measurement(inner: _Facts) -> Measurement | None:
    span = _bounds_of(inner)
    of = inner.choice("of", MEASURED)
    inner.required("of")
    if span is None or of is None:
        return None
    if span[1] - span[0] > _LONGEST:
        inner.wrong("end", f"is more than {_LONGEST_YEARS} years after start; correct one of them")
    failed, total, value = (
        inner.count("failed"),
        inner.count("total"),
        inner.read("value", lambda one: str(values.decimal(one))),
    )
    if value is not None:
        value = str(inner.facts["value"])
    if (failed is None) == (value is None):
        inner.wrong("failed", "or value: state one of them")
    if failed is not None and (total is None or failed > total):
        inner.wrong("total", "is missing or less than failed; state both")
    if total is not None and failed is None and value is not None:
        inner.wrong("total", "has no meaning beside value; leave it out")
    index = inner.index
    return Measurement(
        incident=inner.text("incident", f"incident-{index}"), measurement=inner.text("measurement", f"measurement-{index}"),
        service=inner.text("service", ""), component=inner.text("component", EVERY), region=inner.text("region", EVERY),
        start=span[0], end=span[1], of=of, total=total, failed=failed, value=value, unit=inner.text("unit"),
        statistic=inner.text("statistic"),
    )  # fmt: skip


def _exclusion(inner: _Facts) -> Exclusion | None:
    span = _bounds_of(inner)
    kind = inner.choice("kind", EXCLUSION_KINDS, "planned-maintenance")
    if span is None:
        return None
    return Exclusion(
        exclusion=inner.text("exclusion", f"exclusion-{inner.index}"), kind=kind, service=inner.text("service", EVERY),
        component=inner.text("component", EVERY), region=inner.text("region", EVERY), start=span[0], end=span[1],
        announced_at=inner.instant("announced_at"), customer=inner.text("customer"), cohort=inner.text("cohort"),
    )  # fmt: skip


def _pair(
    reader: _Facts, name: str, read: Callable[[str], Fraction | None], top: Fraction, *, whole: bool = False
) -> tuple[Fraction, Fraction] | None:
    """Return the ends of a figure that is stated exactly, or by bounds; None where it is not.

    top: the end of what is not bounded above. whole: it is a whole number, so that "more than 2" is 3 or more.
    """
    exact, *bounds = (read(f"{name}{bound}") for bound in ("", *_BOUNDS))
    least, over, most, under = bounds
    given = [f"{name}{bound}" for bound, end in zip(_BOUNDS, bounds, strict=True) if end is not None]
    if exact is not None:
        if given:
            reader.wrong(name, f"is stated exactly, and {given[0]} as a bound; leave one out")
        return exact, exact
    if not given:
        return None
    for one, other, side in ((least, over, given[0]), (most, under, given[-1])):
        if one is not None and other is not None:
            reader.wrong(side, "is one of two bounds on the same side; leave one out")
    low = above(over) if over is not None else Fraction(0) if least is None else least
    high = below(under) if under is not None else top if most is None else most
    if whole:
        low, high = whole_up(low), whole_down(high)
    if low > high and least is not None and most is not None:
        reader.wrong(f"{name}_at_least", "is more than what it is at most; exchange them")
    elif low > high and high == top:
        reader.wrong(given[0], f"leaves nothing, as it is {exact_text(top)} at most; correct it")
    elif low > high:
        reader.wrong(given[-1], "leaves nothing between the bounds; correct one of them")
    return low, high


def _plain(reader: _Facts, policy: Policy, period: Period | None) -> Plain:
    """Return the figures that are stated without saying when; of several commitments each may need one of its own."""
    kinds = len(policy.commitments) > 1
    lengths = {name: reader.length(name) for name in _LENGTHS[1:]}
    lasts = Fraction(period.seconds) if period is not None else ENDLESS
    uptime = _pair(reader, "availability", reader.decimal, Fraction(100))
    counted = any(one.measure.of == "events" or one.measure.is_days for one in policy.commitments)
    value = _pair(reader, "value", reader.whole if counted else reader.decimal, ENDLESS, whole=counted)
    downtime = _pair(
        reader, "downtime", lambda name: lengths[name], max([lasts, *filter(None, (lengths["downtime_at_least"], lengths["downtime_above"]))])
    )  # fmt: skip
    if downtime is not None and lengths["downtime"] is None:
        # However long it may have been, no more of it was in the period.
        downtime = downtime[0], max(downtime[0], min(downtime[1], lasts))
    if uptime is not None and uptime[1] > 100:
        reader.wrong("availability", "is more than 100")
        uptime = None
    total = _pair(reader, "total", reader.whole, ENDLESS, whole=True)
    failed = _pair(reader, "failed", reader.whole, ENDLESS if total is None else total[1], whole=True)
    apart = (failed is None) != (total is None)
    if apart or (failed is not None and total is not None and total[1] < failed[0] <= failed[1]):
        reader.wrong("failed", "and total go together, and failed is no more than total; correct them")
    elif failed is not None and total is not None:
        # There were as many as failed, at least.
        failed, total = (failed[0], min(failed[1], total[1])), (max(total[0], failed[0]), total[1])
    users = reader.count("users")
    outages = tuple(
        _each(
            reader, "outages", (*_UNITS, "share", *_SHARE_BOUNDS, "users"),
            lambda inner: _outage(inner, users),
        )
    )  # fmt: skip
    if users is not None and all(
        type(one) is not dict or one.get("users") is None for one in _of_list(reader, "outages")
    ):
        reader.wrong("users", "has no meaning without outages that state users; leave it out")
    rates = tuple(
        _each(reader, "error_rates", ("rate", *(f"rate{bound}" for bound in _BOUNDS), "buckets"), _rate)
    )
    _beside_downtime(reader, lengths, alone=downtime is not None, lasting=bool(outages or rates))
    figures: tuple[tuple[str, object], ...] = (
        ("downtime", downtime), ("availability", uptime), ("value", value), ("failed and total", total),
        ("outages", outages or None), ("error_rates", rates or None),
    )  # fmt: skip
    stated = [
        name
        for name, given in figures
        if given is not None and not (kinds and name in ("value", "failed and total", "error_rates"))
    ]
    if len(stated) > 1:
        reader.problems.append(
            f"{reader.where}{' and '.join(stated)} state the same thing; leave all but one out"
        )
    return Plain(
        downtime=downtime, excluded=lengths["excluded_downtime"] or Fraction(0),
        availability=None if uptime is None else (uptime[0] / 100, uptime[1] / 100), value=value,
        removed=lengths["excluded"], unobserved=lengths["unobserved"] or Fraction(0), failed=failed, total=total,
        outages=outages, rates=rates,
    )  # fmt: skip


def _of_list(reader: _Facts, name: str) -> list[Any]:
    found = reader.facts.get(name)
    return found if type(found) is list else []


def _beside_downtime(
    reader: _Facts, lengths: dict[str, Fraction | None], *, alone: bool, lasting: bool
) -> None:
    """Say which parts of plain downtime are stated where there is none, so that they would not count.

    alone: downtime as one length is stated; lasting: so are outages or error rates.
    """
    for name, there, what, instead in (
        # Beside outages or rates it is refused for what it is.
        ("excluded_downtime", alone or lasting, "downtime", "exclusions"),
        ("excluded", alone or lasting, "downtime, outages or error_rates", "exclusions"),
        ("unobserved", alone or lasting, "downtime, outages or error_rates", "observed"),
    ):
        if lengths[name] and not there:
            reader.wrong(
                name,
                f"counts only beside plain {what}; state that, 0 where nothing failed, or beside windows {instead} with its times",
            )


def _outage(inner: _Facts, users: int | None) -> tuple[Fraction, Fraction, Fraction] | None:
    given = [unit for unit in _UNITS if inner.facts.get(unit) is not None]
    lasted = inner.decimal(given[0]) if len(given) == 1 else None
    if len(given) != 1:
        inner.wrong("minutes", f"or one of {', '.join(_UNITS)}: state how long it lasted, once")
    affected = inner.count("users")
    if affected is not None:
        if not users or affected > users:
            inner.wrong(
                "users", "needs users of the whole beside outages, and no more than those; correct it"
            )
            return None
        if stated := [name for name in ("share", *_SHARE_BOUNDS) if inner.facts.get(name) is not None]:
            inner.wrong("users", f"and {stated[0]} both state the affected share; leave one out")
        share: tuple[_Said, _Said] = (str(Fraction(affected, users)), 0), (str(Fraction(affected, users)), 0)
    else:
        share = _part(inner, "share")
    if lasted is None:
        return None
    # An outage of which nothing is said affects all.
    low = _end(share[0], 1 if share[1] is None else 0)
    return lasted * _UNITS[given[0]], low, _end(share[1], 1)


# A bound as text, and on which side of it the end lies.
_Said: TypeAlias = tuple[str, int] | None


def _part(inner: _Facts, name: str) -> tuple[_Said, _Said]:
    """Return the bounds of a part of the whole as they are said: stated exactly it is both, where no bound says otherwise."""
    exact = inner.read(name, values.share)
    found: list[_Said] = []
    for reached, open_end, side in (("_at_least", "_above", 1), ("_at_most", "_below", -1)):
        with_it, beside_it = (inner.read(f"{name}{bound}", values.share) for bound in (reached, open_end))
        if with_it is not None and beside_it is not None:
            inner.wrong(
                f"{name}{reached}", f"and {name}{open_end} are bounds on the same side; leave one out"
            )
        if beside_it is not None:
            found.append((beside_it, side))
        else:
            found.append(None if with_it is None and exact is None else (with_it or exact, 0))
    low, high = found
    if _end(low, 0) > _end(high, 1):
        if low is not None and high is not None and low[1] == high[1] == 0:
            inner.wrong(
                f"{name}_at_least", f"{low[0]!r} is more than {name}_at_most {high[0]!r}; exchange them"
            )
        else:
            inner.wrong(name, "has bounds with nothing between them; correct one of them")
    return low, high


def _end(said: _Said, otherwise: int) -> Fraction:
    return Fraction(otherwise) if said is None else beside(Fraction(said[0]), said[1])


def _rate(inner: _Facts) -> tuple[Fraction, Fraction, int] | None:
    low, high = _part(inner, "rate")
    buckets = inner.count("buckets")
    if low is None and high is None:
        inner.required("rate")
    inner.required("buckets")
    if buckets is None:
        return None
    return _end(low, 0), _end(high, 1), buckets


def _amount(reader: _Facts, name: str, currency: str | None) -> int | None:
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


def _base(policy: Policy, reader: _Facts) -> tuple[str | None, Fraction | None]:
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
