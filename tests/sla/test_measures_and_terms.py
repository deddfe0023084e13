"""Each measure and each kind of term, asked through `ledger sla evaluate` with figures that can be counted by hand."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ledger.cli import main
from projections.evaluation.requests import FACTS
from tests.sla import asking

Answer = dict[str, Any]


def terms(measure: str, tiers: str, **more: str) -> str:
    """A policy of format 2 from its parts; `period` and `credit` add to their tables, other words are tables of their own."""
    text = 'format = 2\npolicy = "p"\nin_force_from = 2020-01-01\n[period]\nzone = "UTC"\n'
    text += more.pop("period", 'kind = "calendar-month"') + f"\n[measure]\n{measure}\n"
    text += f'[credit]\nrounding = "half-up"\n{more.pop("credit", "")}\n'
    return text + tiers + "\n" + more.pop("tables", "")


def ask(text: str, **facts: Any) -> Answer:
    return asking.ask(facts, text)


def refused(text: str, **facts: Any) -> str:
    result = CliRunner().invoke(main, ["sla", "evaluate", "-"], input=json.dumps({"terms": text, **facts}))
    assert result.exit_code == 1, result.output
    return result.stderr


LADDER = """[[tiers]]
availability_at_least = "99"
credit_percent = "0"
[[tiers]]
availability_below = "99"
credit_percent = "10"
"""
COUNTED = """[[tiers]]
value_at_most = "2"
credit_percent = "0"
[[tiers]]
value_above = "2"
credit_percent = "5"
per = "unit"
"""
OUTAGE = '[counting]\neffects = ["outage"]\n'


def measured(of: str, start: str, end: str, **figures: Any) -> dict[str, Any]:
    return {"of": of, "start": f"2022-06-{start}:00Z", "end": f"2022-06-{end}:00Z", **figures}


def test_an_error_rate_is_the_average_of_all_buckets() -> None:
    """Half of the requests of 18 of 720 hours fail: 1.25%."""
    text = terms('of = "error-rate"\nbucket = "60 minutes"', LADDER)
    answer = ask(
        text, period="2022-06", measurements=[measured("requests", "10T00:00", "10T18:00", failed=1, total=2)]
    )
    assert (answer["availability"], answer["credit_percent"]) == ("98.750000000000", "10")
    said = refused(
        text, period="2022-06", measurements=[measured("requests", "10T00:30", "10T02:30", failed=1, total=2)]
    )
    assert "crosses the edge of a bucket of 3600 seconds" in said


@pytest.mark.parametrize(
    ("missing", "availability"), [("available", "99.3"), ("excluded", "50"), ("down", "0.7")]
)
def test_what_has_no_data_is_up_or_left_out_or_down(missing: str, availability: str) -> None:
    """Data for ten hours of a period of 714 and two sevenths, half of it bad."""
    text = terms(f'of = "error-rate"\nbucket = "60 minutes"\nmissing = "{missing}"', LADDER)
    period = {"start": "2022-06-01T00:00:00Z", "end": "2022-06-30T18:17:08Z"}
    answer = ask(
        text, period=period, measurements=[measured("requests", "10T00:00", "10T10:00", failed=1, total=2)]
    )
    assert round(float(answer["availability"]), 2) == float(availability)


def test_executions_count_what_lies_in_the_period_and_bound_what_lies_across_it() -> None:
    text = terms('of = "executions"', LADDER)
    inside = measured("executions", "10T00:00", "11T00:00", failed=30, total=1000)
    assert ask(text, period="2022-06", measurements=[inside])["availability"] == "97.000000000000"
    across = {
        "of": "executions",
        "start": "2022-05-31T00:00:00Z",
        "end": "2022-06-02T00:00:00Z",
        "failed": 10,
        "total": 1000,
    }
    answer = ask(text, period="2022-06", measurements=[inside, across])
    # Of the counts over the edge none or all may belong to the month.
    assert (answer["availability_at_least"], answer["availability_at_most"]) == (
        "96.039603960396",
        "98.492462311558",
    )
    assert ask(text, failed=0, total=0)["availability"] == "100.000000000000"


def test_latency_is_averaged_over_time_or_the_highest() -> None:
    latencies = [
        measured("latency", "10T00:00", "10T03:00", value="40", unit="seconds", statistic="p95"),
        measured("latency", "10T03:00", "10T04:00", value="2", unit="minutes", statistic="p95"),
    ]
    tiers = '[[tiers]]\nvalue_at_most = "50"\ncredit_percent = "0"\n[[tiers]]\nvalue_above = "50"\ncredit_percent = "7"\n'
    for combine, value in (("average", "60"), ("maximum", "120")):
        text = terms(f'of = "latency"\nstatistic = "p95"\ncombine = "{combine}"', tiers)
        answer = ask(text, period="2022-06", measurements=latencies)
        assert (answer["value"], answer["credit_percent"], answer["availability"]) == (value, "7", None)
    assert "the policy asks for 'p99'" in refused(
        terms('of = "latency"\nstatistic = "p99"', tiers), period="2022-06", measurements=latencies
    )


def test_the_longest_run_of_bad_days_counts() -> None:
    days = [3, 4, 5, 7, 8]
    bad = [
        measured("messages", f"{day:02}T00:00", f"{day + 1:02}T00:00", failed=2, total=100) for day in days
    ]
    text = terms('of = "consecutive-days"', COUNTED, tables='[counting]\nshare_above = "0.01"\n')
    answer = ask(text, period="2022-06", measurements=bad)
    assert (answer["value"], answer["credit_percent"]) == ("3", "15")


def test_events_are_incidents_or_outages_or_what_failed() -> None:
    windows = [
        {"incident": "a", "start": "2022-06-01T00:00:00Z", "end": "2022-06-01T01:00:00Z"},
        {"incident": "a", "start": "2022-06-02T00:00:00Z", "end": "2022-06-02T01:00:00Z"},
        {"incident": "b", "start": "2022-06-02T00:30:00Z", "end": "2022-06-02T01:30:00Z"},
        {"incident": "c", "start": "2022-06-03T00:00:00Z", "end": "2022-06-03T01:00:00Z", "effect": "delay"},
        {"incident": "d", "start": "2022-06-04T00:00:00Z", "end": "2022-06-04T01:00:00Z"},
    ]
    incidents = ask(terms('of = "events"', COUNTED, tables=OUTAGE), period="2022-06", windows=windows)
    assert (incidents["value"], incidents["credit_percent"]) == ("3", "15")
    outages = ask(
        terms('of = "events"\ncounts = "outages"', COUNTED, tables=OUTAGE), period="2022-06", windows=windows
    )
    assert outages["value"] == "3"
    lost = ask(
        terms('of = "events"\ncounts = "failed"\nreads = ["messages"]', COUNTED), period="2022-06",
        measurements=[measured("messages", "10T00:00", "10T01:00", failed=4, total=100)],
    )  # fmt: skip
    assert (lost["value"], lost["credit_percent"]) == ("4", "20")


def test_service_wide_downtime_is_down_everywhere_at_once() -> None:
    scope = '[scope]\nregions = "service-wide"\nall_regions = ["A", "B"]\n'
    windows = [
        {"region": "A", "start": "2022-06-01T00:00:00Z", "end": "2022-06-01T02:00:00Z"},
        {"region": "B", "start": "2022-06-01T01:30:00Z", "end": "2022-06-01T03:00:00Z"},
    ]
    text = terms('of = "time"', LADDER, tables=OUTAGE + scope)
    assert ask(text, period="2022-06", windows=windows)["eligible_downtime_seconds"] == 1800
    one = ask(terms('of = "time"', LADDER, tables=OUTAGE + '[scope]\ncomponents = ["web"]\n'), period="2022-06", region="A",
              windows=[{**windows[0], "component": "web"}, {**windows[1], "region": "A", "component": "mail"}])  # fmt: skip
    assert one["eligible_downtime_seconds"] == 7200


def test_a_yearly_limit_of_maintenance_is_used_up_by_the_first_of_it() -> None:
    """Three hours in February leave one of four for June."""
    rule = '[[exclusions]]\nkinds = ["planned-maintenance"]\nmost = "4 hours"\n'
    exclusions = [
        ["2022-02-01T00:00:00Z", "2022-02-01T03:00:00Z"],
        ["2022-06-01T00:00:00Z", "2022-06-01T02:00:00Z"],
    ]
    windows = [["2022-06-01T00:00:00Z", "2022-06-01T02:00:00Z"]]
    text = terms('of = "time"', LADDER, tables=OUTAGE + rule)
    answer = ask(text, period="2022-06", windows=windows, exclusions=exclusions)
    assert (answer["downtime_seconds"], answer["eligible_downtime_seconds"]) == (7200, 3600)


def test_an_exclusion_of_one_customer_is_a_bound_until_the_customer_is_said() -> None:
    rule = '[[exclusions]]\nkinds = ["customer"]\n'
    facts: dict[str, Any] = {
        "period": "2022-06", "windows": [["2022-06-01T00:00:00Z", "2022-06-01T10:00:00Z"]], "currency": "USD", "fee": "100.00",
        "exclusions": [{"kind": "customer", "customer": "Acme", "start": "2022-06-01T00:00:00Z", "end": "2022-06-01T10:00:00Z"}],
    }  # fmt: skip
    text = terms('of = "time"', LADDER, tables=OUTAGE + rule)
    unsaid = ask(text, **facts)
    assert (unsaid["credit_at_least"], unsaid["credit_at_most"]) == ("0.00", "10.00")
    assert unsaid["decides"] == "whether exclusion 'exclusion-1' is about the customer"
    assert [ask(text, **facts, customer=name)["credit"] for name in ("Acme", "Bell")] == ["0.00", "10.00"]


def test_a_cohort_is_a_bound_until_it_is_said_who_is_in_it() -> None:
    facts: dict[str, Any] = {
        "period": "2022-06", "windows": [{"start": "2022-06-01T00:00:00Z", "end": "2022-06-01T10:00:00Z", "cohort": "beta"}],
    }  # fmt: skip
    text = terms('of = "time"', LADDER, tables=OUTAGE)
    unsaid = ask(text, **facts)
    assert unsaid["decides"] == "whether the customer is in cohort 'beta'"
    assert unsaid["provisional"]
    assert [ask(text, **facts, **{side: ["beta"]})["credit_percent"] for side in ("inside", "outside")] == [
        "10",
        "0",
    ]


TWO = """[[commitments]]
name = "uptime"
[commitments.measure]
of = "time"
[commitments.counting]
effects = ["outage"]
[[commitments.tiers]]
availability_at_least = "99"
credit_percent = "0"
[[commitments.tiers]]
availability_below = "99"
credit_percent = "10"
[[commitments]]
name = "delivery"
[commitments.measure]
of = "affected-share"
[commitments.counting]
effects = ["delay"]
[[commitments.tiers]]
availability_at_least = "99"
credit_percent = "0"
[[commitments.tiers]]
availability_below = "99"
credit_percent = "25"
"""


@pytest.mark.parametrize(
    ("rule", "least", "most"), [("best-of", "25", "25"), ("sum", "35", "35"), ("choose-one", "10", "25")]
)
def test_several_commitments_are_stacked_as_the_policy_says(rule: str, least: str, most: str) -> None:
    text = terms("", "").replace("[measure]\n\n", "") + TWO + f'[stacking]\ncommitments = "{rule}"\n'
    windows = [
        {"start": "2022-06-01T00:00:00Z", "end": "2022-06-01T10:00:00Z"},
        {"start": "2022-06-02T00:00:00Z", "end": "2022-06-02T20:00:00Z", "effect": "delay", "share": "0.5"},
    ]
    answer = ask(text, period="2022-06", windows=windows)
    assert (answer["credit_percent_at_least"], answer["credit_percent_at_most"]) == (least, most)
    assert [one["met"] for one in answer["commitments"]] == [False, False]
    if rule == "choose-one":
        assert answer["decides"] == "which of the commitments the customer chooses"
        assert ask(text, period="2022-06", windows=windows, chosen="uptime")["credit_percent"] == "10"


@pytest.mark.parametrize(("rule", "percent"), [("together", "15"), ("sum", "10"), ("best-of", "5")])
def test_incidents_may_be_measured_one_by_one(rule: str, percent: str) -> None:
    """Two incidents of 50 minutes: together three full half hours, each alone one."""
    tier = '[[tiers]]\ncredit_percent = "5"\nper = "block"\nblock = "30 minutes"\n'
    text = terms('of = "time"', tier, tables=OUTAGE + f'[stacking]\nincidents = "{rule}"\n')
    answer = ask(text, period="2022-06", windows=[
        {"incident": name, "start": f"2022-06-0{day}T00:00:00Z", "end": f"2022-06-0{day}T00:50:00Z"} for name, day in (("a", 1), ("b", 2))
    ])  # fmt: skip
    assert answer["credit_percent"] == percent


def test_a_rolling_limit_counts_what_was_credited_before() -> None:
    limit = '[limits]\nrolling_percent = "100"\n'
    text = terms('of = "time"', '[[tiers]]\ncredit_percent = "60"\n', tables=OUTAGE + limit)
    facts: dict[str, Any] = {"downtime_minutes": 1, "fee": "100.00", "currency": "USD"}
    assert [
        ask(text, **facts, credited_before=before)["credit"] for before in ("0.00", "70.00", "120.00")
    ] == ["60.00", "30.00", "0.00"]


def test_a_version_waits_for_the_next_term(tmp_path: Any) -> None:
    """From 1 March on another table holds, for customers of before only when their year is over."""
    old = terms('of = "time"', '[[tiers]]\ncredit_percent = "60"\n', tables=OUTAGE)
    new = old.replace("2020-01-01", "2022-03-01").replace('"60"', '"25"') + '[version]\nrule = "on-renewal"\n'
    names = []
    for name, text in (("old", old), ("new", new)):
        path = tmp_path / f"{name}.toml"
        path.write_text(text)
        names += ["--policy", str(path)]
    found = []
    for term_start in ("2021-05-10", "2021-03-20", "2022-03-02"):
        facts = {"period": "2022-04", "downtime_minutes": 1, "term_start": term_start}
        result = CliRunner().invoke(main, ["sla", "evaluate", "-", "--json", *names], input=json.dumps(facts))
        found.append(json.loads(result.stdout)["credit_percent"])
    assert found == ["60", "25", "25"]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"downtime_minutes": 1.5}, 'downtime_minutes 1.5 is a JSON number with a point, which no program keeps exact; write it as text: "1.5"'),
        ({"downtime_minutes": 1, "downtime_hours": 2}, "downtime_minutes and downtime_hours both state it; leave one out"),
        ({"downtime_minutes": 1, "availability": "99"}, "downtime and availability state the same thing; leave all but one out"),
        ({"availability": "101"}, "availability 101 is more than 100; write a percentage of no more"),
        ({"downtime_minutes": 1, "windows": [["2022-06-01T00:00:00Z", "2022-06-01T01:00:00Z"]], "period": "2022-06"},
         "plain figures stand beside windows or measurements"),
        ({"windows": [{"start": "2022-06-01T00:00:00", "end": "x"}], "period": "2022-06"}, "windows 1: start '2022-06-01T00:00:00' has no zone"),
        ({"windows": [], "downtme": 1, "period": "2022-06"}, "downtme is not a fact that is known"),
        ({"value": "7"}, "value has no meaning under a policy that measures time"),
        ({"downtime_minutes": 1, "preceding_fee": "1.00", "currency": "USD"}, "preceding_fee is not what the policy pays a part of"),
        ({"downtime_minutes": 1, "fee": "1.005", "currency": "USD"}, "fee '1.005' has 3 decimals, but USD has 2"),
        ({"downtime_minutes": 1, "fee": "1.00"}, "currency is missing, which fee needs; add it"),
        ({"windows": [{"start": "2022-06-01T00:00:00Z", "region": "A"}, {"start": "2022-06-01T00:00:00Z", "region": "B"}], "period": "2022-06"},
         "region is missing, as the facts are about A, B; say which one is asked for"),
    ],
)  # fmt: skip
def test_wrong_facts_are_refused_with_a_sentence(facts: dict[str, Any], said: str) -> None:
    assert said in refused(terms('of = "time"', LADDER, tables=OUTAGE), **facts)


def test_a_question_loads_no_reporting_library() -> None:
    """Asking starts fast: nothing of tables, databases or workbooks is imported for it."""
    program = (
        "import sys\nfrom ledger.cli import main\n"
        "try: main(['sla', 'evaluate', '--policy', 'heroku', '--availability', '94'], prog_name='ledger')\n"
        "except SystemExit as end: assert not end.code\n"
        "print(sorted({'sqlalchemy', 'pandas', 'numpy', 'openpyxl', 'pyarrow', 'rich'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("spelled", ["downtime_hours{}", "downtime{}_hours"])
def test_a_bound_of_downtime_stands_behind_its_unit_or_before_it(spelled: str) -> None:
    """From 6 to 9 of 720 hours: 98.75% to 99.17%, on both sides of the edge; naming a bound twice is refused."""
    text = terms('of = "time"', LADDER + OUTAGE)
    bounds = {spelled.format("_at_least"): "6", spelled.format("_at_most"): "9"}
    answer = ask(text, period="2022-06", **bounds)
    assert (answer["eligible_downtime_seconds_at_least"], answer["eligible_downtime_seconds_at_most"]) == (
        21600,
        32400,
    )
    assert answer["decides"] == "the exact downtime"
    said = refused(text, period="2022-06", downtime_minutes_at_least="1", downtime_at_least_minutes="1")
    assert "downtime_minutes_at_least and downtime_at_least_minutes both state it; leave one out" in said


def test_every_fact_of_the_page_is_known() -> None:
    """What docs/json.md names as a fact is one; the endings of bounds stand behind the names that it says take bounds."""
    page = (Path(__file__).resolve().parents[2] / "docs/json.md").read_text()
    table = page.partition("| facts | meaning |")[2].partition("\n\n")[0]
    named: list[str] = re.findall(
        "`([a-z_]+)`", "\n".join(row.split("|")[1] for row in table.splitlines()[2:])
    )
    assert len(named) > 40
    assert {*named} <= {*FACTS}
    endings = re.findall(
        "`(_[a-z_]+)` ?(?:\\(|,|\n| )", page.partition("A bound is stated")[2].partition("| facts")[0]
    )[:4]
    assert {*endings} == {"_at_least", "_above", "_at_most", "_below"}
    bounded = ("downtime_minutes", "availability", "value", "failed", "total")
    assert {f"{name}{ending}" for name in bounded for ending in endings} <= {*FACTS}
    assert {f"downtime{ending}_hours" for ending in endings} <= {*FACTS}
    assert "excluded_downtime_minutes" in FACTS


@pytest.mark.parametrize(
    ("fee", "credit"), [(100, "10.00"), ("100", "10.00"), ("100.5", "10.05"), ("100.50", "10.05")]
)
def test_money_is_a_whole_number_or_decimal_text(fee: Any, credit: str) -> None:
    """A tenth of the fee, however it is written; issued is money, too."""
    text = terms('of = "time"', LADDER + OUTAGE)
    answer = ask(text, availability="98", fee=fee, currency="USD", issued=10)
    assert answer["credit"] == credit
    assert answer["issued"] == "10.00"


@pytest.mark.parametrize(
    ("fee", "sentence"),
    [
        (100.5, "fee 100.5 is not written as 1200.00; a float is not exact"),
        (100.0, "fee 100.0 is not written as 1200.00; a float is not exact"),
        (True, "fee True is not written as 1200.00"),
        (-5, "an amount may not be negative"),
        ("100.505", "fee '100.505' has 3 decimals, but USD has 2"),
    ],
)
def test_money_that_is_not_exact_is_refused(fee: Any, sentence: str) -> None:
    """A JSON number with a point is refused even where it is whole."""
    assert sentence in refused(
        terms('of = "time"', LADDER + OUTAGE), availability="98", fee=fee, currency="USD"
    )


def test_approximate_times_near_an_edge_are_named_with_the_seconds_to_it() -> None:
    """432 minutes of 30 days are 99% exactly: one second more pays; the times that are stated decide, and that is said."""
    text = terms('of = "time"', LADDER + OUTAGE)
    window = {"start": "2022-06-10T00:00:00Z", "end": "2022-06-10T07:12:00Z", "approximate": True}
    answer = ask(text, period="2022-06", windows=[window])
    assert (answer["credit_percent"], answer["approximate"]) == ("0", True)
    assert answer["decides"] == (
        "the exact times of window incident-1/window-1, which are approximate: 1 second more of eligible downtime leads to the next tier"
    )
    assert f"what would decide: {answer['decides']}" in answer["why"]
    past = ask(text, period="2022-06", windows=[{**window, "end": "2022-06-10T07:12:01Z"}])
    assert past["credit_percent"] == "10"
    assert past["decides"].endswith("which are approximate: 1 second less leads to a better one")
    for other in ({"approximate": False}, {"end": "2022-06-10T00:01:00Z"}):
        assert ask(text, period="2022-06", windows=[{**window, **other}])["decides"] is None


def test_downtime_longer_than_the_period_is_refused() -> None:
    """50 days do not fit the 28 of a February; all of them do, and so does a bound that is merely wide."""
    text = terms('of = "time"', LADDER + OUTAGE)
    said = refused(text, period="2022-02", downtime_days=50)
    assert (
        "downtime of 4320000 seconds is longer than the period 2022-02, which has 2419200 seconds; correct it"
        in said
    )
    assert "outage 2 of 2419201 seconds is longer than" in refused(
        text, period="2022-02", outages=[{"days": 28}, {"seconds": 2419201}]
    )
    assert ask(text, period="2022-02", downtime_days=28)["availability"] == "0.000000000000"
    assert ask(text, period="2022-02", downtime_days_at_most=50)["availability_at_least"] == "0.000000000000"


def test_a_day_of_a_month_is_priced_as_a_day_and_says_so() -> None:
    """An hour is 95.83% of a day, under a policy that pays for months."""
    answer = ask(terms('of = "time"', LADDER + OUTAGE), period="2022-03-14", downtime_minutes=60)
    assert answer["period_seconds"] == 86400
    assert answer["why"][0] == (
        "the period is the day 2022-03-14 only, not the calendar-month that holds it, which is what the policy pays for"
    )
    whole = ask(terms('of = "time"', LADDER + OUTAGE), period="2022-03", downtime_minutes=60)
    assert not any("the period is the day" in line for line in whole["why"])


def test_an_error_gives_back_the_id_of_its_question() -> None:
    """In the JSON answer and in the sentence; a question without one has none."""
    lines = [json.dumps({"id": one, "policy": "heroku", "downtme_minutes": 1}) for one in (7, "a-7", None)]
    lines += [json.dumps({"policy": "heroku", "downtme_minutes": 1})]
    result = CliRunner().invoke(main, ["sla", "evaluate", "-", "--json"], input="\n".join(lines))
    assert result.exit_code == 1
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [answer.get("id", "none") for answer in answers] == [7, "a-7", None, "none"]
    assert [line.partition(": downtme")[0] for line in result.stderr.splitlines()] == [
        "ledger: line 1 (id 7)", 'ledger: line 2 (id "a-7")', "ledger: line 3 (id null)", "ledger: line 4",
    ]  # fmt: skip
