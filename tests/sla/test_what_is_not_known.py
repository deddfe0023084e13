"""What nobody knows yet stays a bound, whatever is asked for: each case through the command line, its bounds worked out by hand.

Where the customer is not named, an exclusion of one customer, or of a cohort, may be about the customer or not. March 2022 has
2,678,400 seconds.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ledger.cli import main
from tests.sla.asking import ask, ladder, one_tier, refused, terms

FEE = {"fee": "100.00", "currency": "EUR"}
# 10% below 99.9%, of which March allows 2,678.4 seconds.
TIERS = ladder([{"lt": "99.9", "credit": "10"}])
LIMITED = '[[exclusions]]\nkinds = ["planned-maintenance"]\nmost = "10 hours"\nmost_per = "{}"\n'
EXCLUDED = '[[exclusions]]\nkinds = ["planned-maintenance"]\n'
REMOVED = f'{EXCLUDED}treated = "removed"\n'


def span(day: int, hours: int, start: int = 0, minutes: int = 0) -> dict[str, Any]:
    """So many hours of a day of March."""
    begin, end = start * 60, start * 60 + hours * 60 + minutes
    return {
        name: f"2022-03-{day + at // 1440:02}T{at % 1440 // 60:02}:{at % 60:02}:00Z"
        for name, at in (("start", begin), ("end", end))
    }


def bounds(answer: dict[str, Any], name: str) -> tuple[Any, Any]:
    return answer[f"{name}_at_least"], answer[f"{name}_at_most"]


# ---- a limit that something perhaps uses up --------------------------------------------------------------------------


@pytest.mark.parametrize("per", ["period", "year"])
@pytest.mark.parametrize("whose", [{"customer": "Acme"}, {"cohort": "beta"}])
def test_a_limit_that_is_perhaps_used_up_leaves_what_comes_later_open(
    per: str, whose: dict[str, str]
) -> None:
    """Ten hours of the 1st, perhaps, then ten of the 5th, when all was down: ten hours count, or none."""
    facts = {
        "period": "2022-03", **FEE, "windows": [span(5, 10)],
        "exclusions": [{"exclusion": "first", **span(1, 10), **whose}, {"exclusion": "second", **span(5, 10)}],
    }  # fmt: skip
    text = terms(TIERS, more=LIMITED.format(per))
    answer = ask(facts, text)
    assert bounds(answer, "eligible_downtime_seconds") == (0, 36_000)
    assert (answer["credit"], bounds(answer, "credit")) == (None, ("0.00", "10.00"))
    name = (
        "exclusion 'first' is about the customer"
        if "customer" in whose
        else "the customer is in cohort 'beta'"
    )
    assert answer["decides"] == f"whether {name}"
    # And so it turns out.
    for is_it, credit in ((True, "10.00"), (False, "0.00")):
        known: dict[str, Any] = {"customer": "Acme" if is_it else "Bolt"}
        if "cohort" in whose:
            known = {"inside" if is_it else "outside": ["beta"]}
        assert ask({**facts, **known}, text)["credit"] == credit


def test_what_perhaps_used_up_a_limit_of_the_year_is_named_where_it_was_before_the_period(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issued from a ledger: refused until the cohort is published, and then right."""
    runner = CliRunner(env={"LEDGER_URL": "sqlite:///l.db", "LEDGER_ACTOR": None})
    monkeypatch.chdir(tmp_path)
    Path("p.toml").write_text(terms(TIERS, more=LIMITED.format("year")))
    Path("all.csv").write_text(
        "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n"
        "Bolt,s1,mail,EMEA,case,EUR,100.00,2021-01-01,\n"
    )
    Path("beta.csv").write_text("customer\nAcme\n")

    def run(*words: str) -> Any:
        return runner.invoke(main, words)

    def ok(*words: str) -> str:
        result = run(*words)
        assert result.exit_code == 0, result.output
        found: str = result.stdout
        return found

    where = ("--service", "mail", "--component", "*", "--region", "*", "--actor", "f")
    ok("init")
    ok("policy", "publish", "p.toml", "--actor", "f")
    ok("subscriptions", "publish", "all", "all.csv", "--actor", "f")
    ok("incident", "open", "i", "--actor", "o", "--title", "t", "--status", "investigating", "--service", "mail",
       "--region", "EMEA", "--component", "flow")  # fmt: skip
    ok("window", "add", "i", "w", *where, "--start", "2022-03-05T00:00:00Z", "--end", "2022-03-05T10:00:00Z", "--effect", "outage")  # fmt: skip
    for name, day, more in (("xa", "02-01", ("--cohort", "beta")), ("xb", "03-05", ())):
        ok("sla", "exclude", name, *where, "--kind", "planned-maintenance", "--start", f"2022-{day}T00:00:00Z",
           "--end", f"2022-{day}T10:00:00Z", "--approved-by", "m", "--evidence", "e", *more)  # fmt: skip
    (row,) = json.loads(ok("credits", "compute", "--period", "2022-03", "--json"))["rows"]
    assert (row["credit"], bounds(row, "credit")) == (None, ("0.00", "10.00"))
    assert row["entries"][:2] == ["exclusion/xa v1", "exclusion/xb v1"]
    assert run("credits", "issue", "--period", "2022-03", "--actor", "f").exit_code == 1
    ok("cohort", "publish", "beta", "beta.csv", "--actor", "f")
    (row,) = json.loads(ok("credits", "compute", "--period", "2022-03", "--json"))["rows"]
    assert (row["credit"], row["entries"][:2]) == ("0.00", ["cohort/beta v1", "exclusion/xb v1"])


# ---- time without data -----------------------------------------------------------------------------------------------

# The first of March, of which nothing is known between 2 and 4 o'clock.
A_DAY = {"period": "2022-03-01", "observed": [
    ["2022-03-01T00:00:00Z", "2022-03-01T02:00:00Z"], ["2022-03-01T04:00:00Z", "2022-03-02T00:00:00Z"],
]}  # fmt: skip


def of_time(missing: str, more: str = REMOVED) -> str:
    return terms(TIERS, measure=f'of = "time"\nmissing = "{missing}"', more=more)


@pytest.mark.parametrize(
    ("missing", "rule", "removed", "down"),
    [
        ("excluded", REMOVED, 7_200, 0), ("down", REMOVED, 7_200, 0), ("available", REMOVED, 7_200, 0),
        # What is excluded and treated as up is up, whether anybody looked or not.
        ("excluded", EXCLUDED, 0, 0), ("down", EXCLUDED, 0, 0), ("available", EXCLUDED, 0, 0),
        ("excluded", "", 7_200, 0), ("down", "", 0, 7_200), ("available", "", 0, 0),
    ],
)  # fmt: skip
def test_a_second_without_data_that_is_excluded_leaves_once_and_is_not_down(
    missing: str, rule: str, removed: int, down: int
) -> None:
    answer = ask({**A_DAY, "exclusions": [span(1, 2, 2)]}, of_time(missing, rule))
    assert (answer["removed_seconds"], answer["period_seconds"]) == (removed, 86_400 - removed)
    assert bounds(answer, "eligible_downtime_seconds") == (down, down)


def test_half_of_an_exclusion_in_time_without_data_leaves_once() -> None:
    """Excluded from 3 to 5 o'clock, unseen from 2 to 4: three hours leave."""
    answer = ask({**A_DAY, "exclusions": [span(1, 2, 3)]}, of_time("excluded"))
    assert (answer["removed_seconds"], answer["availability"]) == (10_800, "100.000000000000")
    assert (
        ask({**A_DAY, "exclusions": [span(1, 2, 3)]}, of_time("down"))["eligible_downtime_seconds"] == 3_600
    )


@pytest.mark.parametrize(
    ("missing", "rule", "removed", "down"),
    [
        # Taken out as without data or as excluded: gone in any case.
        ("excluded", REMOVED, (7_200, 7_200), (0, 0)),
        # As without data, or up.
        ("excluded", EXCLUDED, (0, 7_200), (0, 0)),
        ("down", REMOVED, (0, 7_200), (0, 7_200)),
        ("down", EXCLUDED, (0, 0), (0, 7_200)),
    ],
)
def test_a_second_without_data_that_is_perhaps_excluded_is_a_bound(
    missing: str, rule: str, removed: tuple[int, int], down: tuple[int, int]
) -> None:
    answer = ask({**A_DAY, "exclusions": [{**span(1, 2, 2), "customer": "Acme"}]}, of_time(missing, rule))
    assert (answer["removed_seconds"], answer["removed_seconds_at_most"]) == removed
    assert bounds(answer, "eligible_downtime_seconds") == down


def test_where_perhaps_nothing_is_left_of_a_period_two_open_facts_leave_any_part_of_it() -> None:
    """Of a day of which the first hour was seen, and down for half of it, that hour is perhaps removed, and another perhaps stays up."""
    seen = [["2022-03-01T00:00:00Z", "2022-03-01T01:00:00Z"]]
    facts = {"period": "2022-03-01", "observed": seen, "windows": [span(1, 0, 0, 30)]}
    rules = f'{REMOVED}[[exclusions]]\nkinds = ["customer"]\n'
    off = [
        {**span(1, 0, 0, 60), "customer": "Acme"},
        {**span(1, 1, 1), "kind": "customer", "customer": "Bolt"},
    ]
    text = of_time("excluded", rules)
    found = ask({**facts, "exclusions": off}, text)
    assert bounds(found, "availability") == ("0.000000000000", "100.000000000000")
    for customer, availability in (("Acme", "100"), ("Bolt", "75"), ("Cole", "50")):
        answer = ask({**facts, "exclusions": off, "customer": customer}, text)
        assert answer["availability"] == f"{availability}.000000000000"


def test_an_outage_in_time_without_data_that_leaves_the_period_is_not_down_in_it() -> None:
    """Down from 1 to 5 o'clock: two hours of it are seen, of 22."""
    facts = {**A_DAY, "windows": [span(1, 4, 1)]}
    found = ask(facts, of_time("excluded"))
    assert (found["period_seconds"], found["eligible_downtime_seconds"]) == (79_200, 7_200)
    assert found["availability"] == "90.909090909091"
    # All of it unseen: nothing that is left was down.
    alone = ask({**A_DAY, "windows": [span(1, 2, 2)]}, of_time("excluded"))
    assert (alone["eligible_downtime_seconds"], alone["availability"]) == (0, "100.000000000000")
    for missing in ("down", "available"):
        assert ask(facts, of_time(missing))["eligible_downtime_seconds"] == 14_400


def test_an_open_outage_in_time_without_data_that_counts_as_down_adds_nothing() -> None:
    """Down since 3 o'clock, seen last at 2, and nothing known until 4: from 2 to 4 in any case, and until midnight at most."""
    facts = {**A_DAY, "windows": [{"start": "2022-03-01T03:00:00Z"}], "as_of": "2022-03-01T03:30:00Z"}
    assert bounds(ask(facts, of_time("down")), "eligible_downtime_seconds") == (7_200, 79_200)


# ---- counts, latencies and days --------------------------------------------------------------------------------------


def of_events(counts: str, more: str = "") -> str:
    tiers = '[[tiers]]\nvalue_at_most = "1"\ncredit_percent = "0"\n[[tiers]]\nvalue_above = "1"\ncredit_percent = "10"\n'
    return terms(tiers, measure=f'of = "events"\ncounts = "{counts}"', more=EXCLUDED + more)


ACME = {"exclusion": "work", "customer": "Acme"}


def test_an_outage_that_is_perhaps_cut_in_two_is_one_or_two() -> None:
    facts = {"period": "2022-03", **FEE, "windows": [span(5, 10)], "exclusions": [{**ACME, **span(5, 1, 4)}]}
    answer = ask(facts, of_events("outages"))
    assert (bounds(answer, "value"), bounds(answer, "credit")) == (("1", "2"), ("0.00", "10.00"))
    assert answer["decides"] == "whether exclusion 'work' is about the customer"


def test_one_of_two_outages_is_perhaps_excluded() -> None:
    two = [span(5, 10), span(7, 10)]
    facts = {"period": "2022-03", "windows": two, "exclusions": [{**ACME, **span(7, 10)}]}
    assert bounds(ask(facts, of_events("outages")), "value") == ("1", "2")
    # What lies between them is open: they join, or they do not.
    open_end = {"period": "2022-03", "windows": [{**two[0], "end_within_seconds": 172_800}, two[1]]}
    assert bounds(ask(open_end, of_events("outages")), "value") == ("1", "2")


def test_outages_whose_times_touch_within_their_tolerance_are_counted_apart() -> None:
    """Two of an hour a second apart, each of which may begin a minute later: one, or two."""
    two = [
        {"start": "2022-03-05T00:00:00Z", "end": "2022-03-05T01:00:00Z", "end_within_seconds": 60},
        {"start": "2022-03-05T01:00:01Z", "end": "2022-03-05T02:00:00Z", "start_within_seconds": 60},
    ]  # fmt: skip
    assert bounds(ask({"period": "2022-03", "windows": two}, of_events("outages")), "value") == ("1", "2")


LATENCY = terms(
    '[[tiers]]\nvalue_at_most = "1"\ncredit_percent = "0"\n[[tiers]]\nvalue_above = "1"\ncredit_percent = "10"\n',
    measure='of = "latency"\nstatistic = "p95"', more=EXCLUDED,
)  # fmt: skip


def slow(day: int, value: str, name: str) -> dict[str, Any]:
    return {
        "of": "latency",
        "value": value,
        "unit": "seconds",
        "statistic": "p95",
        "measurement": name,
        **span(day, 24),
    }


def test_a_latency_that_was_perhaps_measured_in_excluded_time_is_a_bound() -> None:
    """0.1 on the 3rd and 5 on the 4th: 2.55 together, 0.1 without the 4th; 12 hours of the 3rd weigh half of it."""
    both = [slow(3, "0.1", "a"), slow(4, "5", "b")]
    facts = {"period": "2022-03", **FEE, "measurements": both, "exclusions": [{**ACME, **span(4, 24)}]}
    answer = ask(facts, LATENCY)
    assert (bounds(answer, "value"), bounds(answer, "credit")) == (("0.1", "2.55"), ("0.00", "10.00"))
    assert answer["decides"] == "whether exclusion 'work' is about the customer"
    part = ask({**facts, "exclusions": [{**ACME, **span(3, 12)}]}, LATENCY)
    assert bounds(part, "value") == ("2.55", "3.366666666667")
    highest = LATENCY.replace('statistic = "p95"', 'statistic = "p95"\ncombine = "maximum"')
    assert bounds(ask(facts, highest), "value") == ("0.1", "5")
    assert bounds(ask({**facts, "exclusions": [{**ACME, **span(3, 24)}]}, highest), "value") == ("5", "5")


def test_a_latency_of_which_perhaps_nothing_is_left_is_refused() -> None:
    facts = {
        "period": "2022-03",
        "measurements": [slow(4, "5", "b")],
        "exclusions": [{**ACME, **span(4, 24)}],
    }
    assert "was perhaps measured in excluded time alone" in refused(facts, LATENCY)
    assert ask({**facts, "customer": "Bolt"}, LATENCY)["value"] == "5"


DAYS = terms(
    '[[tiers]]\nvalue_below = "1"\ncredit_percent = "0"\n[[tiers]]\nvalue_at_least = "1"\ncredit_percent = "10"\n',
    measure='of = "consecutive-days"', counting='share_above = "0.05"', more=EXCLUDED,
)  # fmt: skip


def bad(day: int, failed: int = 50, **more: Any) -> dict[str, Any]:
    return {
        "of": "messages",
        "failed": failed,
        "total": 100,
        "measurement": f"d{day}",
        "region": "EMEA",
        **span(day, 24),
        **more,
    }


def test_a_day_that_is_perhaps_excluded_is_bad_or_not() -> None:
    facts = {"period": "2022-03", **FEE, "measurements": [bad(4)], "exclusions": [{**ACME, **span(4, 24)}]}
    answer = ask(facts, DAYS)
    assert (bounds(answer, "value"), bounds(answer, "credit")) == (("0", "1"), ("0.00", "10.00"))
    # Three in a row, or one on either side.
    three = ask({**facts, "measurements": [bad(3), bad(4), bad(5)]}, DAYS)
    assert bounds(three, "value") == ("1", "3")


def test_a_day_of_an_unknown_region_is_bad_or_not() -> None:
    facts = {"period": "2022-03", "region": "EMEA", "measurements": [bad(4, region="unknown")]}
    answer = ask(facts, DAYS)
    assert bounds(answer, "value") == ("0", "1")
    assert answer["decides"] == "whether measurement incident-1/d4 was in EMEA"
    # Beside 94 that passed elsewhere it is bad as soon as all that failed was here.
    beside = [bad(4, 0, measurement="sure"), bad(4, 50, region="unknown")]
    assert bounds(ask({**facts, "measurements": beside}, DAYS), "value") == ("0", "1")
    fine = [bad(4, 0, total=10_000, measurement="sure"), bad(4, 50, region="unknown")]
    assert ask({**facts, "measurements": fine}, DAYS)["value"] == "0"


# ---- plain figures ---------------------------------------------------------------------------------------------------


def test_a_part_of_several_outages_that_was_excluded_is_refused() -> None:
    facts = {"period": "2022-03", "outages": [{"minutes": "600"}], "excluded_downtime_minutes": "600"}
    assert refused(facts, terms(TIERS, more=EXCLUDED)) == (
        "excluded_downtime of 36000 seconds stands beside outages, and of which of them it is a part is not known; "
        "state each outage without what was excluded of it"
    )
    rates = {
        "period": "2022-03",
        "error_rates": [{"rate": "1", "buckets": 10}],
        "excluded_downtime_minutes": "1",
    }
    assert "stands beside error_rates" in refused(
        rates, terms(TIERS, measure='of = "error-rate"\nbucket = "1 minute"')
    )


@pytest.mark.parametrize("incidents", ["together", "sum", "best-of"])
def test_excluded_time_leaves_the_period_of_each_incident(incidents: str) -> None:
    """A minute of 1,000, of which 500 are taken out: 99.8%, and 99.9% were promised."""
    text = terms(TIERS, more=f'{REMOVED}[stacking]\nincidents = "{incidents}"\n')
    facts = {"period_minutes": "1000", "outages": [{"minutes": "1"}], "excluded_minutes": "500", **FEE}
    answer = ask(facts, text)
    assert (answer["availability"], answer["credit"]) == ("99.800000000000", "10.00")


def test_time_without_data_counts_for_each_incident() -> None:
    text = terms(TIERS, measure='of = "time"\nmissing = "down"', more='[stacking]\nincidents = "best-of"\n')
    facts = {"period_minutes": "10000", "outages": [{"minutes": "1"}], "unobserved_minutes": "50", **FEE}
    assert (ask(facts, text)["availability"], ask(facts, text)["credit"]) == ("99.490000000000", "10.00")


# ---- what would decide -----------------------------------------------------------------------------------------------

MESSAGES = terms(TIERS, measure='of = "messages"', more=EXCLUDED).replace(
    '[counting]\neffects = ["outage"]\n', ""
)


def test_the_measurement_that_would_decide_is_named() -> None:
    here = bad(3, 0, total=900, measurement="sure")
    over = bad(4, 5, start="2022-02-28T23:00:00Z", end="2022-03-01T01:00:00Z", measurement="over")
    answer = ask({"period": "2022-03", **FEE, "measurements": [here, over]}, MESSAGES)
    assert (bounds(answer, "availability")[1], bounds(answer, "credit")) == (
        "100.000000000000",
        ("0.00", "10.00"),
    )
    assert answer["decides"] == "how much of measurement incident-2/over was in the period"
    elsewhere = {**bad(4, 5, region="unknown"), "measurement": "there"}
    answer = ask({"period": "2022-03", **FEE, "measurements": [here, elsewhere]}, MESSAGES)
    assert answer["decides"] == "whether measurement incident-2/there was in EMEA"
    partly = {"period": "2022-03", **FEE, "measurements": [here, bad(4, 5)], "exclusions": [span(4, 12)]}
    answer = ask(partly, MESSAGES)
    assert answer["decides"] == "how much of measurement incident-2/d4 was in time that is not excluded"
    both = ask({"period": "2022-03", **FEE, "measurements": [here, over, elsewhere]}, MESSAGES)
    assert both["decides"] == (
        "no single fact: how much of measurement incident-2/over was in the period; "
        "whether measurement incident-3/there was in EMEA are open together"
    )


def test_the_bucket_that_was_measured_nobody_knows_where_would_decide() -> None:
    text = terms(TIERS, measure='of = "error-rate"\nbucket = "1 hour"')
    one = {**bad(4, 50, region="unknown"), "of": "requests"}
    answer = ask({"period": "2022-03", "region": "EMEA", **FEE, "measurements": [one]}, text)
    assert bounds(answer, "eligible_downtime_seconds") == (0, 86_400)
    assert answer["decides"] == "whether measurement incident-1/d4 was in EMEA"


def test_a_component_that_is_not_known_would_decide() -> None:
    text = terms(TIERS, more='[scope]\ncomponents = ["inbox"]\n')
    facts = {"period": "2022-03", **FEE, "windows": [{**span(4, 10), "component": "unknown"}]}
    answer = ask(facts, text)
    assert bounds(answer, "credit") == ("0.00", "10.00")
    assert answer["decides"] == "whether window incident-1/window-1 was of inbox"


def test_exclusions_of_one_customer_decide_together() -> None:
    off = [
        {"exclusion": "x", **span(5, 5), "customer": "Acme"},
        {"exclusion": "y", **span(5, 5, 5), "customer": "Acme"},
    ]
    facts = {"period": "2022-03", **FEE, "windows": [span(5, 10)], "exclusions": off}
    answer = ask(facts, terms(TIERS, more=EXCLUDED))
    assert answer["decides"] == "whether exclusions 'x' and 'y' are about the customer"


@pytest.mark.parametrize("regions", ["each", "union"])
def test_an_exclusion_nobody_knows_where_is_a_bound(regions: str) -> None:
    """A window of an unknown region under an exclusion of one, and the other way round."""
    text = terms(TIERS, more=f'{EXCLUDED}[scope]\nregions = "{regions}"\n')
    facts = {"period": "2022-03", "region": "EMEA", **FEE, "windows": [{**span(5, 10), "region": "EMEA"}]}
    off = {"exclusion": "x", **span(5, 10), "region": "unknown"}
    answer = ask({**facts, "exclusions": [off]}, text)
    assert bounds(answer, "credit") == ("0.00", "10.00")
    assert answer["decides"] == "where exclusion 'x' was"


@pytest.mark.parametrize(
    ("regions", "place", "decides"),
    [
        ("each", {"component": "inbox"}, "of which component window incident-1/window-1 was"),
        ("union", {"region": "NAM"}, "where window incident-1/window-1 was"),
    ],
)
def test_a_window_nobody_knows_where_is_perhaps_excluded(
    regions: str, place: dict[str, str], decides: str
) -> None:
    text = terms(TIERS, more=f'{EXCLUDED}[scope]\nregions = "{regions}"\n')
    unknown = dict.fromkeys(place, "unknown")
    facts = {"period": "2022-03", "region": "EMEA", **FEE, "windows": [{**span(5, 10), **unknown}]}
    answer = ask({**facts, "exclusions": [{**span(5, 10), **place}]}, text)
    assert (bounds(answer, "credit"), answer["decides"]) == (("0.00", "10.00"), decides)
    for there, credit in ((place, "0.00"), (dict.fromkeys(place, "EMEA"), "10.00")):
        known = {**facts, "windows": [{**span(5, 10), **there}], "exclusions": [{**span(5, 10), **place}]}
        assert ask(known, text)["credit"] == credit


def test_one_tier_is_decided_whatever_the_facts_are() -> None:
    text = terms(one_tier('credit_percent = "5"'), more=LIMITED.format("period"))
    off = [{**ACME, **span(1, 10)}, {"exclusion": "second", **span(5, 10)}]
    answer = ask({"period": "2022-03", **FEE, "windows": [span(5, 10)], "exclusions": off}, text)
    assert (answer["credit"], answer["decides"]) == ("5.00", None)
