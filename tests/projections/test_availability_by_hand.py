"""An assessment says all that was made of the facts: values, rates, rights, rules in words; each told by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from ledger.domain.exclusion import Exclusion
from ledger.domain.instants import seconds
from ledger.domain.measurement import Measurement
from ledger.domain.period import parse_period
from ledger.domain.policy import parse_policy
from ledger.domain.window import Window
from projections.availability import (
    Assessment,
    Past,
    applicable,
    assess,
    assess_found,
    concerning,
    entry_order,
    exact_text,
    percent_text,
    rule_words,
    seconds_value,
)
from projections.evaluation.evidence import Membership

F = Fraction
MARCH, MONTH = parse_period("2022-03"), 2_678_400
AS_OF = seconds("2022-04-01T00:00:00.000000Z")
HEAD = 'format = 2\npolicy = "p"\nin_force_from = 2020-01-01\n{}[period]\nkind = "calendar-month"\nzone = "UTC"\n'
TIME = '[measure]\nof = "time"\n[counting]\neffects = ["outage", "degraded"]\n'
COUNT = '[measure]\nof = "events"\ncounts = "outages"\n[counting]\neffects = ["outage", "degraded"]\n'
STEPS = """[[tiers]]
downtime_at_most = "1 hour"
credit_percent = "0"
[[tiers]]
downtime_above = "1 hour"
credit_percent = "10"
"""
NUMBERS = """[[tiers]]
value_at_most = "1"
credit_percent = "0"
[[tiers]]
value_above = "1"
credit_percent = "20"
"""


def terms(measured: str = TIME, tiers: str = STEPS, credit: str = "", more: str = "", top: str = "") -> Any:
    return parse_policy(
        HEAD.format(top) + measured + tiers + f'[credit]\nrounding = "half-up"\n{credit}{more}'
    )


def window(day: int, hours: int = 2, incident: str = "i", **more: Any) -> Window:
    start = seconds(f"2022-03-{day:02}T10:00:00.000000Z")
    given: dict[str, Any] = {
        "region": "EMEA",
        "effect": "outage",
        "regions": ("EMEA", "NAM"),
        "service": "mail",
        **more,
    }
    service, region, effect = (given.pop(name) for name in ("service", "region", "effect"))
    entries = (f"incident/{incident} v2",)
    return Window(
        incident,
        f"w{day}",
        service,
        "*",
        region,
        start,
        start + hours * 3_600,
        effect,
        entries=entries,
        **given,
    )


def made(policy: Any, *windows: Window, **more: Any) -> Assessment:
    return assess(windows, policy, 1, "mail", "EMEA", MARCH, AS_OF, **more)


def test_a_value_is_a_value_and_no_availability() -> None:
    """Two outages, or two and one that may be here: bounds of a number; nothing is at an edge of seconds."""
    found = made(terms(COUNT, NUMBERS), window(3), window(9))
    assert (found.value, found.value_at_least, found.value_at_most) == ((F(2), F(2)), F(2), F(2))
    assert found.availability_at_least == found.availability_at_most == 1
    assert (found.seconds_to_next_tier, found.seconds_past_tier_edge) == (None, None)
    assert (found.credit_percent, found.rates) == (F(20), (F(1, 5), F(1, 5)))
    found = made(terms(COUNT, NUMBERS), window(3), window(9, region="unknown"))
    assert (found.value, found.credit_percent, found.rates) == ((F(1), F(2)), None, (F(0), F(1, 5)))
    # Half of a value is none.
    assert msgspec.structs.replace(found, value_at_least=None).value is None
    assert msgspec.structs.replace(found, value_at_most=None).value is None
    found = made(terms(), window(3))
    assert (found.value, found.value_at_least, found.value_at_most) == (None, None, None)
    assert found.availability_at_least == found.availability_at_most == 1 - F(7_200, MONTH)


def test_where_it_stands_between_its_edges() -> None:
    """Two hours are 3,600 seconds past the edge of one, and nothing is worse; one hour is one second before it."""
    found = made(terms(), window(3))
    assert (found.seconds_to_next_tier, found.seconds_past_tier_edge) == (None, 3_600)
    found = made(terms(), window(3, 1))
    assert (found.seconds_to_next_tier, found.seconds_past_tier_edge) == (1, None)
    # Where it stands is open, though one tier is left.
    for windows in ([window(3, region="unknown")], [window(3), window(9, region="unknown")]):
        found = made(terms(), *windows)
        assert (found.seconds_to_next_tier, found.seconds_past_tier_edge) == (None, None)


def test_a_percentage_is_one_where_one_is_left() -> None:
    """Not where bounds allow two tiers, nor where what is paid is none; where tiers pay alike they are still two."""
    assert made(terms(), window(3)).credit_percent == 10
    assert made(terms(), window(3, region="unknown")).credit_percent is None
    alike = STEPS.replace('"0"', '"10"')
    assert made(terms(tiers=alike), window(3, region="unknown")).credit_percent is None
    assert made(terms(tiers=alike), window(3, region="unknown")).rates == (F(1, 10), F(1, 10))
    fixed = STEPS.replace('credit_percent = "10"', 'credit_fixed = { USD = "5.00" }')
    found = made(terms(tiers=fixed), window(3))
    assert (found.credit_percent, found.rates) == (None, None)
    # In proportion: 10 times the part that is down; bounds of one tier are no percentage.
    times = '[[tiers]]\ncredit_multiple = "10"\n'
    assert made(terms(tiers=times), window(3)).credit_percent == F(72_000, MONTH) * 100
    found = made(terms(tiers=times), window(3), window(9, region="unknown"))
    assert found.rates is not None
    assert (found.credit_percent, found.rates[0] < found.rates[1]) == (None, True)


def test_rates_are_parts_of_the_fee_where_nothing_else_has_to_be_asked() -> None:
    """Of a share of a suite they are that share; a floor, currencies, and limits over months are asked row by row."""
    share = terms(credit='of = "service-share"\nshare = "40"\n')
    assert made(share, window(3)).rates == (F(4, 100), F(4, 100))
    assert made(share, window(3)).credit_percent == 10
    assert made(share, window(3, region="unknown")).rates == (F(0), F(4, 100))
    assert made(terms(), window(3)).rates == (F(1, 10), F(1, 10))
    for policy in (
        terms(more='[limits]\nonly_above = { USD = "1.00" }\n'), terms(top='currencies = ["USD"]\n'),
        terms(more='[limits]\nrolling_percent = "50"\n'),
    ):  # fmt: skip
        assert made(policy, window(3)).rates is None
        assert made(policy, window(3)).parts_of_base == (F(1, 10), F(1, 10))


def test_which_windows_concern_a_region() -> None:
    """Its own and those of all regions of the incident surely; one of an unknown region perhaps; none twice, none withdrawn."""
    here, everywhere, somewhere = window(3), window(4, region="*"), window(5, region="unknown")
    others = [
        window(6, region="NAM"), window(7, withdrawn=True), window(8, service="web"), window(9, region="*", regions=("NAM",)),
        window(10, region="unknown", regions=("NAM",)),
    ]  # fmt: skip
    found = [(here, True), (everywhere, True), (somewhere, False)]
    assert applicable([here, everywhere, *others, somewhere, here], "mail", "EMEA") == found
    assert concerning(terms(), [here, everywhere, *others, somewhere, here], "mail", "EMEA") == found
    union = terms(TIME + '[scope]\nregions = "union"\n')
    nam = window(6, region="NAM")
    assert concerning(union, [here, nam, window(8, service="web"), here], "mail", "EMEA") == [
        (here, True),
        (nam, True),
    ]
    assert made(union, here, nam).eligible == 4 * 3_600


def test_who_is_in_a_cohort_is_counted_for() -> None:
    """In it, out of it, or not known: all, nothing, or a bound."""
    limited = window(3, cohort="c")
    assert made(terms(), limited, memberships={"c": Membership(True, "cohort/c v1")}).eligible == 7_200
    assert made(terms(), limited, memberships={"c": Membership(False, "cohort/c v1")}).eligible == 0
    assert made(terms(), limited).eligible is None


def test_exclusions_and_measurements_reach_the_terms_that_read_them() -> None:
    """An exclusion for everybody, and one for a customer; a rate of errors from measurements."""
    rule = '[[exclusions]]\nkinds = ["force-majeure"]\n'
    policy = terms(more=rule)
    told = Exclusion(
        "e", "force-majeure", "mail", "*", "EMEA", MARCH.start, seconds("2022-03-03T11:00:00.000000Z")
    )
    assert made(policy, window(3), exclusions=[told]).eligible == 3_600
    hers = msgspec.structs.replace(told, customer="Aurora")
    # For whom it is asked is not said: it may be she.
    assert made(policy, window(3), exclusions=[hers]).eligible is None
    assert made(policy, window(3), exclusions=[hers], customer="Aurora").eligible == 3_600
    assert made(policy, window(3), exclusions=[hers], customer="Borealis").eligible == 7_200
    messages = '[[tiers]]\navailability_at_least = "99"\ncredit_percent = "0"\n[[tiers]]\navailability_below = "99"\ncredit_percent = "10"\n'
    rates = terms('[measure]\nof = "messages"\n', messages)
    one = Measurement("i", "m", "mail", "*", "EMEA", MARCH.start, MARCH.end, "messages", total=100, failed=3)
    assert made(rates, measurements=[one]).availability_at_least == F(97, 100)
    assert made(rates).availability_at_least == 1


RIGHT = '[[termination]]\ndowntime_above = "1 hour"\nperiods = 2\n'


def ends(
    *windows: Window, more: str = RIGHT, valid: Any = None, earlier: tuple[str, ...] = ("2022-02",)
) -> bool | None:
    """Tell whether terms may be ended after March, which looks at February too."""
    policy = terms(more=more)
    found = concerning(policy, windows, "mail", "EMEA")
    months = [parse_period(label) for label in earlier]
    before = [Past(policy, month, (month.start, month.end), found) for month in months]
    return assess_found(
        found, policy, 1, MARCH, AS_OF, valid, service="mail", region="EMEA", earlier=before
    ).termination


def test_a_right_over_two_months_looks_at_the_one_before() -> None:
    """Both were bad, one of them, or none; the month before is looked at whole, whatever part of this one is paid for."""
    start = seconds("2022-02-10T10:00:00.000000Z")
    february = msgspec.structs.replace(window(3), start=start, end=start + 7_200)
    assert ends(february, window(3)) is True
    assert ends(february, window(3), valid=(MARCH.start, MARCH.end)) is True
    assert ends(window(3)) is False
    assert ends(february) is False
    assert ends(february, window(3), earlier=()) is False
    assert ends(february, window(3, region="unknown")) is None
    assert ends(february, window(3), more="") is None
    assert ends(window(3), more=RIGHT.replace("periods = 2\n", ""), earlier=()) is True


FEBRUARY = parse_period("2022-02")
RATES = """[[tiers]]
availability_at_least = "99"
credit_percent = "0"
[[tiers]]
availability_below = "99"
credit_percent = "10"
"""


def two_months(policy: Any, now: list[Window], past: Past, **more: Any) -> bool | None:
    found = concerning(policy, now, "mail", "EMEA")
    return assess_found(
        found, policy, 1, MARCH, AS_OF, service="mail", region="EMEA", earlier=[past], **more
    ).termination


def test_an_earlier_month_is_looked_at_under_its_own_terms_and_facts() -> None:
    """Its own windows, the part of it that was paid for, its own measurements, and what its own terms count."""
    start = seconds("2022-02-10T10:00:00.000000Z")
    february = msgspec.structs.replace(window(3), start=start, end=start + 7_200)
    now, policy, whole = [window(3)], terms(more=RIGHT), (FEBRUARY.start, FEBRUARY.end)
    past = Past(policy, FEBRUARY, whole, [(february, True)])
    assert two_months(policy, now, past) is True
    assert two_months(policy, now, msgspec.structs.replace(past, found=[])) is False
    later = msgspec.structs.replace(past, valid=(start + 3_601, FEBRUARY.end))
    assert two_months(policy, now, later) is False
    other = terms(TIME.replace('"outage", ', ""), more=RIGHT)
    assert two_months(policy, now, msgspec.structs.replace(past, policy=other)) is False
    # Of messages each month has its own measurements.
    rule = '[[termination]]\navailability_below = "99"\nperiods = 2\n'
    messages = terms('[measure]\nof = "messages"\n', RATES, more=rule)
    was, here = (
        Measurement("i", "m", "mail", "*", "EMEA", month.start, month.end, "messages", total=100, failed=3)
        for month in (FEBRUARY, MARCH)
    )
    past = Past(messages, FEBRUARY, whole, [], [was])
    assert two_months(messages, [], past, measurements=[here]) is True
    assert (
        two_months(messages, [], msgspec.structs.replace(past, measurements=[here]), measurements=[here])
        is False
    )
    assert two_months(messages, [], past) is False


def commitment(name: str, measured: str, tiers: str) -> str:
    text = (measured + tiers).replace("[[tiers", "[[commitments.tiers")
    for table in ("measure", "counting"):
        text = text.replace(f"[{table}]", f"[commitments.{table}]")
    return f'[[commitments]]\nname = "{name}"\n{text}'


def test_earlier_terms_promised_by_the_names_of_their_commitments() -> None:
    """In another order it is the same; what had another name, or was about another quantity, was not promised then."""
    start = seconds("2022-02-10T10:00:00.000000Z")
    february = msgspec.structs.replace(window(3), start=start, end=start + 7_200)
    first, second = commitment("time", TIME, STEPS), commitment("number", COUNT, NUMBERS)
    right = RIGHT + 'commitment = "time"\n'
    policy = terms(first + second, "", more=right)
    whole = (FEBRUARY.start, FEBRUARY.end)

    def ends_after(before: str) -> bool | None:
        return two_months(
            policy, [window(3)], Past(terms(before, "", more=""), FEBRUARY, whole, [(february, True)])
        )

    assert ends_after(second + first) is True
    assert ends_after(second + commitment("seconds", TIME, STEPS)) is False
    exchanged = commitment("number", TIME, STEPS) + commitment("time", COUNT, NUMBERS)
    assert ends_after(exchanged) is False


def test_the_rule_in_words() -> None:
    """With the version or without, with names where there are several commitments, and all that bounds leave."""
    found = made(terms(), window(3, region="unknown"))
    said = "undecided: downtime at most 1 hour gives 0% of fee, or downtime above 1 hour gives 10% of fee"
    assert found.rule == rule_words(found.outcome, 1) == f"p v1: {said}"
    assert rule_words(found.outcome, None) == f"p: {said}"
    several = "".join(
        f'[[commitments]]\nname = "{name}"\n'
        + (measured + tiers).replace("[[tiers", "[[commitments.tiers").replace("[measure", "[commitments.measure").replace(
            "[counting", "[commitments.counting")
        for name, measured, tiers in (("time", TIME, STEPS), ("number", COUNT, NUMBERS))
    )  # fmt: skip
    assert made(terms(several, ""), window(3)).rule == (
        "p v1: time: downtime above 1 hour gives 10% of fee; number: value at most 1 gives 0% of fee"
    )


def test_the_rule_in_words_of_incidents_one_by_one() -> None:
    """Incidents that come to the same are counted, in the order of their words; the whole period decides nothing there."""
    policy = terms(credit='of = "annual-fee"\n', more='[stacking]\nincidents = "sum"\n')
    three = [window(3), window(7, incident="j"), window(9, hours=1, incident="k")]
    assert made(policy, *three).rule == (
        "p v1: incidents sum, each alone: downtime above 1 hour gives 10% of annual fee divided by its periods (2 of 3); "
        "downtime at most 1 hour gives 0% of annual fee divided by its periods (1 of 3)"
    )
    open_to_both = window(3, region="unknown")
    assert made(policy, open_to_both).rule == (
        "p v1: incidents sum, each alone: undecided: downtime at most 1 hour gives 0% of annual fee divided by its periods, or downtime above 1 hour "
        "gives 10% of annual fee divided by its periods (1 of 1)"
    )
    assert made(policy).rule == "p v1: incidents sum, each alone: there is none"


def test_one_by_one_an_incident_from_before_a_subscription_is_none_of_its_own() -> None:
    """Up to an hour pays 1%: on the 3rd nobody was there to be paid, and a window that was withdrawn was nothing."""
    policy = terms(
        tiers=STEPS.replace('credit_percent = "0"', 'credit_percent = "1"'),
        more='[stacking]\nincidents = "sum"\n',
    )
    since = (seconds("2022-03-15T00:00:00.000000Z"), MARCH.end)
    both = [
        window(3), window(20, hours=1, incident="j"), window(21, incident="k", withdrawn=True),
        # All of an incident that is not here.
        window(22, incident="l", region="*", regions=("NAM",)),
    ]  # fmt: skip
    assert made(policy, *both).rates == (F(11, 100), F(11, 100))
    assert made(policy, *both, valid=since).rates == (F(1, 100), F(1, 100))


def test_entries_are_sorted_by_stream_and_number() -> None:
    entries = ["incident/b v2", "incident/a v10", "incident/a v9", "odd", "incident/a v9 v3", "incident/a vx"]
    assert sorted(entries, key=entry_order) == [
        "incident/a v9", "incident/a v10", "incident/a v9 v3", "incident/a vx", "incident/b v2", "odd",
    ]  # fmt: skip
    assert [entry_order(one) for one in ("incident/a v10", "odd", "a v²", "a v1 v2")] == [
        ("incident/a", 10, ""), ("odd", 0, "odd"), ("a v²", 0, "a v²"), ("a v1", 2, ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (F(3), "3"), (F(1, 2), "0.5"), (F(1, 8), "0.125"), (F(7, 20), "0.35"), (F(1, 3), "0.333333333333"), (F(2, 3), "0.666666666667"),
        (F(1, 6), "0.166666666667"), (F(1, 10**38), "0." + "0" * 37 + "1"), (F(1, 10**39), "0." + "0" * 38 + "1"),
        (F(10**39 + 1, 10**39) / 1, "1.000000000000"), (F(123, 1000), "0.123"), (1 + F(1, 10**38), "1." + "0" * 37 + "1"),
        (F(1, 5**30), "0.000000000000000000001073741824"),
    ],
)  # fmt: skip
def test_decimals_are_exact_as_long_as_they_are_short(value: Fraction, text: str) -> None:
    """Up to forty characters; else twelve decimals, and more where these would be nothing."""
    assert exact_text(value) == text


def test_seconds_are_a_number_where_they_are_whole() -> None:
    assert [seconds_value(one) for one in (F(7), F(0), F(15, 2), F(1, 3))] == [7, 0, "7.5", "0.333333333333"]
    assert seconds_value(100 - F(1, 3 * 10**15), [F(100)]) == "99.9999999999999997"


@pytest.mark.parametrize(
    ("availability", "edges", "text"),
    [
        # On neither side of nothing, all and an edge.
        (F(1, 10**16), [], "0.00000000000001"), (1 - F(1, 10**16), [], "99.99999999999999"),
        (F("0.999") - F(1, 10**17), [F("0.999")], "99.899999999999999"), (F("0.999") - F(1, 10**17), [], "99.900000000000"),
        (F("0.999"), [F("0.999")], "99.900000000000"),
        # Rounded it would be beyond the edge, which has more decimals itself.
        (F("0.5000000000000045"), [F("0.500000000000004")], "50.00000000000045"),
        # What is no decimal number is beside an edge, unless it is the edge.
        (1 - F(1, 3 * 10**16), [], "99.999999999999997"), (F(2, 3), [F(2, 3)], "66.666666666667"),
    ],
)  # fmt: skip
def test_a_percentage_is_shown_on_its_side_of_each_edge(
    availability: Fraction, edges: list[Fraction], text: str
) -> None:
    assert percent_text(availability, edges) == text
