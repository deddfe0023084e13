"""What several commitments, incidents and periods come to together, by sums that can be added up by hand."""

from __future__ import annotations

from fractions import Fraction
from operator import eq, ne
from typing import Any

import msgspec
import pytest

from ledger.domain.measurement import Measurement
from ledger.domain.period import Period
from ledger.domain.policy.model import (
    Allowance,
    Credit,
    Limits,
    Measure,
    Remedy,
    Stacking,
    Termination,
    Tier,
)
from ledger.domain.policy.words import base_words, remedy_words
from ledger.domain.window import Window
from ledger.errors import Refused
from projections.evaluation.evidence import Evidence, Plain
from projections.evaluation.outcome import Outcome, Result, outcome, outcome_beside, right_to_terminate
from tests.sla.outcomes import NOTHING, commitment, figure, fixed, percent, policy, result, tier

F = Fraction


def paid(made: Outcome, chosen: str | None = None) -> Any:
    """Of 10.00 USD, at least and at most, in cents and before limits."""
    low, high = made.forms("USD", chosen)
    return low.value(1_000), high.value(1_000)


UPTIME, SPEED, IDLE = (
    result("uptime", *percent(10, 25)),
    result("speed", *percent(5, 30)),
    result("idle", *percent(0)),
)


@pytest.mark.parametrize(
    ("rule", "results", "expected"),
    [
        # The best of both, the sum of both; a customer may choose the lesser, but none that cannot pay.
        ("best-of", (UPTIME, SPEED), (100, 300)),
        ("sum", (UPTIME, SPEED), (150, 550)),
        ("choose-one", (UPTIME, SPEED), (50, 300)),
        ("choose-one", (UPTIME, IDLE), (100, 250)),
        ("choose-one", (IDLE, IDLE), (0, 0)),
        ("best-of", (UPTIME, IDLE), (100, 250)),
        ("sum", (UPTIME, IDLE), (100, 250)),
        ("sum", (UPTIME,), (100, 250)),
        ("choose-one", (UPTIME,), (100, 250)),
    ],
)
def test_commitments_are_stacked(rule: Any, results: tuple[Result, ...], expected: Any) -> None:
    made = Outcome(policy(stacking=Stacking(commitments=rule)), results)
    assert paid(made) == expected


def test_the_commitment_that_is_chosen_counts_alone() -> None:
    for rule in ("best-of", "sum", "choose-one"):
        made = Outcome(policy(stacking=Stacking(commitments=rule)), (UPTIME, SPEED))
        assert (paid(made, "uptime"), paid(made, "speed")) == ((100, 250), (50, 300))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("sum", (100 + 50, 250 + 300)),
        ("best-of", (100, 300)),
        ("choose-one", (50, 300)),
        ("together", (0, 0)),
    ],
)
def test_incidents_are_stacked(rule: Any, expected: Any) -> None:
    made = Outcome(policy(stacking=Stacking(incidents=rule)), (IDLE,), (("a", (UPTIME,)), ("b", (SPEED,))))
    assert paid(made) == expected
    none = Outcome(policy(stacking=Stacking(incidents=rule)), (IDLE,))
    assert paid(none) == (0, 0)


def test_each_incident_stacks_its_commitments_first() -> None:
    """The best of each incident, and the sum of these: 30% and 10% at most."""
    stacking = Stacking("best-of", "sum")
    made = Outcome(
        policy(stacking=stacking), (), (("a", (UPTIME, SPEED)), ("b", (result("uptime", *percent(10)), IDLE)))
    )
    assert paid(made) == (200, 400)
    assert paid(made, "uptime") == (200, 350)
    assert paid(made, "speed") == (50, 300)


def test_prices_are_under_the_limits_and_rates_as_well_but_for_the_floor() -> None:
    limits = Limits(percent=F(1, 5), rolling_percent=F(1), only_above=(("USD", F(150)),))
    made = Outcome(policy(limits=limits, stacking=Stacking("sum")), (UPTIME, SPEED))
    # 15% and 55%, of which no more than 20% is paid: 1.50 is not above 1.50.
    low, high = made.prices("USD")
    assert (low.amount(1_000), high.amount(1_000)) == (0, 200)
    assert made.rates("USD") == (F(3, 20), F(1, 5))
    assert made.rates() == (F(3, 20), F(1, 5))
    assert made.rates("USD", chosen="speed") == (F(1, 20), F(1, 5))
    # 9.50 of 10.00 were credited before, so 0.50 is left, which is no part of the base any more.
    low, high = made.prices("USD", 850, "speed")
    assert (low.amount(1_000), high.amount(1_000)) == (0, 0)
    assert made.rates("USD", 850) is None
    rolling = Outcome(policy(limits=Limits(rolling_percent=F(1))), (SPEED,))
    low, high = rolling.prices("USD", 850)
    assert (low.amount(1_000), high.amount(1_000)) == (50, 150)


def test_sums_of_money_have_no_rate() -> None:
    for remedies in ((fixed(500),), (fixed(500), *percent(10)), (*percent(10), fixed(500))):
        assert Outcome(policy(), (result("c", *remedies),)).rates("USD") is None
    assert Outcome(policy(), (result("c", fixed(500)),)).rates() is None
    # One end may be a mere part of the base; the other is not.
    low_only = Outcome(policy(), (result("c", *percent(0)), result("d", *percent(0), fixed(500))))
    assert low_only.rates("USD") is None
    with pytest.raises(Refused, match="names no sum in EUR"):
        Outcome(policy(), (result("c", fixed(500)),)).forms("EUR")


def days(of: Outcome, chosen: str | None = None) -> Any:
    return of.days(chosen)


def given(days: int) -> Remedy:
    return Remedy(service_days=F(days))


DAYS = commitment("c", tier(given(1)))


@pytest.mark.parametrize(
    ("rule", "results", "expected"),
    [
        ("best-of", (result("a", given(2), given(5)), result("b", given(3))), (3, 5)),
        ("sum", (result("a", given(2), given(5)), result("b", given(3))), (5, 8)),
        ("choose-one", (result("a", given(2), given(5)), result("b", given(3))), (2, 5)),
        ("choose-one", (result("a", given(0)), result("b", given(3))), (3, 3)),
        ("choose-one", (result("a", given(0)),), (0, 0)),
        ("best-of", (result("a", *percent(5)),), (0, 0)),
    ],
)
def test_days_of_service_are_stacked(rule: Any, results: tuple[Result, ...], expected: Any) -> None:
    made = Outcome(policy(commitments=(DAYS,), stacking=Stacking(commitments=rule)), results)
    assert days(made) == expected
    assert days(made, "b") == ((3, 3) if len(results) == 2 else (0, 0))
    limited = Outcome(
        policy(commitments=(DAYS,), stacking=Stacking(commitments=rule), limits=Limits(days=F(4))), results
    )
    assert days(limited) == (min(expected[0], 4), min(expected[1], 4))


@pytest.mark.parametrize(
    ("rule", "expected"), [("sum", (5, 8)), ("best-of", (3, 5)), ("choose-one", (2, 5)), ("together", (7, 7))]
)
def test_days_of_incidents_are_stacked(rule: Any, expected: Any) -> None:
    rows = (("a", (result("c", given(2), given(5)),)), ("b", (result("c", given(3)),)))
    made = Outcome(
        policy(commitments=(DAYS,), stacking=Stacking(incidents=rule)), (result("c", given(7)),), rows
    )
    assert days(made) == expected


def test_without_days_in_the_terms_there_are_none() -> None:
    money = commitment("c", tier(Remedy(percent=F(5))))
    assert Outcome(policy(commitments=(money,)), (IDLE,)).days() is None
    assert Outcome(policy(commitments=(money, DAYS)), (IDLE,)).days() == NOTHING
    empty = Outcome(policy(commitments=(DAYS,), stacking=Stacking(incidents="sum")), ())
    assert days(empty) == (0, 0)


PERIOD = Period("p", "span", "UTC", 1_000, 2_000, "1970-01-01")


def window(incident: str, start: int, end: int, service: str = "mail") -> Window:
    return Window(incident, "w", service, "*", "A", start, end, "outage")


def made_of(incidents: Any, *facts: Window | Measurement, **evidence: Any) -> Outcome:
    every = (
        commitment("uptime", tier(Remedy(percent=F(10)))),
        commitment("again", tier(Remedy(percent=F(5)))),
    )
    of: dict[Any, Any] = {
        kind: tuple(one for one in facts if isinstance(one, kind)) for kind in (Window, Measurement)
    }
    asked = Evidence("mail", "A", PERIOD, 0, windows=of[Window], measurements=of[Measurement], **evidence)
    return outcome(policy(commitments=every, stacking=Stacking(incidents=incidents)), asked)


def seconds(of: tuple[Result, ...]) -> Any:
    return [one.figure.eligible_most for one in of]


def test_each_incident_is_measured_alone_where_they_are_stacked() -> None:
    facts = (
        window("b", 1_000, 1_100),
        window("a", 1_050, 1_200),
        window("b", 1_300, 1_310),
        window("c", 1_000, 1_100, "web"),
    )
    together = made_of("together", *facts)
    assert ([one.figure.commitment.name for one in together.results], together.incidents) == (
        ["uptime", "again"],
        (),
    )
    assert seconds(together.results) == [210, 210]
    apart = made_of("sum", *facts)
    assert [(name, seconds(results)) for name, results in apart.incidents] == [
        ("a", [150, 150]),
        ("b", [110, 110]),
    ]
    assert seconds(apart.results) == [210, 210]
    assert [[one.choices[0].tier.remedy.percent for one in results] for _, results in apart.incidents] == [
        [10, 5],
        [10, 5],
    ]


def test_an_incident_that_was_only_measured_is_one() -> None:
    measured = Measurement("m", "x", "mail", "*", "A", 1_000, 1_100, "requests", 10, 5)
    other = Measurement("n", "x", "web", "*", "A", 1_000, 1_100, "requests", 10, 5)
    reads = commitment("c", tier(Remedy(percent=F(1))), measure=Measure("affected-share", ("requests",)))
    asked = Evidence(
        "mail", "A", PERIOD, 0, windows=(window("w", 1_500, 1_510),), measurements=(measured, other)
    )
    found = outcome(policy(commitments=(reads,), stacking=Stacking(incidents="sum")), asked)
    assert [(name, seconds(results)) for name, results in found.incidents] == [("m", [50]), ("w", [10])]


def test_plain_outages_are_incidents_and_a_plain_figure_is_one() -> None:
    outages = Plain(outages=((F(60), F(1), F(1)), (F(30), F(1), F(1))))
    found = made_of("sum", plain=outages)
    assert [(name, seconds(results)) for name, results in found.incidents] == [
        ("outage 1", [60, 60]),
        ("outage 2", [30, 30]),
    ]
    whole = made_of("sum", plain=Plain(downtime=(F(70), F(70))))
    assert [(name, seconds(results)) for name, results in whole.incidents] == [("", [70, 70])]


@pytest.mark.parametrize(
    ("of", "decided"),
    [
        (result("c", *percent(10)), True),
        (result("c", *percent(10), low=F(1, 2)), True),
        (result("c", *percent(10, 20)), False),
        (result("c", fixed(5)), True),
        # What a multiple pays follows the figure, so bounds leave it open; of a sum the same is taken.
        (result("c", fixed(5), low=F(1, 2)), False),
        (result("c", Remedy(percent=F(5), per="block", block_seconds=F(60)), low=F(1, 2)), False),
    ],
)
def test_one_tier_that_pays_one_part_decides(of: Result, decided: bool) -> None:
    assert of.decided is decided


BELOW_99 = Tier(F(0), True, F(99, 100), False, F(0), "below 99%")


@pytest.mark.parametrize(
    ("low", "high", "held"),
    [
        (F(1, 2), F(3, 4), True),
        (F(0), F(98, 100), True),
        (F(99, 100), F(1), False),
        (F(1), F(1), False),
        (F(98, 100), F(99, 100), None),
        (F(98, 100), F(1), None),
        (F(99, 100), F(99, 100), False),
    ],
)
def test_a_range_is_held_surely_surely_not_or_perhaps(
    low: Fraction, high: Fraction, held: bool | None
) -> None:
    ended = policy(commitments=(commitment(""),), termination=(Termination(BELOW_99),))
    assert right_to_terminate(ended, [[figure("", low, high)]]) is held
    as_value = msgspec.structs.replace(BELOW_99, of="value")
    assert (
        right_to_terminate(
            policy(commitments=(commitment(""),), termination=(Termination(as_value),)),
            [[figure("", low, high)]],
        )
        is held
    )


@pytest.mark.parametrize(
    ("bounds", "held"),
    [
        # More than 50 seconds, up to 100 of them.
        ((51, 100), True), ((50, 50), False), ((0, 50), False), ((50, 51), None), ((100, 101), None), ((101, 200), False),
        ((101, 101), False), ((100, 100), True), ((0, 49), False), ((40, 200), None),
    ],
)  # fmt: skip
def test_a_range_of_downtime_with_two_ends(bounds: tuple[int, int], held: bool | None) -> None:
    more = Tier(F(50), False, F(100), True, F(0), "downtime", "downtime")
    ended = policy(commitments=(commitment(""),), termination=(Termination(more),))
    found = figure("", eligible_least=F(bounds[0]), eligible_most=F(bounds[1]))
    assert right_to_terminate(ended, [[found]]) is held
    # From 50 on, and below 100.
    turned = msgspec.structs.replace(more, lower_included=True, upper_included=False)
    expected = {
        (50, 50): True,
        (0, 50): None,
        (50, 51): True,
        (51, 100): None,
        (100, 101): False,
        (100, 100): False,
    }.get(bounds, held)
    again = policy(commitments=(commitment(""),), termination=(Termination(turned),))
    assert right_to_terminate(again, [[found]]) is expected


BAD, GOOD, OPEN = F(98, 100), F(1), None


@pytest.mark.parametrize(
    ("periods", "of_last", "shares", "expected"),
    [
        (1, 1, [BAD], True),
        (1, 1, [GOOD], False),
        (1, 1, [OPEN], None),
        (1, 1, [], False),
        # The right stays once it has arisen.
        (1, 1, [BAD, GOOD], True),
        (2, 2, [BAD, GOOD, BAD], False),
        (2, 2, [BAD, BAD, GOOD], True),
        (2, 3, [BAD, GOOD, BAD], True),
        (2, 3, [BAD, GOOD, GOOD, BAD], False),
        (2, 3, [BAD, GOOD, OPEN], None),
        (2, 3, [OPEN, GOOD, OPEN], None),
        (2, 3, [OPEN, GOOD, GOOD], False),
        (2, 3, [OPEN, BAD, GOOD, BAD], True),
        (3, 3, [BAD, BAD], False),
        # What is open does not take back what has arisen.
        (2, 2, [BAD, BAD, OPEN], True),
        (2, 2, [OPEN, BAD, BAD], True),
    ],
)
def test_a_right_to_end_the_contract_arises_from_the_last_periods(
    periods: int, of_last: int, shares: list[Fraction | None], expected: bool | None
) -> None:
    other = commitment("other")
    ended = policy(
        commitments=(other, commitment("c")), termination=(Termination(BELOW_99, periods, of_last, "c"),)
    )
    rows = [
        [figure("other"), figure("c", F(0) if one is None else one, F(1) if one is None else one)]
        for one in shares
    ]
    assert right_to_terminate(ended, rows) is expected
    # A second rule that never holds takes nothing back, and one that does gives it.
    never, always = Termination(BELOW_99, 1, 1, "other"), Termination(tier(Remedy()), 1, 1, "other")
    for rules in ((ended.termination[0], never), (never, ended.termination[0])):
        assert right_to_terminate(msgspec.structs.replace(ended, termination=rules), rows) is expected
    both = msgspec.structs.replace(ended, termination=(ended.termination[0], always))
    assert right_to_terminate(both, rows) is bool(rows)
    assert right_to_terminate(policy(commitments=(other,)), rows) is False


USD = (("USD", F(1_250)),)


@pytest.mark.parametrize(
    ("remedy", "words"),
    [
        (Remedy(percent=F(25, 2)), "12.5% of fee"),
        (Remedy(percent=F(10), per="block", block_seconds=F(1_800)), "10% of fee for each full 30 minutes"),
        (Remedy(percent=F(10), per="block", block_seconds=F(1_800), blocks="begun"), "10% of fee for each begun 30 minutes"),
        (Remedy(percent=F(10), per="block"), "10% of fee"),
        (Remedy(fixed=USD, per="unit"), "12.5 USD for each one"),
        (Remedy(fixed=(*USD, ("JPY", F(900)))), "12.5 USD or 900 JPY"),
        (Remedy(hourly=USD), "12.5 USD for each hour down"),
        (Remedy(multiple=F(2)), "2 times the fee for the time down"),
        (Remedy(percent=F(10), fixed=USD, take="lesser"), "the lesser of 10% of fee and 12.5 USD"),
        (Remedy(percent=F(10), hourly=USD, take="greater"), "the greater of 10% of fee and 12.5 USD for each hour down"),
        (Remedy(percent=F(10), multiple=F(1), take="sum"), "10% of fee and 1 times the fee for the time down"),
        (Remedy(percent=F(10), fixed=USD), "10% of fee, 12.5 USD"),
        (Remedy(service_days=F(1)), "1 day of service"),
        (Remedy(service_days=F(3, 2), per="block", block_seconds=F(3_600)), "1.5 days of service for each full 1 hour"),
        (Remedy(percent=F(10), service_days=F(2)), "10% of fee and 2 days of service"),
        # What no decimal says is said as a part of the whole.
        (Remedy(percent=F(10, 3)), "1/30 of fee"),
        (Remedy(percent=F(10), per="block", block_seconds=F(1_800), beyond=Allowance("availability", F(999, 1000))),
         "10% of fee for each full 30 minutes beyond 99.9%"),
        (Remedy(fixed=USD, per="unit", beyond=Allowance("value", F(5, 2))), "12.5 USD for each one beyond 2.5"),
        (Remedy(multiple=F(2), beyond=Allowance("downtime", F(5_400))), "2 times the fee for the time down beyond 90 minutes"),
        (Remedy(hourly=USD, beyond=Allowance("downtime", F(3_600))), "12.5 USD for each hour down beyond 1 hour"),
    ],
)  # fmt: skip
def test_a_remedy_in_words(remedy: Remedy, words: str) -> None:
    assert remedy_words(remedy, "fee") == words


@pytest.mark.parametrize(
    ("of", "words"),
    [
        ("fee", "fee"), ("region-charges", "charges in the region"), ("service-share", "share of the suite fee"),
        ("preceding-fee", "fee of the period before"), ("annual-fee", "annual fee divided by its periods"),
    ],
)  # fmt: skip
def test_what_a_credit_is_a_part_of_in_words(of: Any, words: str) -> None:
    assert base_words(policy(credit=Credit(of=of))) == words


def test_prices_are_of_the_currency_and_the_commitment_that_is_asked_for() -> None:
    """5.00 in one tier of both; 30% under a rolling limit of a fifth; nothing was credited before, as nothing is said."""
    low, high = Outcome(policy(), (result("c", fixed(500)),)).prices("USD")
    assert (low.amount(0), high.amount(0)) == (500, 500)
    low, high = Outcome(policy(), (UPTIME, SPEED)).prices("USD", 0, "speed")
    assert (low.amount(1_000), high.amount(1_000)) == (50, 300)
    low, high = Outcome(policy(limits=Limits(rolling_percent=F(1, 5))), (SPEED,)).prices("USD")
    assert (low.amount(1_000), high.amount(1_000)) == (50, 200)


def test_nothing_is_a_rate_whatever_the_sums_are_called() -> None:
    capped = policy(limits=Limits(amount=(("USD", F(100)),)))
    assert Outcome(capped, (IDLE,)).rates("USD") == NOTHING
    assert Outcome(capped, (IDLE,)).rates() is None
    assert Outcome(policy(), (result("c", fixed(0)),)).rates("USD") == NOTHING
    assert Outcome(policy(), (result("c", fixed(0)),)).rates() is None
    rolling = policy(limits=Limits(rolling_percent=F(1, 5)))
    assert Outcome(rolling, (SPEED,)).rates("USD") == (F(1, 20), F(1, 5))


def test_an_outcome_of_single_incidents_knows_its_terms() -> None:
    assert made_of("sum", window("a", 1_000, 1_100)).policy.stacking.incidents == "sum"


# ---- outcomes of facts that differ by the windows of some incidents -------------------------------------------------------

A, B, LONGER = window("a", 1_000, 1_100), window("b", 1_300, 1_310), window("b", 1_300, 1_350)


def evidence_of(*windows: Window, **changed: Any) -> Evidence:
    return Evidence("mail", "A", PERIOD, 0, windows=windows, **changed)


def test_only_incidents_that_changed_are_measured_again_where_each_pays_by_itself() -> None:
    """Incident b turns out to be longer; a comes to what it did, and what was worked out of it is not worked out again."""
    near = made_of("sum", A, B)
    of_a = paid_of(near, "a")
    found = outcome_beside(near, evidence_of(A, LONGER), frozenset({"b", "c"}))
    assert [(name, seconds(results)) for name, results in found.incidents] == [
        ("a", [100, 100]),
        ("b", [50, 50]),
    ]
    assert found.policy == near.policy
    assert found.results is near.results
    assert found.incidents[0][1] is near.incidents[0][1]
    assert paid_of(found, "a") is of_a
    # What did not change is not looked at.
    same = outcome_beside(near, evidence_of(A, LONGER), frozenset({"a"}))
    assert seconds(same.incidents[1][1]) == [10, 10]


def paid_of(made: Outcome, name: str) -> Any:
    return made.of_commitments(dict(made.incidents)[name], "USD", None)


def test_all_is_measured_again_where_incidents_are_one_or_figures_are_plain() -> None:
    found = outcome_beside(made_of("together", A, B), evidence_of(A, LONGER), frozenset({"b"}))
    assert (seconds(found.results), found.incidents) == ([150, 150], ())
    plain = Plain(downtime=(F(70), F(70)))
    found = outcome_beside(
        made_of("sum", plain=Plain(downtime=(F(60), F(60)))), evidence_of(plain=plain), frozenset()
    )
    assert [(name, seconds(results)) for name, results in found.incidents] == [("", [70, 70])]


def test_outcomes_are_the_same_whatever_was_worked_out_of_them() -> None:
    one, other = made_of("sum", A, B), made_of("sum", A, B)
    assert paid(one) == (200, 200)
    assert one.paid != other.paid
    assert one == other
    assert ne(one, other) is False
    assert len({one, other}) == 1
    for unlike in (made_of("sum", A), made_of("together", A, B), made_of("sum", A, LONGER), "an outcome"):
        assert (eq(one, unlike), ne(one, unlike)) == (False, True)


def test_facts_of_incidents_alone_are_asked_for_only_where_each_pays_by_itself() -> None:
    both = evidence_of(A, B)
    alone = made_of("sum", A, B).evidence_alone(both)
    assert list(alone) == [("a", evidence_of(A)), ("b", evidence_of(B))]
    assert list(made_of("together", A, B).evidence_alone(both)) == []


def test_an_incident_that_gives_days_by_a_commitment_that_was_not_chosen_is_not_among_those_chosen_from() -> (
    None
):
    """Under "uptime" incident a gives nothing at all, so the customer chooses b: 10%."""
    idle, days_of_speed = result("uptime", *percent(0)), result("speed", given(3))
    some, nothing = result("uptime", *percent(10)), result("speed", given(0))
    made = Outcome(
        policy(stacking=Stacking("best-of", "choose-one")), (),
        (("a", (idle, days_of_speed)), ("b", (some, nothing))),
    )  # fmt: skip
    assert paid(made, "uptime") == (100, 100)
    # By whichever commitment, a gives days instead.
    assert paid(made) == (0, 100)


@pytest.mark.parametrize("region", ["*", "unknown"])
def test_an_incident_that_affected_other_regions_alone_is_none_of_this_one(region: str) -> None:
    elsewhere, here = (
        msgspec.structs.replace(A, region=region, regions=regions) for regions in (("B", "C"), ("A", "B"))
    )
    assert [name for name, _ in made_of("sum", elsewhere, B).incidents] == ["b"]
    assert [name for name, _ in made_of("sum", here, B).incidents] == ["a", "b"]
