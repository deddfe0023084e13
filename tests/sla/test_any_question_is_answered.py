"""Whatever is asked is answered, or what is wrong is said: no fact is dropped, none counts twice, none ends in a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.cli import main
from ledger.domain.policy import parse_policy
from projections.evaluation.requests import FACTS
from tests.sla.asking import ask, terms

TIERS = """[[tiers]]
availability_at_least = "99.9"
credit_percent = "0"
[[tiers]]
availability_below = "99.9"
credit_percent = "10"
"""
VALUES = TIERS.replace("availability_at_least", "value_at_most").replace("availability_below", "value_above")
BY_DOWNTIME = TIERS.replace("availability_at_least", "downtime_at_most").replace(
    "availability_below", "downtime_above"
)
YEARLY = '[[exclusions]]\nkinds = ["planned-maintenance"]\nmost = "10 hours"\nmost_per = "year"\n'
POLICIES = (
    terms(TIERS),
    terms(TIERS, more=YEARLY),
    terms(TIERS, period="calendar-year", zone="Europe/London"),
    terms(TIERS, period="trailing-days", length="days = 30", more=YEARLY),
    terms(TIERS, period="billing-month", length="anchor_day = 31", zone="America/New_York"),
    terms(TIERS, measure='of = "user-minutes"\nmissing = "down"'),
    terms(TIERS, counting='quantise = "slots-touched"\nquantum = "5 minutes"'),
    terms(TIERS, counting='minimum = "5 minutes"\nunless_daily_total_above = "10 minutes"', zone="America/New_York"),
    terms(TIERS, measure='of = "error-rate"\nreads = ["requests"]\nbucket = "1 hour"'),
    terms(TIERS, measure='of = "messages"\nreads = ["messages"]').replace('effects = ["outage"]\n', ""),
    terms(VALUES, measure='of = "latency"\nreads = ["latency"]\nunit = "seconds"\nstatistic = "p95"'),
    terms(VALUES, measure='of = "events"'),
    terms(BY_DOWNTIME.replace("99.9", "30 minutes"), measure='of = "time"\nmissing = "down"'),
    terms(TIERS, more='[stacking]\nincidents = "sum"\n[claim]\nhow = "on-request"\nwithin = "5 business-days"\nanchor = "incident-end"\n'),
)  # fmt: skip
INSTANTS = st.one_of(
    st.datetimes().map(lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}Z".rjust(20, "0")),
    st.integers(0, 743).map(lambda hour: f"2022-03-{1 + hour // 24:02}T{hour % 24:02}:00:00Z"),
    st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9998-12-31T23:59:59Z", "1970-01-01T00:00:00Z"]),
)  # fmt: skip
NUMBERS = st.one_of(
    st.integers(-1, 100_000), st.integers(0, 10**40), st.decimals(0, 10**20, places=3).map(str), st.sampled_from(["1_0", "٣", "1e9", "0." + "9" * 30])
)  # fmt: skip
LABELS = st.one_of(
    st.sampled_from(["2022-03", "2022", "2022-Q1", "2022-03-30", "9998-12", "9998", "1970-01", "0001-01", "2022-13", "20220330", "2022-W13-3"]),
    st.fixed_dictionaries({"start": INSTANTS, "end": INSTANTS}),
)  # fmt: skip
TEXTS = st.one_of(st.sampled_from(["EMEA", "mail", "*", "unknown", ""]), st.text(max_size=5))
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.floats() | TEXTS | st.characters(categories=["Cs"]), lambda one: st.lists(one, max_size=2), max_leaves=3
)  # fmt: skip
SPAN = {"start": INSTANTS, "end": INSTANTS}
WINDOWS = st.fixed_dictionaries(
    {"start": INSTANTS},
    optional={
        "end": INSTANTS, "region": TEXTS, "service": TEXTS, "share": st.sampled_from(["0", "0.5", 1, 2]), "cohort": TEXTS,
        "approximate": st.booleans(), "start_within_seconds": NUMBERS, "withdrawn": st.booleans(),
        "planned": st.fixed_dictionaries({"announced_at": INSTANTS, "scheduled_start": INSTANTS, "scheduled_end": INSTANTS}),
    },
)  # fmt: skip
MEASUREMENTS = st.fixed_dictionaries(
    {**SPAN, "of": st.sampled_from(["requests", "messages", "latency"])},
    optional={"failed": NUMBERS, "total": NUMBERS, "value": NUMBERS, "unit": TEXTS, "region": TEXTS, "statistic": st.just("p95")},
)  # fmt: skip
EXCLUSIONS = st.fixed_dictionaries(
    SPAN, optional={"announced_at": INSTANTS, "region": TEXTS, "customer": TEXTS}
)
LISTS: dict[str, st.SearchStrategy[Any]] = {
    "windows": WINDOWS, "measurements": MEASUREMENTS, "exclusions": EXCLUSIONS, "observed": st.tuples(INSTANTS, INSTANTS),
    "outages": st.fixed_dictionaries({"minutes": NUMBERS}, optional={"share": st.just("0.5"), "users": NUMBERS}),
    "error_rates": st.fixed_dictionaries({"rate": st.sampled_from(["0", "0.5", 1]), "buckets": NUMBERS}),
    "earlier": st.fixed_dictionaries({}, optional={"downtime_minutes": NUMBERS, "availability": NUMBERS, "value": NUMBERS}),
    "allocate_to": NUMBERS, "inside": TEXTS, "outside": TEXTS,
}  # fmt: skip
TIMES = ("as_of", "incident_start", "incident_end", "eligible_at", "claimed_at", "revised_at")
WELL_FORMED: dict[str, st.SearchStrategy[Any]] = {
    **{name: NUMBERS for name in FACTS if name not in ("policy", "terms")},
    **{name: st.lists(one, max_size=3) for name, one in LISTS.items()},
    **dict.fromkeys(TIMES, INSTANTS),
    **dict.fromkeys(("service", "region", "customer", "chosen", "id", "allocate_order"), TEXTS),
    "period": LABELS, "currency": st.sampled_from(["USD", "JPY", "BHD", "XAU"]), "term_start": st.sampled_from(["2022-01-01", "2021-02-30", "0000-01-01"]),
}  # fmt: skip
FACTS_OF_ANY_KIND = st.one_of(
    st.fixed_dictionaries({"period": st.just("2022-03")}, optional={name: WELL_FORMED[name] for name in ("windows", "measurements", "exclusions", "region")}),
    st.fixed_dictionaries({}, optional={name: WELL_FORMED[name] for name in ("period_days", "period", "downtime_minutes", "value", "availability", "outages", "error_rates", "unobserved_days", "incident_start", "claimed_at")}),
    st.fixed_dictionaries({"currency": st.just("USD"), "fee": NUMBERS}, optional={name: WELL_FORMED[name] for name in ("value", "downtime_hours_at_least", "issued", "allocate_to", "earlier")}),
)  # fmt: skip


def evaluate(*words: str, stdin: str | None = None) -> Result:
    """Ask; an error that is no sentence of the ledger's fails the test."""
    return CliRunner().invoke(main, ["sla", "evaluate", *words], input=stdin, catch_exceptions=False)


@pytest.mark.parametrize("text", POLICIES)
def test_what_is_asked_about_are_terms(text: str) -> None:
    assert parse_policy(text).key == "case"


@settings(max_examples=200)
@given(
    st.sampled_from(POLICIES),
    FACTS_OF_ANY_KIND,
    st.lists(st.sampled_from(sorted(WELL_FORMED)).flatmap(lambda name: st.tuples(st.just(name), WELL_FORMED[name] | ANYTHING)), max_size=2),
    st.booleans(),
)  # fmt: skip
def test_any_well_formed_question_gets_an_answer_or_a_sentence(
    text: str, facts: dict[str, Any], more: list[tuple[str, Any]], as_json: bool
) -> None:
    line = json.dumps({**facts, **dict(more), "terms": text})
    result = evaluate("-", *(["--json"] if as_json else []), stdin=line)
    assert result.exit_code in (0, 1), result.output
    assert result.output.strip()
    if result.exit_code:
        assert result.stderr.startswith("ledger: line 1")
        assert "arg is" not in result.stderr


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"period_days": 10**11, "downtime_minutes": 1}, "period is longer than 10 years; correct its length"),
        ({"period_days": 3_650, "downtime_minutes": 1, "fee": "1.00", "currency": "USD"}, None),
        ({"incident_start": "9998-12-31T23:59:59Z", "downtime_minutes": 1}, None),
        ({"id": "\ud800", "period": "2022-03"}, "it is nested too deep, or has half of a surrogate pair, which is not Unicode text; correct it"),
        ({"region": "\ud800", "period": "2022-03"}, "it is nested too deep, or has half of a surrogate pair, which is not Unicode text; correct it"),
    ],
)  # fmt: skip
def test_far_numbers_end_in_a_sentence_or_an_answer(facts: dict[str, Any], said: str | None) -> None:
    result = evaluate("-", "--json", stdin=json.dumps({**facts, "terms": POLICIES[1]}))
    assert result.exit_code == (said is not None)
    assert said is None or json.loads(result.stdout)["error"] == said


def test_a_value_beyond_every_tier_is_refused() -> None:
    latency = terms(VALUES, measure='of = "latency"\nunit = "seconds"\nstatistic = "p95"')
    result = evaluate(
        "-", stdin=json.dumps({"terms": latency, "value": 10**31, "fee": "1.00", "currency": "USD"})
    )
    assert (result.exit_code, "has more than 30 digits" in result.stderr) == (1, True)
    assert ask({"value": 10**30 - 1, "fee": "1.00", "currency": "USD"}, latency)["credit"] == "0.10"


def test_not_a_number_is_no_json() -> None:
    for word in ("NaN", "Infinity", "-Infinity"):
        result = evaluate("-", stdin=f'{{"value": {word}}}')
        assert (
            result.stderr
            == f"ledger: line 1: it is not JSON: {word} is no number; write one object per line\n"
        )


# ---- terms ------------------------------------------------------------------------------------------------------


def test_terms_do_not_silently_beat_a_policy_or_a_version() -> None:
    for beside, named in (({"policy": "x"}, "policy"), ({"version": 7}, "version"), ({"policy": "x", "version": 7}, "policy and version")):  # fmt: skip
        result = evaluate("-", stdin=json.dumps({"terms": POLICIES[0], "period": "2022-03", **beside}))
        said = f"terms and {named} both say which terms are asked about; leave terms out, or the other"
        assert (result.exit_code, said in result.stderr) == (1, True)


@pytest.fixture
def versions(tmp_path: Path) -> tuple[str, str]:
    """Two versions of one policy, each ruling the terms that began under it."""
    frozen = '[version]\nrule = "frozen-for-term"\n'
    files = (tmp_path / "one.toml", tmp_path / "two.toml")
    files[0].write_text(terms(TIERS, more=frozen))
    files[1].write_text(terms(TIERS, more=frozen).replace("2000-01-01", "2021-06-01").replace('"10"', '"20"'))
    return str(files[0]), str(files[1])


@pytest.mark.parametrize("wanted", [True, 1.0, "1", 3])
def test_a_version_is_named_by_its_number(versions: tuple[str, str], wanted: object) -> None:
    one, two = versions
    result = evaluate(
        "-", "--policy", one, "--policy", two, stdin=json.dumps({"period": "2022-03", "version": wanted})
    )
    assert (result.exit_code, f"version {wanted!r} is not there; there are 1, 2" in result.stderr) == (
        1,
        True,
    )


def test_the_day_a_term_began_is_a_day(versions: tuple[str, str]) -> None:
    one, two = versions
    asked = {"period": "2022-03", "downtime_hours": 10}
    for begun, credit in (("2021-05-31", "10"), ("2021-06-01", "20")):
        result = evaluate(
            "--policy", one, "--policy", two, "-", "--json", stdin=json.dumps({**asked, "term_start": begun})
        )
        assert json.loads(result.stdout)["credit_percent"] == credit
    result = evaluate(
        "--policy", one, "--policy", two, "-", stdin=json.dumps({**asked, "term_start": "2021-02-30"})
    )
    assert (
        result.stderr == "ledger: line 1: term_start '2021-02-30' is not a date; write it like 2022-01-01\n"
    )


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"incident_start": "2022-03-14"}, "incident_start '2022-03-14' has no zone or offset"),
        ({"period": 5}, "period 5 is not text; put it in quotes"),
        ({"windows": [["2022-03-14T10:00:00Z", "2022-03-14T11:00:00Z"]]}, "period is missing"),
    ],
)
def test_which_version_rules_is_asked_of_a_period(
    facts: dict[str, Any], said: str, versions: tuple[str, str]
) -> None:
    one, two = versions
    result = evaluate("--policy", one, "--policy", two, "-", stdin=json.dumps(facts))
    assert (result.exit_code, result.stderr.startswith(f"ledger: line 1: {said}")) == (1, True), result.stderr


def test_a_policy_that_cannot_be_read_ends_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import builtins

    path = tmp_path / "p.toml"
    path.write_text(POLICIES[0])
    real = builtins.open

    def denied(name: Any, *words: Any, **more: Any) -> Any:
        if str(name) == str(path):
            raise PermissionError(13, "Permission denied")
        return real(name, *words, **more)

    monkeypatch.setattr(builtins, "open", denied)
    result = evaluate("--policy", str(path), "--period", "2022-03")
    assert (result.exit_code, result.stderr) == (
        1,
        f"ledger: policy {str(path)!r} cannot be read: Permission denied; check the file\n",
    )


# ---- where it was -----------------------------------------------------------------------------------------------

WINDOW = {"start": "2022-03-14T10:00:00Z", "end": "2022-03-14T20:00:00Z"}
COUNTS = {"of": "requests", "failed": 1, "total": 2, **WINDOW}
NOBODY = "region 'EMAE' is named by no window and no measurement (did you mean 'EMEA'?); they are about EMEA, NAM, and nothing of them counts"


@pytest.mark.parametrize(
    ("facts", "warnings"),
    [
        ({"region": "EMAE", "windows": [{**WINDOW, "region": "EMEA"}, {**WINDOW, "region": "NAM"}]}, [NOBODY]),
        ({"region": "EMAE", "windows": [{**WINDOW, "region": "EMEA"}], "measurements": [{**COUNTS, "region": "NAM"}]}, [NOBODY]),
        ({"service": "mial", "region": "x", "windows": [{**WINDOW, "service": "mail", "region": "EMEA"}]},
         ["service 'mial' is named by no window and no measurement (did you mean 'mail'?); they are about mail, and nothing of them counts"]),
        ({"region": "EMEA", "windows": [{**WINDOW, "region": "EMEA"}]}, None),
        ({"region": "EMEA", "windows": [WINDOW]}, None),
        ({"region": "EMEA", "windows": [{**WINDOW, "region": "*"}, {**WINDOW, "region": "NAM"}]}, None),
        ({"region": "EMEA", "windows": [{**WINDOW, "region": "unknown"}]}, None),
        ({"region": "EMEA", "windows": []}, None),
        ({"region": "EMEA", "downtime_minutes": 1}, None),
        ({"region": "EMEA", "windows": [{**WINDOW, "region": "NAM", "withdrawn": True}]}, None),
        ({"service": "mail", "windows": [{**WINDOW, "service": "*"}]}, None),
        ({"service": "mail", "windows": [WINDOW]}, None),
    ],
)  # fmt: skip
def test_who_asks_for_a_place_that_no_fact_names_is_warned(
    facts: dict[str, Any], warnings: list[str] | None
) -> None:
    text = terms(TIERS, measure='of = "time"\nreads = ["requests"]')
    answer = ask({"period": "2022-03", **facts}, text)
    assert answer.get("warnings") == warnings
    assert warnings is None or answer["downtime_seconds"] == 0
    line = json.dumps({"period": "2022-03", **facts, "terms": text})
    assert evaluate("-", stdin=line).stderr == "".join(f"warning: {one}\n" for one in warnings or [])


def test_terms_about_all_regions_together_warn_of_none() -> None:
    union = terms(TIERS, more='[scope]\nregions = "union"\n')
    assert "warnings" not in ask(
        {"period": "2022-03", "region": "x", "windows": [{**WINDOW, "region": "NAM"}]}, union
    )
    # Of a service they are as ever.
    slip = {"service": "mial", "windows": [{**WINDOW, "service": "mail"}]}
    assert ask({"period": "2022-03", **slip}, union)["warnings"] == [
        "service 'mial' is named by no window and no measurement (did you mean 'mail'?); they are about mail, and nothing of them counts"
    ]


def test_a_window_of_every_service_counts_for_the_one_asked_for() -> None:
    found = ask({"period": "2022-03", "windows": [{**WINDOW, "service": "*"}]}, POLICIES[0])
    assert (found["service"], found["downtime_seconds"]) == ("service", 36_000)


# ---- the parts of a period --------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", ["", 'length = "1 hour"', 'length = "30 days"'])
def test_the_parts_of_a_period_add_up_to_it(length: str) -> None:
    """A day down, the first hour of it excluded: by the clock, whatever length of its own a policy divides by."""
    text = terms(
        TIERS, length=length, more='[[exclusions]]\nkinds = ["force-majeure"]\ntreated = "removed"\n'
    )
    found = ask(
        {
            "period": "2022-03", "windows": [["2022-03-14T00:00:00Z", "2022-03-15T00:00:00Z"]],
            "exclusions": [{"kind": "force-majeure", "start": "2022-03-13T23:00:00Z", "end": "2022-03-14T01:00:00Z"}],
        },
        text,
    )  # fmt: skip
    assert found["parts"] == {
        "up": 31 * 86_400 - 90_000,
        "up_excluded": 3_600,
        "down": 82_800,
        "down_excluded": 3_600,
    }


# ---- options ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--downtime", "600 minutes", "--fact", "downtime_seconds=0"), "downtime_seconds is stated twice, by --downtime and by --fact; leave one out"),
        (("--period", "2022-03", "--fact", "period=2022-04"), "period is stated twice, by --fact and by --period; leave one out"),
        (("--fee", "1.00", "--currency", "USD", "--fact", "currency=JPY"), "currency is stated twice, by --currency and by --fact; leave one out"),
        (("--fact", "value=1", "--fact", "value=2"), "value is stated twice; leave one out"),
        (("--window", "A/B", "--fact", "windows=[]"), "windows is stated twice, by --window and by --fact; leave one out"),
        (("--window", "A/B,region=EMEA,region=NAM"), "--window A/B: region is stated twice; leave one out"),
        (("--window", "A/B,start=C"), "--window A/B: start is stated twice, by START and by NAME=VALUE; leave one out"),
        (("--window", "A/B,EMEA"), "--window A/B: 'EMEA' is not NAME=VALUE; write it like region=EMEA"),
        (("--outage", "5 minutes,share=0,share=1"), "--outage 5 minutes: share is stated twice; leave one out"),
        (("--outage", "5 minutes,share"), "--outage 5 minutes: 'share' is not NAME=VALUE; write it like share=0.5"),
        (("--fact", "value"), "--fact 'value' is not NAME=VALUE; write it like --fact 'claimed_at=\"2022-03-20T00:00:00Z\"'"),
        (("--fact", "id=" + "[" * 100_000), "--fact is nested too deep; state what it means"),
        (("--downtime", "5  minutes"), "--downtime '5  minutes' is not a duration; write it like \"450 minutes\""),
        (("--downtime", "5 weeks"), "--downtime '5 weeks' is not a duration; write it like \"450 minutes\""),
    ],
)  # fmt: skip
def test_what_options_say_twice_or_not_at_all_is_refused(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "p.toml"
    path.write_text(POLICIES[0])
    result = evaluate("--policy", str(path), *words)
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (2, f"Error: {said}")


def test_a_length_said_in_two_units_is_said_twice(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(POLICIES[0])
    result = evaluate("--policy", str(path), "--downtime", "600 minutes", "--fact", "downtime_minutes=0")
    assert (result.exit_code, result.stderr) == (
        1,
        "ledger: downtime_seconds and downtime_minutes both state it; leave one out\n",
    )


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        (("--downtime", "90 minutes"), 5_400), (("--downtime", "90minutes"), 5_400), (("--downtime", "1.5 hours"), 5_400),
        (("--downtime", "1 day"), 86_400), (("--downtime", "0.1 seconds"), "0.1"), (("--outage", "1 hour"), 3_600),
    ],
)  # fmt: skip
def test_a_duration_is_one_of_the_policy_language(
    words: tuple[str, ...], seconds: object, tmp_path: Path
) -> None:
    path = tmp_path / "p.toml"
    path.write_text(POLICIES[0])
    result = evaluate("--policy", str(path), *words, "--json")
    assert json.loads(result.stdout)["downtime_seconds"] == seconds


# ---- incidents that pay one by one ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stacking", ["", '[stacking]\nincidents = "sum"\n', '[stacking]\nincidents = "best-of"\n']
)
def test_what_is_excluded_leaves_the_period_of_each_outage(stacking: str) -> None:
    """A minute of the 500 that are left is more than 0.1%; of 1,000 it would be 0.1%."""
    text = terms(TIERS, more=f'{stacking}[[exclusions]]\nkinds = ["force-majeure"]\ntreated = "removed"\n')
    facts = {"period_minutes": 1_000, "outages": [{"minutes": 1}], "fee": "100.00", "currency": "USD"}
    assert [ask({**facts, **more}, text)["credit"] for more in ({}, {"excluded_minutes": 500})] == [
        "0.00",
        "10.00",
    ]
