"""Where the claim of each credit row stands: what compute and export show is what issue pays."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.finance.desk import Desk
from tools.terms import terms_2


def _terms(key: str, claim: str) -> str:
    return terms_2(key, {"99.9": "10", "99.5": "25"}, more=claim)


_ASKED = '[claim]\nhow = "on-request"\nwithin = "5 business-days"\nanchor = "incident-end"\n'
_CLAIMS = {
    # customer: (incidents, decision); what the row says; as far as it is paid
    "granted": ([], "granted", "granted"),
    "both": (["mail-2", "mail-3"], "granted", "granted"),
    "one": (["mail-2"], "granted", "granted-in-part"),
    "filed": (["mail-3"], None, "filed"),
    "refused": ([], "refused", "refused"),
    "elsewhere": (["mail-1"], "granted", "not-claimed"),
    "filed-elsewhere": (["mail-1"], None, "not-claimed"),
    "silent": (None, None, "not-claimed"),
}


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Any:
    """One service with two outages in EMEA, ended on Monday the 14th and Friday the 18th; and a customer for each standing."""
    found = Desk(sqlite_url, tmp_path)
    for key, claim in (("asked", _ASKED), ("free", "")):
        found.file(f"{key}.toml", _terms(key=key, claim=claim))
        found.ok("policy", "publish", f"{key}.toml", "--actor", "f")
    rows = [f"{name},{name},mail,EMEA,asked,EUR,100.00,2021-01-01," for name in _CLAIMS]
    rows += [
        "nam,nam,mail,NAM,asked,EUR,100.00,2021-01-01,",
        "auto,auto,mail,EMEA,free,EUR,100.00,2021-01-01,",
    ]
    found.file(
        "mail.csv",
        "\n".join(
            ["customer,subscription,service,region,policy,currency,fee,valid_from,valid_to", *rows, ""]
        ),
    )
    found.ok("subscriptions", "publish", "mail", "mail.csv", "--actor", "f")
    for incident, day in (("mail-2", "14"), ("mail-3", "18")):
        found.ok("incident", "open", incident, "--actor", "o", "--title", "t", "--status", "investigating", "--service", "mail",
                 "--component", "flow", "--region", "EMEA", "--region", "NAM")  # fmt: skip
        found.ok("window", "add", incident, "w", "--actor", "o", "--service", "mail", "--component", "flow", "--region", "EMEA",
                 "--start", f"2022-03-{day}T10:00:00Z", "--end", f"2022-03-{day}T12:30:00Z", "--effect", "outage")  # fmt: skip
    for name, (incidents, decision, _) in _CLAIMS.items():
        if incidents is None:
            continue
        words = [word for one in incidents for word in ("--incident", one)]
        found.ok("sla", "claim", f"of-{name}", "--actor", "s", "--customer", name, "--period", "2022-03", "--at", "2022-03-20T00:00Z",
                 *words)  # fmt: skip
        if decision is not None:
            found.ok(
                "sla", "decide-claim", f"of-{name}", "--actor", "f", "--decision", decision, "--reason", "r"
            )
    return found


def _rows(desk: Desk, *more: str) -> dict[str, dict[str, Any]]:
    found = json.loads(
        desk.ok("credits", "compute", "--period", "2022-03", "--subscriptions", "mail", "--json", *more)
    )
    return {row["subscription"]: row for row in found["rows"]}


def test_each_row_says_where_its_claim_stands_and_until_when(desk: Desk) -> None:
    """Five business days after Monday the 14th are the 21st, after Friday the 18th the 25th: the first of both is shown."""
    rows = _rows(desk)
    assert {name: row["claim_state"] for name, row in rows.items()} == {
        **{name: state for name, (_, _, state) in _CLAIMS.items()}, "nam": "not-needed", "auto": "not-needed",
    }  # fmt: skip
    assert {name: row["claim"] for name, row in rows.items() if row["claim"] is not None} == {
        "granted": "claim/of-granted v2", "both": "claim/of-both v2", "one": "claim/of-one v2", "filed": "claim/of-filed v1",
        "refused": "claim/of-refused v2",
    }  # fmt: skip
    assert {row["claim_last_day"] for name, row in rows.items() if name in _CLAIMS} == {"2022-03-21"}
    # Nothing is paid there, or without a claim: there is nothing to claim.
    assert (rows["nam"]["claim_last_day"], rows["auto"]["claim_last_day"]) == (None, None)
    due = [
        json.loads(line)
        for line in desk.ok(
            "sla", "deadlines", "--period", "2022-03", "--customer", "silent", "--json"
        ).splitlines()
    ]
    assert [one["last_day"] for one in due] == ["2022-03-21", "2022-03-25"]


def _incident(desk: Desk, key: str, day: str, minutes: str, effect: str) -> None:
    """Record an incident of the service in EMEA whose window begins at ten and lasts less than an hour."""
    desk.ok("incident", "open", key, "--actor", "o", "--title", "t", "--status", "investigating", "--service", "mail",
            "--component", "flow", "--region", "EMEA")  # fmt: skip
    desk.ok("window", "add", key, "w", "--actor", "o", "--service", "mail", "--component", "flow", "--region", "EMEA",
            "--start", f"2022-03-{day}T10:00:00Z", "--end", f"2022-03-{day}T10:{minutes}:00Z", "--effect", effect)  # fmt: skip


def test_what_is_shown_as_granted_is_what_is_issued(desk: Desk) -> None:
    """The credit of a row is what issue pays, where it needs no claim or has one; else it waits, whole or in part."""
    _shows_what_it_issues(desk)


def test_an_incident_that_counts_nothing_parts_no_grant_and_ends_no_time(desk: Desk) -> None:
    """Given a slow service on the 4th, which the terms do not count, then claims stand, and end, as if it had not been."""
    _incident(desk, "slow", "04", "59", "degraded")
    rows = _rows(desk)
    assert all("incident/slow v2" in row["entries"] for row in rows.values() if row["region"] == "EMEA")
    assert {rows[name]["claim_state"] for name in ("granted", "both")} == {"granted"}
    assert rows["one"]["claim_state"] == "granted-in-part"
    assert {row["claim_last_day"] for name, row in rows.items() if name in _CLAIMS} == {"2022-03-21"}
    _shows_what_it_issues(desk)


def test_an_outage_that_is_too_short_to_count_ends_no_time(desk: Desk) -> None:
    _incident(desk, "short", "04", "05", "outage")
    terms = _terms(key="asked", claim=_ASKED)
    assert {row["claim_last_day"] for row in _rows(desk).values()} == {None, "2022-03-11"}
    desk.file("asked.toml", terms.replace('"outage"]', '"outage"]\nminimum = "10 minutes"'))
    desk.ok("policy", "publish", "asked.toml", "--actor", "f")
    rows = _rows(desk)
    assert {row["claim_last_day"] for row in rows.values()} == {None, "2022-03-21"}
    assert rows["both"]["claim_state"] == "granted"


def test_of_two_incidents_of_the_same_time_either_counts(desk: Desk) -> None:
    """Given an outage that lies within another, then it counts nothing beside it, and all of it alone."""
    _incident(desk, "within", "14", "30", "outage")
    assert {row["claim_last_day"] for name, row in _rows(desk).items() if name in _CLAIMS} == {"2022-03-21"}
    # The same times told by another incident, which was over later: either is enough.
    desk.ok("window", "add", "within", "late", "--actor", "o", "--service", "mail", "--component", "flow", "--region", "EMEA",
            "--start", "2022-03-14T10:00:00Z", "--end", "2022-03-14T12:30:00Z", "--effect", "outage")  # fmt: skip
    desk.ok("window", "add", "within", "slow", "--actor", "o", "--service", "mail", "--component", "flow", "--region", "EMEA",
            "--start", "2022-03-22T10:00:00Z", "--end", "2022-03-22T12:30:00Z", "--effect", "degraded")  # fmt: skip
    assert {row["claim_last_day"] for name, row in _rows(desk).items() if name in _CLAIMS} == {"2022-03-25"}


def test_a_part_that_pays_all_is_all(desk: Desk) -> None:
    """Given terms that pay the same for one outage as for both, then a claim for one of them is granted whole."""
    terms = _terms(key="asked", claim=_ASKED)
    desk.file("asked.toml", terms.replace('credit_percent = "25"', 'credit_percent = "10"'))
    desk.ok("policy", "publish", "asked.toml", "--actor", "f")
    row = _rows(desk)["one"]
    assert (row["credit"], row["claim_state"], row["claim"]) == ("10.00", "granted", "claim/of-one v2")
    _shows_what_it_issues(desk)


def test_where_incidents_pay_one_by_one_each_counts(desk: Desk) -> None:
    """Given terms that add up what each incident gives, then one within the time of another gives something of its own."""
    _incident(desk, "within", "14", "50", "outage")
    desk.ok("window", "add", "within", "slow", "--actor", "o", "--service", "mail", "--component", "flow", "--region", "EMEA",
            "--start", "2022-03-09T10:00:00Z", "--end", "2022-03-09T12:30:00Z", "--effect", "degraded")  # fmt: skip
    _incident(desk, "early", "07", "59", "degraded")
    terms = _terms(key="asked", claim='[stacking]\nincidents = "sum"\n' + _ASKED.replace("-end", "-start"))
    desk.file("asked.toml", terms)
    desk.ok("policy", "publish", "asked.toml", "--actor", "f")
    rows = _rows(desk)
    assert {row["claim_last_day"] for name, row in rows.items() if name in _CLAIMS} == {"2022-03-16"}
    _shows_what_it_issues(desk, part=False)


def _shows_what_it_issues(desk: Desk, *, part: bool = True) -> None:
    """part: what a claim for one of two outages is paid is 10 of 25."""
    rows = _rows(desk)
    desk.issue("--subscriptions", "mail")
    shown = json.loads(desk.ok("credits", "show", "1", "--json"))
    lines = {line["subscription"]: line for line in shown["details"]["lines"]}
    assert set(lines) == set(rows)
    for name, row in rows.items():
        amount, waits = (
            int(lines[name].get(field, "0").replace(".", "")) for field in ("amount", "unclaimed")
        )
        assert amount + waits == int(row["credit"].replace(".", "")), name
        match row["claim_state"]:
            case "not-needed" | "granted":
                assert waits == 0, name
            case "granted-in-part":
                assert waits > 0, name
                assert (amount, waits) == (1000, 1500) or not part, name
            case _:
                assert amount == 0, name
        said = row["claim"] if row["claim_state"].startswith("granted") else None
        assert lines[name].get("claim") == said, name
    # No assessment holds anything of a claim.
    assert not any("claim" in key for one in shown["details"]["assessments"] for key in one)


def test_a_withdrawn_claim_and_one_of_an_erased_customer_count_nothing(desk: Desk) -> None:
    desk.ok("sla", "withdraw-claim", "of-filed", "--actor", "s", "--reason", "r")
    position = json.loads(desk.ok("log", "claim/of-granted", "--json").splitlines()[0])["position"]
    desk.ok("redact", f"@{position}", "--actor", "d", "--field", "customer", "--reason", "asked for")
    rows = _rows(desk)
    assert [rows[name]["claim_state"] for name in ("filed", "granted")] == ["not-claimed", "not-claimed"]


def test_the_table_shows_claims_where_any_row_needs_one(desk: Desk) -> None:
    result = desk.run("credits", "compute", "--period", "2022-03", "--subscriptions", "mail")
    assert "granted-in-part" in result.stdout
    assert "ledger credits issue pays what was granted, as claim_state says" in result.stderr
    assert "claim state" not in desk.ok(
        "credits", "compute", "--period", "2022-03", "--subscriptions", "customers"
    )


def test_files_have_the_columns_at_their_end(desk: Desk, tmp_path: Path) -> None:
    import pyarrow.parquet

    words = ("credits", "export", "--period", "2022-03", "--subscriptions", "mail", "-o")
    desk.ok(*words, "rows.csv")
    with (tmp_path / "rows.csv").open(newline="") as file:
        from_csv = list(csv.DictReader(file))
    assert list(from_csv[0])[-3:] == ["claim_state", "claim", "claim_last_day"]
    desk.ok(*words, str(tmp_path / "rows.parquet"))
    from_parquet = pyarrow.parquet.read_table(tmp_path / "rows.parquet").to_pylist()
    for one, other in zip(from_csv, from_parquet, strict=True):
        for name in ("claim_state", "claim", "claim_last_day"):
            assert one[name] == (other[name] or "")


def test_the_workbook_has_them_where_any_line_must_be_claimed(desk: Desk, tmp_path: Path) -> None:
    import openpyxl

    rows = _rows(desk)
    for table, there in (("mail", True), ("customers", False)):
        desk.ok(
            "credits",
            "export",
            "--period",
            "2022-03",
            "--subscriptions",
            table,
            "-o",
            str(tmp_path / f"{table}.xlsx"),
        )
        heading, *lines = openpyxl.load_workbook(tmp_path / f"{table}.xlsx", data_only=True)[
            "Credits"
        ].iter_rows(values_only=True)
        assert (heading[-3:] == ("claim", "claimed by", "last day to claim")) is there
        for line in lines if there else ():
            row = rows[str(line[1])]
            assert list(line[-3:]) == [row["claim_state"], row["claim"], row["claim_last_day"]]


def test_a_window_of_others_ends_no_time_to_claim(desk: Desk) -> None:
    """Given a window of the 10th for a cohort, then its customer's time ends on the 17th, and nobody else's."""
    desk.file("pilot.csv", "customer\ngranted\n")
    desk.ok("cohort", "publish", "pilot", "pilot.csv", "--actor", "f")
    desk.ok("incident", "open", "mail-4", "--actor", "o", "--title", "t", "--status", "investigating", "--service", "mail",
            "--component", "flow", "--region", "EMEA")  # fmt: skip
    desk.ok("window", "add", "mail-4", "early", "--actor", "o", "--service", "mail", "--component", "flow", "--region", "EMEA",
            "--start", "2022-03-10T10:00:00Z", "--end", "2022-03-10T10:30:00Z", "--effect", "outage", "--cohort", "pilot")  # fmt: skip
    rows = _rows(desk)
    assert (rows["granted"]["claim_last_day"], rows["silent"]["claim_last_day"]) == (
        "2022-03-17",
        "2022-03-21",
    )


def test_what_gives_days_alone_is_claimed_as_well(desk: Desk) -> None:
    """Given terms on request that give days and no money, then rows that would get some wait for a claim, and others do not."""
    days = _terms(key="asked", claim=_ASKED).replace('credit_percent = "10"', 'service_days = "1"')
    desk.file("asked.toml", days.replace('credit_percent = "25"', 'service_days = "2"'))
    desk.ok("policy", "publish", "asked.toml", "--actor", "f")
    rows = _rows(desk)
    assert [(rows[name]["credit"], rows[name]["claim_state"]) for name in ("silent", "granted", "nam")] == [
        ("0.00", "not-claimed"), ("0.00", "granted"), ("0.00", "not-needed"),
    ]  # fmt: skip
