"""Terms at the edge of what can be written end in an answer or a sentence: linted, read, and asked about, never in a traceback."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from ledger.cli import main
from ledger.cli.terms import findings_of
from ledger.domain.policy import parse_policy
from ledger.domain.policy.grammar import GRAMMAR, Field, Table
from ledger.errors import Refused
from projections.evaluation.answers import answer

TERMS = """
format = 2
policy = "p"
in_force_from = 1970-01-01
[period]
kind = "calendar-month"
zone = "UTC"
[measure]
of = "time"
[counting]
effects = ["outage"]
[[tiers]]
downtime_at_most = "1 hour"
credit_percent = "0"
[[tiers]]
downtime_above = "1 hour"
credit_percent = "10"
[credit]
rounding = "half-up"
[claim]
how = "on-request"
anchor = "{anchor}"
within = "{within}"
{calendar}
"""
MONDAYS = 'calendar = "c"\n[calendars.c]\ndays = ["monday"]\nopens = "09:00"\ncloses = "{closes}"\n'
FACTS = {
    "windows": [{"start": "2022-03-10T00:00:00Z", "end": "2022-03-10T05:00:00Z"}], "period": "2022-03", "fee": "100.00", "currency": "USD",
}  # fmt: skip


def lint(text: str) -> list[str]:
    result = CliRunner().invoke(main, ["policy", "lint", "-", "--json"], input=text)
    assert result.exit_code in (0, 1), result.exception
    return [one["sentence"] for one in json.loads(result.stdout)["findings"]]


def evaluate(text: str, **more: object) -> tuple[int, str]:
    asked = json.dumps({"terms": text, **FACTS, **more})
    result = CliRunner().invoke(main, ["sla", "evaluate", "-", "--json"], input=asked)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


TOO_LONG = {
    "999999 months": "is longer than 1200 months; write a shorter one",
    "1201 months": "is longer than 1200 months; write a shorter one",
    "999999 periods": "is longer than 1200 periods; write a shorter one",
    "99999 days": "is longer than 36600 days; write a shorter one",
    "999999999 days": "is longer than 36600 days; write a shorter one",
    "999999999 hours": "is longer than 36600 days; write a shorter one",
    "999999 business-days": "is longer than 36600 business-days; write a shorter one",
    "999999.5 business-hours": "is longer than 36600 business-hours; write a shorter one",
}


@pytest.mark.parametrize("within", TOO_LONG)
def test_a_claim_window_beyond_a_hundred_years_is_refused(within: str) -> None:
    """The linter and the reader say which span is too long, and what the longest is."""
    text = TERMS.format(anchor="period-end", within=within, calendar="")
    assert lint(text) == [f"claim.within {within!r} {TOO_LONG[within]}"]
    with pytest.raises(Refused, match=TOO_LONG[within]):
        parse_policy(text)
    assert evaluate(text)[0] == 1


def test_a_calendar_that_is_hardly_ever_open() -> None:
    """Hours and days of which a calendar has too few are refused, however few they are."""
    hours = TERMS.format(
        anchor="incident-end", within="100 business-hours", calendar=MONDAYS.format(closes="09:01")
    )
    assert lint(hours) == [
        "claim.within is more than a hundred years of calendar 'c', which is open 0.02 business-hours a week; write a shorter one"
    ]
    days = TERMS.format(
        anchor="incident-end", within="36600 business-days", calendar=MONDAYS.format(closes="17:00")
    )
    assert "which is open 1.00 business-days a week" in lint(days)[0]
    some = TERMS.format(
        anchor="incident-end", within="5200 business-days", calendar=MONDAYS.format(closes="17:00")
    )
    assert lint(some) == []
    assert '"last_day":"2121-11-03"' in evaluate(some)[1]


LONGEST = (
    "36600 days",
    "1200 months",
    "1200 periods",
    "878400 hours",
    "26000 business-days",
    "36600 business-hours",
)


@pytest.mark.parametrize("within", LONGEST)
@pytest.mark.parametrize("anchor", ["incident-start", "period-end", "quarter-end", "eligibility"])
def test_the_longest_claim_windows_have_a_last_day(within: str, anchor: str) -> None:
    """A hundred years are counted; from the last years of the calendar their end is beyond it, and is told so."""
    text = TERMS.format(anchor=anchor, within=within, calendar="")
    assert lint(text) == []
    code, told = evaluate(text)
    assert code == 0
    assert "2028" < json.loads(told)["claim"]["last_day"] < "2130"
    window = {"start": "9998-12-10T00:00:00Z", "end": "9998-12-10T05:00:00Z"}
    code, told = evaluate(text, period="9998-12", windows=[window], as_of="9998-12-31T00:00:00Z")
    claim = json.loads(told)["claim"]
    assert (code, claim["last_day"]) == (0, None)
    assert "ends beyond the calendar that is kept" in claim["words"]


EXTREMES = {
    "integer": ("0", "1", "31", "120", "1200", "3660", "10000", "99999999999"),
    "decimal": ('"0"', '"0.000000000000000000000000000001"', '"999999999.999999999999999999999999999999"'),
    "percent": ('"0"', '"100"', '"0.000000000000000000000000000001"', '"99.999999999999999999999999999999"'),
    "duration": ('"999999999.999999999999999 days"', '"0.000000000000001 seconds"', '"0 seconds"', '"1 second"', '"400 days"'),
    "span": ('"0 days"', '"0 business-hours"', '"36600 days"', '"1200 periods"', '"999999 months"'),
    "money": ('{ USD = "999999999999.99" }', '{ USD = "0.00" }', '{ JPY = "1" }'),
    "date": ("0001-01-01", "9999-12-31"), "dates": ("[]", "[0001-01-01, 9999-12-31]"), "clock": ('"00:00"', '"00:01"', '"24:00"'),
    "zone": ('"Pacific/Apia"', '"Africa/Monrovia"'), "flag": ("true", "false"), "key": ('"c"',), "text": ('""',), "texts": ("[]", '["USD"]'),
}  # fmt: skip
# Beside what a field needs to mean anything, so that what is extreme is read.
MEASURED: dict[str, tuple[str, str, str, dict[str, object]]] = {
    "time": ('of = "time"', 'effects = ["outage"]', "downtime", {}),
    "affected-share": ('of = "affected-share"', 'effects = ["outage"]', "availability", {}),
    "error-rate": ('of = "error-rate"\nbucket = "1 hour"', "", "availability", {"windows": None, "error_rates": ["0.5"]}),
    "latency": ('of = "latency"\nstatistic = "p95"', "", "value", {"windows": None, "value": "999999999999"}),
    "events": ('of = "events"', 'effects = ["outage"]', "value", {}),
}  # fmt: skip
BESIDE = {
    "anchor_day": 'kind = "billing-month"', "days": 'kind = "trailing-days"', "unless_daily_total_above": 'minimum = "1 hour"',
    "quantum": 'quantise = "each-up"', "block": 'per = "block"', "share_above": 'down = "above-share"', "share": 'of = "service-share"',
    "rolling_months": 'rolling_percent = "50"', "term_months": 'rule = "frozen-for-term"', "of_last": "periods = 1", "most_per": 'most = "1 day"',
}  # fmt: skip


def written(table: Table, field: Field, value: str, measured: str) -> str:
    """A policy in which one field stands at an extreme, and all others at their plainest."""
    measure, counting, of, _ = MEASURED[measured]
    better, worse = ("at_least", "below") if of == "availability" else ("at_most", "above")
    bound = '"50"' if of != "downtime" else '"1 hour"'
    plain = {
        "period": {"kind": '"calendar-month"', "zone": '"UTC"'}, "credit": {"rounding": '"half-up"'},
        "measure": dict(line.split(" = ") for line in measure.splitlines()), "counting": dict([counting.split(" = ")] if counting else ()),
        "source": {"name": '"x"', "state": '"verified"'}, "commitments": {}, "exclusions": {"kinds": '["planned-maintenance"]'},
        "claim": {"how": '"on-request"', "anchor": '"period-end"', "within": '"30 days"'}, "version": {"rule": '"in-force"'},
        "": {"format": "2", "policy": '"p"', "in_force_from": "1970-01-01"}, "tiers": {f"{of}_{worse}": bound},
        "termination": {f"{of}_{worse}": bound},
    }  # fmt: skip
    entries = {
        path: dict(plain.get(path, {}))
        for path in ("", "period", "measure", "counting", "credit", table.path)
    }
    if (needs := BESIDE.get(field.name)) is not None:
        name, _, said = needs.partition(" = ")
        entries[table.path][name] = said
    if any(field.name.startswith(f"{kind}_") for kind in ("availability", "downtime", "value")):
        entries[table.path] = {}
    entries[table.path][field.name] = value
    if table.path == "tiers":
        entries["tiers"].setdefault("credit_percent", '"10"')
        if "credit_" in field.name and field.name != "credit_percent":
            entries["tiers"]["take"] = '"sum"'
    else:
        entries["tiers"] = {f"{of}_{worse}": bound, "credit_percent": '"10"', "service_days": '"1"'}
    lines = ["\n".join(f"{name} = {said}" for name, said in entries.pop("").items())]
    lines.append(f'[[tiers]]\n{of}_{better} = {bound}\ncredit_percent = "0"')
    for path, values in entries.items():
        many = next(one.many for one in GRAMMAR if one.path == path)
        head = f"[[{path}]]" if many else f"[{path}{'.c' if path == 'calendars' else ''}]"
        lines.append("\n".join((head, *(f"{name} = {said}" for name, said in values.items()))))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "table", [one for one in GRAMMAR if one.path != "examples"], ids=lambda table: table.path or "document"
)
def test_every_field_at_its_extremes(table: Table) -> None:
    """Each field of the grammar, as small, as great and as odd as it can be written, under measures of every kind."""
    for field in table.fields:
        for value in EXTREMES.get(field.kind, tuple(f'"{choice}"' for choice in field.choices)):
            for measured in MEASURED:
                text = written(table, field, value, measured)
                findings_of(text)
                try:
                    policy = parse_policy(text)
                except Refused:
                    continue
                label = {
                    "trailing-days": "2022-03-30",
                    "calendar-quarter": "2022-Q1",
                    "calendar-year": "2022",
                }.get(policy.period.kind)
                more = MEASURED[measured][3]
                facts = {
                    **FACTS,
                    **more,
                    "period": label or "2022-03",
                    "suite_fee": "100.00",
                    "annual_fee": "1200.00",
                }
                try:
                    json.dumps(
                        answer(
                            policy, {key: said for key, said in facts.items() if said is not None}, 1648000000
                        )
                    )
                except Refused:
                    continue
