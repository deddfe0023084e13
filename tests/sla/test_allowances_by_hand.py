"""Terms that pay for no more than what exceeds an allowance, asked through the command line; every figure is worked out beside it.

March 2022 has 2,678,400 seconds, of which 99.9% allows 2,678.4 to be down.
"""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest

from ledger.domain.policy import parse_policy
from ledger.domain.policy.model import Allowance, Quantity, Remedy, Tier
from projections.evaluation.amounts import Choice
from projections.workbook.modelling import reason_for_values
from tests.sla.asking import ask, kinds, one_tier, terms

F = Fraction
MET = '[[tiers]]\navailability_at_least = "99.9"\ncredit_percent = "0"\n[[tiers]]\navailability_below = "99.9"\n'
MARCH = 2_678_400
# So that cents show what was counted.
FEE = {"fee": "2678.40", "currency": "USD"}


@pytest.mark.parametrize(
    ("remedy", "seconds", "credit"),
    [
        # 7,200 s are 4,521.6 s beyond the edge: the fee pays one cent for each ten seconds of it.
        ('credit_multiple = "1"\nbeyond = "tier-edge"', 7_200, "4.52"),
        ('credit_multiple = "10"\nbeyond = "tier-edge"', 7_200, "45.22"),
        # 99.5% is another allowance, of 13,392 s: nothing is beyond it.
        ('credit_multiple = "10"\nbeyond = "99.5%"', 7_200, "0.00"),
        ('credit_multiple = "10"\nbeyond = "99.5%"', 13_393, "0.01"),
        ('credit_multiple = "10"\nbeyond = "1 hour"', 7_200, "36.00"),
        ('credit_hourly = { USD = "36.00" }\nbeyond = "1 hour"', 5_400, "18.00"),
        # Ten minutes are full twice in 1,300 s, and begun three times.
        ('credit_fixed = { USD = "5.00" }\nper = "block"\nblock = "10 minutes"\nbeyond = "1 hour"', 4_900, "10.00"),
        ('credit_fixed = { USD = "5.00" }\nper = "block"\nblock = "10 minutes"\nblocks = "begun"\nbeyond = "1 hour"', 4_900, "15.00"),
        # At the allowance itself nothing is begun.
        ('credit_fixed = { USD = "5.00" }\nper = "block"\nblock = "10 minutes"\nblocks = "begun"\nbeyond = "1 hour"', 3_600, "0.00"),
        ('credit_fixed = { USD = "5.00" }\nper = "block"\nblock = "10 minutes"\nblocks = "begun"\nbeyond = "1 hour"', 3_601, "5.00"),
    ],
)  # fmt: skip
def test_only_what_is_beyond_is_paid_for(remedy: str, seconds: int, credit: str) -> None:
    answer = ask({"period": "2022-03", "downtime_seconds": str(seconds), **FEE}, terms(MET + remedy))
    assert (answer["credit"], answer["eligible_downtime_seconds"]) == (credit, seconds)


def test_days_of_service_are_given_for_blocks_beyond_it() -> None:
    text = terms(one_tier('service_days = "1"\nper = "block"\nblock = "1 hour"\nbeyond = "2 hours"'))
    answer = ask({"period": "2022-03", "downtime_hours": "4.5"}, text)
    assert answer["service_days"] == "2"


def test_events_beyond_the_edge_are_paid_one_by_one() -> None:
    """The first three are free: five pay twice."""
    tiers = (
        '[[tiers]]\nvalue_at_most = "3"\ncredit_percent = "0"\n[[tiers]]\nvalue_above = "3"\ncredit_percent = "5"\nper = "unit"\n'
        'beyond = "tier-edge"\n'
    )
    answer = ask({"period": "2022-03", "value": "5", **FEE}, terms(tiers, measure='of = "events"'))
    assert answer["credit_percent"] == "10"
    assert "beyond 3 that is 2, which is paid for" in answer["why"]
    assert answer["rule"] == "case: value above 3 gives 5% of fee for each one beyond 3"


def test_why_says_how_much_is_beyond() -> None:
    answer = ask(
        {"period": "2022-03", "downtime_at_least_minutes": "60", "downtime_at_most_minutes": "120", **FEE},
        terms(MET + 'credit_multiple = "10"\nbeyond = "tier-edge"'),
    )
    assert (answer["credit_at_least"], answer["credit_at_most"]) == ("9.22", "45.22")
    assert "beyond 99.9% that is 921.6 seconds to 4521.6 seconds, which is paid for" in answer["why"]
    assert answer["rule"].endswith(
        "availability below 99.9% gives 10 times the fee for the time down beyond 99.9%"
    )


def test_bounds_hold_what_is_beyond_whatever_leaves_the_denominator() -> None:
    """At most 300 of 900 or 1,000 seconds: 99% allows 9 or 10 of them, so 290 to 291 are beyond it."""
    tier = Tier(
        F(0),
        True,
        F(99, 100),
        False,
        F(0),
        "",
        "availability",
        Remedy(multiple=F(1), beyond=Allowance("availability", F(99, 100))),
    )
    choice = Choice(tier, (F(100), F(300)), (F(100, 1_000), F(300, 900)), (F(0), F(0)), F(1_000))
    assert choice.paid_for(0) == (F(90), F(9, 100), F(0))
    eligible, down, _ = choice.paid_for(1)
    # No more than a third of 1,000 seconds, of which ten are allowed.
    assert 291 <= eligible <= F(1_000, 3) - 10
    assert down == F(300, 900) - F(1, 100)
    surely_shorter = msgspec.structs.replace(choice, down=(F(100, 900), F(300, 900)))
    assert surely_shorter.paid_for(0)[0] == 90


def beyond_a_minute(tiers_of: Quantity, choice: Choice) -> Choice:
    allowance = Allowance("downtime", F(60))
    tier = Tier(F(0), True, F(1), True, F(0), "", tiers_of, Remedy(multiple=F(1), beyond=allowance))
    return msgspec.structs.replace(choice, tier=tier)


@pytest.mark.parametrize("of", ["availability", "downtime"])
def test_a_minute_is_a_minute_however_long_the_denominator_is(of: Quantity) -> None:
    """At most 300 of 900 or 1,000 seconds: 240 of them are beyond a minute."""
    whole = Tier(F(0), True, F(1), True, F(0), "")
    choice = Choice(whole, (F(100), F(300)), (F(1, 10), F(1, 3)), (F(0), F(0)), F(1_000))
    found = beyond_a_minute(of, choice)
    assert found.paid_for(0) == (F(40), F(1, 10) - F(60, 1_000), F(0))
    assert found.paid_for(1) == (F(240), F(1, 3) - F(60, 1_000), F(0))


def test_of_a_period_from_which_everything_is_taken_nothing_is_beyond() -> None:
    empty = Choice(Tier(F(0), True, F(1), True, F(0), ""), (F(0), F(0)), (F(0), F(0)), (F(0), F(0)), F(0))
    assert beyond_a_minute("downtime", empty).paid_for(1) == (F(0), F(0), F(0))
    everything = '[[exclusions]]\nkinds = ["force-majeure"]\ntreated = "removed"\n'
    text = terms(one_tier('credit_multiple = "1"\nbeyond = "1 hour"'), more=everything)
    march = ["2022-03-01T00:00:00Z", "2022-04-01T00:00:00Z"]
    excluded = [{"kind": "force-majeure", "start": march[0], "end": march[1]}]
    answer = ask({"period": "2022-03", "windows": [march], "exclusions": excluded, **FEE}, text)
    assert (answer["credit"], answer["period_seconds"]) == ("0.00", 0)


def test_blocks_beyond_it_are_counted_at_least_and_at_most() -> None:
    """Half an hour to one and a half beyond two hours: none is full, or one."""
    text = terms(one_tier('credit_percent = "10"\nper = "block"\nblock = "1 hour"\nbeyond = "2 hours"'))
    facts = {
        "period": "2022-03",
        "downtime_at_least_minutes": "150",
        "downtime_at_most_minutes": "210",
        **FEE,
    }
    answer = ask(facts, text)
    assert (answer["credit_percent_at_least"], answer["credit_percent_at_most"]) == ("0", "10")
    assert any("0 to 1 full blocks of 1 hour, 0% to 10% of" in line for line in answer["why"])


def test_in_tiers_of_downtime_the_time_beyond_is_a_part_of_the_period_as_well() -> None:
    """7,200 s are 3,600 s beyond an hour: one cent for each second of them."""
    tiers = (
        '[[tiers]]\ndowntime_at_most = "30 minutes"\ncredit_percent = "0"\n[[tiers]]\ndowntime_above = "30 minutes"\n'
        'credit_multiple = "10"\nbeyond = "1 hour"\n'
    )
    assert ask({"period": "2022-03", "downtime_hours": "2", **FEE}, terms(tiers))["credit"] == "36.00"


def test_a_workbook_shows_values_and_says_why() -> None:
    policy = parse_policy(terms(MET + 'credit_multiple = "10"\nbeyond = "tier-edge"'))
    assert reason_for_values(policy) == "value: no formula for what is paid beyond an allowance"


def test_the_linter_knows_that_nothing_is_paid_up_to_the_allowance() -> None:
    """A floor that no full block beyond two hours reaches within the tier is found; one that it reaches is none."""
    tiers = (
        '[[tiers]]\ndowntime_at_most = "{0}"\ncredit_percent = "0"\n[[tiers]]\ndowntime_above = "{0}"\n'
        'credit_percent = "60"\nper = "block"\nblock = "1 hour"\nbeyond = "2 hours"\n'
    )
    cap = '[limits]\npercent = "50"\n'
    assert kinds(terms(tiers.format("1 hour"), more=cap)) == {"limit-cuts"}
    assert kinds(terms(tiers.format("2 hours"))) == set()


# ---- more downtime than there is time --------------------------------------------------------------------------------

# Users of two windows that overlap add up: all of March and ten days of it once more are 41 days of 31.
USERS = 'of = "user-minutes"'
HOURLY = 'credit_hourly = { USD = "1.00" }'


def over_all(**first: str) -> dict[str, object]:
    windows = [("2022-04-01T00:00:00Z", first), ("2022-03-11T00:00:00Z", {})]
    return {
        **FEE, "period": "2022-03",
        "windows": [{"start": "2022-03-01T00:00:00Z", "end": end, "effect": "outage", **more} for end, more in windows],
    }  # fmt: skip


def test_bounds_hold_more_downtime_than_the_period_has() -> None:
    """With a share that may be nothing to all it is 10 to 41 days, 984 hours; each end is what that share itself comes to."""
    text = terms(MET + HOURLY, measure=USERS)
    ends = [ask(over_all(share=share), text)["credit"] for share in ("0", "1")]
    assert ends == ["240.00", "984.00"]
    open_ = ask(over_all(share_at_most="1"), text)
    assert [open_["credit_at_least"], open_["credit_at_most"]] == ends
    by_block = terms(MET + 'service_days = "1"\nper = "block"\nblock = "1 day"', measure=USERS)
    days = ask(over_all(share_at_most="1"), by_block)
    assert (days["service_days_at_least"], days["service_days_at_most"]) == ("10", "41")


def test_a_multiple_pays_for_the_whole_period_at_most_and_why_says_so() -> None:
    """All of 2,678,400 seconds pay the fee; but for the 2,678.4 that are allowed, 2,675.72 of it."""
    sentence = "as a multiple of fee no more than the whole period is paid for: {}"
    whole = ask(over_all(), terms(MET + 'credit_multiple = "1"', measure=USERS))
    assert whole["credit"] == "2678.40"
    assert sentence.format("31 days") in whole["why"]
    beyond = ask(over_all(), terms(MET + 'credit_multiple = "1"\nbeyond = "tier-edge"', measure=USERS))
    assert beyond["credit"] == "2675.72"
    assert sentence.format("2675721.6 seconds") in beyond["why"]
    hourly = ask(over_all(), terms(MET + HOURLY, measure=USERS))
    assert not any("whole period" in one for one in hourly["why"])
    # With a share of nothing to all it is 10 to 41 days; and of no share at all only the ten are down.
    text = terms(MET + 'credit_multiple = "1"', measure=USERS)
    assert sentence.format("10 days to 31 days") in ask(over_all(share_at_most="1"), text)["why"]
    assert not any("whole period" in one for one in ask(over_all(share="0"), text)["why"])
    # What is down for just the whole period is paid for as it is.
    once = [{"start": "2022-03-01T00:00:00Z", "end": "2022-04-01T00:00:00Z"}]
    assert not any("whole period" in one for one in ask({**over_all(), "windows": once}, text)["why"])
