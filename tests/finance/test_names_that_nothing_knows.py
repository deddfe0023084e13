"""Names of exclusions that nothing knows are warned of, and claims that came before their period are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.finance.desk import Desk

_HEAD = "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n"


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Desk:
    found = Desk(sqlite_url, tmp_path)
    found.file("mine.csv", f"{_HEAD}Acme,one,email,EMEA,asked,EUR,100.00,2021-01-01,\n")
    found.ok("subscriptions", "publish", "mine", "mine.csv", "--actor", "f")
    found.window("w", "EMEA", "2022-03-14T00:00:00Z", "2022-03-14T05:00:00Z")
    return found


def excluded(desk: Desk, key: str, **changes: str) -> str:
    """Record an exclusion, and return what is said on standard error."""
    said = {
        "kind": "force-majeure", "service": "email", "component": "*", "region": "EMEA", "start": "2022-03-14T00:00:00Z",
        "end": "2022-03-14T01:00:00Z", "approved-by": "A", "evidence": "B", "actor": "ops", **changes,
    }  # fmt: skip
    options = [part for name, value in said.items() for part in (f"--{name}", value)]
    found = desk.run("sla", "exclude", key, *options)
    assert found.exit_code == 0, found.output
    return found.stderr


@pytest.mark.parametrize(
    ("field", "slip", "sentence"),
    [
        ("region", "EMAE", "no subscription and no incident knows region 'EMAE' (did you mean 'EMEA'?)"),
        ("service", "emial", "no subscription and no incident knows service 'emial' (did you mean 'email'?)"),
        ("customer", "Nobody", "no table of subscriptions knows customer 'Nobody'"),
        ("cohort", "nocoh", "no published table of a cohort knows cohort 'nocoh'"),
    ],
)
def test_an_exclusion_of_a_name_that_nothing_knows_is_recorded_with_a_warning(
    desk: Desk, field: str, slip: str, sentence: str
) -> None:
    said = excluded(desk, "slip", **{field: slip})
    assert said.startswith(f"warning: {sentence}; an exclusion of it excludes nothing until one does")
    assert len(said.splitlines()) == 1


def test_names_that_are_known_are_not_warned_of(desk: Desk) -> None:
    assert excluded(desk, "right", customer="Acme") == ""
    assert excluded(desk, "everywhere", service="*", region="*") == ""


def test_a_claim_that_came_before_its_period_is_refused(desk: Desk) -> None:
    def claim(key: str, at: str, period: str) -> str:
        given = ["--actor", "s", "--customer", "Acme", "--period", period, "--at", at]
        found = desk.run("sla", "claim", key, *given)
        assert found.exit_code in (0, 1)
        return found.stderr if found.exit_code else "recorded"

    assert claim("early", "2020-01-01T00:00:00Z", "2022-03") == (
        "ledger: at 2020-01-01T00:00:00.000000Z is before the period 2022-03 has begun, for which nothing can be claimed yet; "
        "correct the time or the period\n"
    )
    assert claim("next-month", "2022-03-14T00:00:00Z", "2022-04").startswith("ledger: at ")
    # The month has begun, in some zone.
    assert claim("at-once", "2022-02-28T10:00:00Z", "2022-03") == "recorded"
    # A label may name a quarter that ends in the month.
    assert claim("of-quarter", "2022-03-14T00:00:00Z", "2022-06").startswith("ledger: at ")
    terms = (
        'format = 2\npolicy = "q"\nin_force_from = 2020-01-01\n[period]\nkind = "calendar-quarter"\nzone = "UTC"\n'
        '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n[[tiers]]\ncredit_percent = "5"\n[credit]\nrounding = "half-up"\n'
    )
    desk.file("q.toml", terms)
    desk.ok("policy", "publish", "q.toml", "--actor", "f")
    assert claim("of-quarter", "2022-04-01T12:00:00Z", "2022-06") == "recorded"
