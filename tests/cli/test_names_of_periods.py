"""A claim and a document are about a period that there is; what was recorded before that was asked is read as ever."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ledger.domain.policy.model import PeriodRule
from ledger.domain.policy.periods import parse_policy_period
from ledger.errors import Refused
from tests.cli.commands import done, ledger
from tests.cli.test_series_of_measurements import ERRORS

NAMES = ["2022-03", "2022-12", "2022", "2022-Q1", "2022-Q4", "2022-03-30", "2024-02-29", "1970", "2025-12"]
NONE = ["2022-13", "2022-00", "2022-Q9", "2022-Q0", "2022-AB", "2022-3", "2022-02-30", "2022-W13", "2022-W13-3", "20220330", "1969", "9999-Q1", "0000-01", "nonsense"]  # fmt: skip


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a ledger with a policy, a subscription and a claim."""
    monkeypatch.chdir(tmp_path)
    Path("errors.toml").write_text(ERRORS)
    Path("subscriptions.csv").write_text(
        "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\nAurora Rail,s1,mail,EMEA,errors,USD,100.00,2021-01-01,\n"
    )
    done("init")
    done("policy", "publish", "errors.toml")
    done("subscriptions", "publish", "all", "subscriptions.csv")
    done(*claim("first", "2022-03"))


def claim(key: str, period: str, at: str = "2022-04-01T00:00:00Z") -> tuple[str, ...]:
    return (
        "sla",
        "claim",
        key,
        "--customer",
        "Aurora Rail",
        "--period",
        period,
        "--at",
        at,
    )


def size() -> int:
    return int(json.loads(done("verify", "--json"))["size"])


@pytest.mark.parametrize("period", NAMES)
def test_a_claim_is_for_a_period_of_some_policy(period: str) -> None:
    done(*claim("c", period, "2026-01-01T00:00:00Z"))
    assert [one["period"] for one in map(json.loads, done("sla", "claims", "--json").splitlines())] == [
        period,
        "2022-03",
    ]


@pytest.mark.parametrize("period", NONE)
def test_a_claim_for_no_period_is_refused(period: str) -> None:
    before = size()
    result = ledger(*claim("c", period))
    assert (result.exit_code, f"period {period!r} " in result.stderr) == (1, True), result.stderr
    assert size() == before


def test_a_statement_for_no_period_is_refused() -> None:
    done("credits", "issue", "--period", "2022-03")
    for line in done("log", "--json").splitlines():
        if json.loads(line)["type"] == "statement.issued":
            issued = json.loads(line)["event"]
    issued = {name: value for name, value in issued.items() if name not in ("number", "actor")}
    given = {"action": "issue-statement", "statement": "other", "actor": "f", **issued, "period": "2022-13"}
    before = size()
    result = ledger("append", "-", stdin=json.dumps(given).encode())
    assert (result.exit_code, "period '2022-13' is not in the calendar" in result.stderr) == (1, True), (
        result.stderr
    )
    assert size() == before


@pytest.mark.parametrize("period", ["2022-13", "2022-Q9", "2022-AB"])
def test_what_was_recorded_before_is_read_verified_and_moved(
    period: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before_the_rule:
        before_the_rule.setattr("ledger.domain.claims.check_name", lambda _: None)
        done(*claim("old", period))
    rows = [json.loads(line) for line in done("sla", "claims", "--period", period, "--json").splitlines()]
    assert [(one["claim"], one["period"]) for one in rows] == [("old", period)]
    assert json.loads(done("verify", "--json"))["ok"]
    done("credits", "compute", "--period", "2022-03")
    done("sla", "deadlines", "--period", "2022-03")
    done("sla", "decide-claim", "old", "--decision", "refused", "--reason", "there is no such month")
    done("bundle", "--all", "--with", "actor", "--with", "note", "--output", "whole.bundle")
    result = ledger("import", "--bundle", "whole.bundle", at="strict.db")
    assert (result.exit_code, f"period {period!r} " in result.stderr) == (1, True), result.output
    # It is imported, but was not signed.
    assert ledger("import", "--bundle", "whole.bundle", "--earlier-rules", at="copy.db").exit_code == 3
    assert done("verify", "--json", at="copy.db") == done("verify", "--json")


@pytest.mark.parametrize("label", ["20220330", "2022-W13-3", "2022-03", "2022-3-30", "٢٠٢٢-03-30"])
def test_trailing_days_are_named_by_a_date(label: str) -> None:
    rule = PeriodRule("trailing-days", "UTC", days=30)
    with pytest.raises(
        Refused, match="does not fit a policy per trailing-days; write its last day, like 2022-03-30"
    ):
        parse_policy_period(rule, label)
    assert parse_policy_period(rule, "2022-03-30").seconds == 30 * 86_400


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("sla", "claims", "--period", "nonsense"), 1, "period 'nonsense' is not a period; write it like 2022-03, 2022-Q1, 2022 or 2022-03-14"),
        (("sla", "claims", "--period", "2022-04"), 0, "no claim fits what was asked for; none concerns the period '2022-04' (did you mean '2022-03'?)\n"),
        (("sla", "claims", "--customer", "Aurora Rial"), 0,
         "no claim fits what was asked for; none concerns the customer 'Aurora Rial' (did you mean 'Aurora Rail'?)\n"),
        (("sla", "claims", "--customer", "Aurora Rail", "--period", "2022-03"), 0, ""),
        (("credits", "list", "--period", "nonsense"), 1, "period 'nonsense' is not a period"),
        (("credits", "list", "--period", "2022-13"), 1, "period '2022-13' is not in the calendar"),
        (("credits", "list", "--period", "2021-01"), 0, "no document fits what was asked for; none concerns the period '2021-01'"),
        (("credits", "list", "--period", "2022-03"), 0, ""),
        (("credits", "show", "1", "--customer", "Aurora Rial"), 0,
         "no line fits what was asked for; none concerns the customer 'Aurora Rial' (did you mean 'Aurora Rail'?)\n"),
        (("credits", "show", "1", "--customer", "Aurora Rail"), 0, ""),
        (("credits", "show", "1", "--customer", "Aurora Rail", "--recompute"), 2, "--recompute compares all lines of a document; leave --customer out"),
        (("sla", "deadlines", "--period", "2022-03", "--customer", "Aurora Rial"), 0,
         "no deadline fits what was asked for; none concerns the customer 'Aurora Rial' (did you mean 'Aurora Rail'?)\n"),
        (("sla", "deadlines", "--period", "2022-03", "--customer", "Aurora Rail"), 0, "no deadline in 2022-03: no policy in use asks for a claim"),
        (("incidents", "--status", "resolved"), 0, "no incident fits what was asked for\n"),
    ],
)  # fmt: skip
def test_a_filter_that_fits_nothing_says_so(words: tuple[str, ...], code: int, said: str) -> None:
    done("credits", "issue", "--period", "2022-03")
    for more in ((), ("--json",)):
        result = ledger(*words, *more)
        assert (result.exit_code, said in result.stderr, bool(result.stderr)) == (code, True, bool(said)), (
            result.stderr
        )
