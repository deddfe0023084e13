"""Whatever a command is given, it ends in a sentence with the exit code that belongs to it, and stores nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ledger.cli import main
from ledger.errors import Refused

_HUGE = "9" * 5_000
_WINDOW = (
    "--service",
    "s",
    "--component",
    "*",
    "--region",
    "*",
    "--start",
    "2022-03-14T16:00Z",
    "--end",
    "2022-03-14T17:00Z",
)
_POLICY = Path(__file__).parents[2] / "examples" / "email_delivery_2022" / "policies" / "email-standard.toml"
_HEADER = "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a ledger of one incident, and with files that are no good."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LEDGER_URL", raising=False)
    monkeypatch.delenv("LEDGER_ACTOR", raising=False)
    (tmp_path / "latin.txt").write_bytes("schön".encode("latin-1"))
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 this is no Parquet PAR1")
    (tmp_path / "header.csv").write_text(_HEADER)
    (tmp_path / "nobody.csv").write_text("customer\n")
    (tmp_path / "deep.toml").write_text("a = " + "[" * 100_000)
    (tmp_path / "digits.toml").write_text(f"format = {_HUGE}\n")
    (tmp_path / "hex.toml").write_text(f"format = 1\npolicy = 0x{'f' * 20_000}\n")
    text = _POLICY.read_text().replace("in_force_from = 2022-01-01", "in_force_from = 2022-01-01T00:00:00Z")
    (tmp_path / "instant.toml").write_text(text)
    (tmp_path / "policy.toml").write_text(_POLICY.read_text())
    assert _run("init").exit_code == 0
    assert (
        _run(
            "incident",
            "open",
            "a",
            "--actor",
            "o",
            "--title",
            "T",
            "--status",
            "investigating",
            "--service",
            "s",
        ).exit_code
        == 0
    )
    return tmp_path


def _run(*words: str, stdin: str | bytes | None = None) -> Result:
    result = CliRunner().invoke(main, list(words), input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def _measure(path: str) -> tuple[str, ...]:
    return (
        "incident",
        "record-measurement",
        "a",
        "m",
        "--actor",
        "o",
        *_WINDOW,
        "--of",
        "requests",
        "--series",
        path,
    )


_UPDATE = ("incident", "update", "a", "--actor", "o")
_REDACT = ("redact", "--actor", "o", "--reason", "r", "--field", "title")
# What is typed, the exit code, and what stands in the sentence.
_CASES: list[tuple[tuple[str, ...], int, str]] = [
    ((*_UPDATE, "--body", "x", "--body-file", "latin.txt"), 2, "--body and --body-file are two bodies; give one of them"),
    ((*_UPDATE, "--body-file", "nofile"), 2, "--body-file nofile cannot be read: No such file or directory; check the path"),
    ((*_UPDATE, "--body-file", "latin.txt"), 1, "--body-file latin.txt is not UTF-8: "),
    (("append", "nofile"), 2, "nofile cannot be read: No such file or directory; check the path"),
    (("policy", "publish", "nofile", "--actor", "o"), 2, "nofile cannot be read: No such file or directory; check the path"),
    (("policy", "publish", "deep.toml", "--actor", "o"), 1, "the policy is nested too deeply"),
    (("policy", "publish", "digits.toml", "--actor", "o"), 1, "the policy holds a number that is too long"),
    (("policy", "publish", "hex.toml", "--actor", "o"), 1, "policy (too long to be shown) is not text; put it in quotes"),
    (("policy", "publish", "instant.toml", "--actor", "o"), 1, "in_force_from 2022-01-01T00:00:00+00:00 is not a date"),
    (("cohort", "publish", "g", "bad.parquet", "--actor", "o"), 1, "the customers of the cohort are not Parquet"),
    (("subscriptions", "publish", "g", "bad.parquet", "--actor", "o"), 1, "the subscriptions are not Parquet"),
    (_measure("bad.parquet"), 1, "the rows of the series are not Parquet"),
    (_measure("nofile"), 2, "nofile cannot be read"),
    ((*_UPDATE, "--body", "\udcff"), 2, "an argument '\\udcff' is not UTF-8 text at character 1; write it in UTF-8"),
    (("show", "@9223372036854775808"), 1, "entry @9223372036854775808 does not exist: the ledger has 1 entry"),
    (("show", f"@{_HUGE}"), 1, "does not exist: the ledger has 1 entry"),
    (("show", "a", f"v{_HUGE}"), 1, "does not exist: incident/a has versions v1 to v1"),
    (("show", "a", f"r{_HUGE}"), 1, "does not exist: incident/a has revisions r1 to r1"),
    (("diff", "a", f"v{_HUGE}", "v1"), 1, "does not exist: incident/a has versions v1 to v1"),
    (("diff", "a", f"@{_HUGE}", "v1"), 1, "the ledger"),
    (("log", "--recorded-by", f"@{_HUGE}"), 1, "is beyond the ledger, which has 1 entry"),
    ((*_REDACT, "@99999999999999999999"), 1, "entry @99999999999999999999 does not exist: the ledger has 1 entry"),
    ((*_REDACT, "@x"), 1, "entry '@x' names no position, and no stream is given; name the entry like @812"),
    ((*_REDACT, "v1"), 1, "entry 'v1' names no position, and no stream is given; name the entry like @812"),
    (("notice", "policy/email-standard"), 1, "'policy/email-standard' is no incident, so it has no notice; see ledger log policy/email"),
    (("log", "--type", "window.adde"), 2, "--type 'window.adde' is no type of entry (did you mean 'window.added'?)"),
    (("incident", "link", "a", "--actor", "o", "--relation", "related", "--to", "zz"), 1,
     "to 'zz' is no incident of this ledger; open it first, or name another one"),
    (("incident", "set-affected", "a", "--actor", "o", "--service", "s", "--component", "c"), 2,
     "give --region or --no-region, one of them"),
    (("incident", "set-affected", "a", "--actor", "o", "--service", "s", "--component", "c", "--region", "x", "--no-region"), 2,
     "give --region or --no-region, one of them"),
    (("incident", "correct", "a", "--actor", "o", "--corrects", "v1", "--kind", "correction", "--reason", "r"), 2,
     "Missing option '--set' or '--set-json'"),
    (("incident", "correct", "a", "--actor", "o", "--corrects", "v1", "--kind", "correction", "--reason", "r",
      "--set-json", "title=" + "[" * 100_000), 2, "--set-json"),
    (("incident", "update", "a", "--body", "x"), 2, "Missing option '--actor'"),
    (("incident", "reopen", "a", "--actor", "o"), 2, "Missing option '--reason'"),
    (("policy", "publish", "policy.toml"), 2, "Missing option '--actor'"),
    ((*_REDACT[:3], "--field", "title", "@1"), 2, "Missing option '--reason'"),
    (("--ledger", "mysql://u:SECRET@h/d", "log"), 2, "the ledger URL 'mysql://u:***@h/d' is not understood"),
    (("checkpoint", "--output", "nofolder/x"), 3, "nofolder/x cannot be written: No such file or directory"),
    (("prove", "@1", "--output", "nofolder/x"), 3, "nofolder/x cannot be written: No such file or directory"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "code", "sentence"), _CASES, ids=[" ".join(words)[:60] for words, _, _ in _CASES]
)
def test_a_command(folder: Path, words: tuple[str, ...], code: int, sentence: str) -> None:
    result = _run(*words)
    assert (result.exit_code, sentence in result.stderr) == (code, True), result.stderr[:2_000]
    assert "SECRET" not in result.output
    assert _run("log", "--json").stdout.count("\n") == 1


_TABLE = {"sha256": "0" * 64, "format": "csv", "rows": 1}
# What a line of JSON adds to an action, and what stands in the sentence.
_LINES: list[tuple[dict[str, Any], str]] = [
    ({"action": "publish-cohort", "cohort": "g", "path": "a\0b"}, "path 'a\\x00b' is not the name of a file"),
    ({"action": "publish-cohort", "cohort": "g", "path": 5}, "path 5 is not the name of a file; write its path as text"),
    ({"action": "publish-cohort", "cohort": "g", "path": "nofile"}, "path 'nofile' cannot be read: No such file or directory; paths are relative to the file of actions"),
    ({"action": "publish-cohort", "cohort": "g", "path": "nobody.csv", "by_location": "no"},
     "by_location 'no' is neither true nor false; write one of them, without quotes"),
    ({"action": "publish-cohort", "cohort": "g", "table": _TABLE, "by_location": True},
     "by_location is true, but there is no path; name the file that stays where it is"),
    ({"action": "publish-cohort", "cohort": "g", "table": _TABLE, "path": "nobody.csv"}, "path and table are both given; give one of them"),
    ({"action": "publish-policy", "terms": "format = 1", "path": "policy.toml"}, "path and terms are both given; give one of them"),
    ({"action": "publish-policy", "path": "policy.toml", "by_location": True}, "by_location is not a field of this action"),
    ({"action": "record-measurement", "incident": "a", "series": _TABLE, "series_path": "nobody.csv"}, "series_path and series are both given; give one of them"),
    ({"action": "update", "incident": "a", "body": "\ud800"}, ""),
    ({"action": "redact", "entry": "@99999999999999999999", "fields": ["title"], "reason": "r"}, "entry @99999999999999999999 does not exist"),
    ({"action": "redact", "entry": "@x", "fields": ["title"], "reason": "r"}, "entry '@x' names no position"),
    ({"action": "redact", "entry": 5, "fields": ["title"], "reason": "r"}, "incident is missing; give the key of the incident"),
    ({"action": "reopen", "incident": "a"}, "reason is missing; add it"),
    ({"action": ["reopen"], "incident": "a"}, "action ['reopen'] is unknown"),
    ({"action": "set-affected", "incident": "a", "services": [], "components": []}, "regions is missing; add it"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "sentence"), _LINES)
@pytest.mark.parametrize("each", [(), ("--each",)])
def test_a_line(folder: Path, line: dict[str, Any], sentence: str, each: tuple[str, ...]) -> None:
    result = _run("append", *each, "-", stdin=json.dumps({"actor": "o", **line}))
    assert (result.exit_code, sentence in result.stderr) == (1, True), result.stderr
    assert _run("log", "--json").stdout.count("\n") == 1


def test_what_is_to_be_said_of_all_problems_stands_behind_them(folder: Path) -> None:
    """Given a table with many bad rows, then each is told, and last what became of the table."""
    (folder / "bad.csv").write_text(
        _HEADER + "".join(f"A,s{at},m,R,p,EUR,x,2022-01-01,\n" for at in range(25))
    )
    result = CliRunner().invoke(main, ["subscriptions", "publish", "all", "bad.csv", "--actor", "f"])
    told = result.stderr.splitlines()
    assert (result.exit_code, len(told)) == (1, 26)
    assert told[0].startswith("ledger: line 2: fee 'x'")
    assert told[-1] == "ledger: the subscriptions were not read"


def test_hints_are_told_by_every_error_that_has_some() -> None:
    error = Refused("a; b; do c", ("a", "b"), ("do c",))
    assert (str(error), error.problems, error.told) == ("a; b; do c", ("a", "b"), ("a", "b", "do c"))
    assert Refused("a").told == ("a",)


def test_nothing_to_record_and_nothing_to_show_are_said(folder: Path) -> None:
    assert _run("append", "-", stdin="\n").stderr == "there is no action in standard input\n"
    assert _run("log", "--actor", "nobody").stderr == "no entry fits what was asked for\n"
    assert _run("--ledger", "sqlite:///empty.db", "init").exit_code == 0
    empty = _run("--ledger", "sqlite:///empty.db", "log", "--json")
    assert (empty.exit_code, empty.stdout, empty.stderr) == (0, "", "the ledger holds no entries\n")


@pytest.mark.parametrize(
    ("kind", "empty", "row", "what"),
    [
        (
            "subscriptions",
            "header.csv",
            _HEADER + "Acme,s-1,s,EMEA,p,EUR,1.00,2021-01-01,\n",
            "subscriptions",
        ),
        ("cohort", "nobody.csv", "customer\nAcme\n", "customers"),
    ],
)
def test_a_table_without_rows_never_replaces_one_with_rows(
    folder: Path, kind: str, empty: str, row: str, what: str
) -> None:
    """The first of its name may be empty, which is said; a file that was cut off after its header takes nothing away."""
    (folder / "row.csv").write_text(row)
    first = _run(kind, "publish", "g", empty, "--actor", "o")
    assert (first.exit_code, f"warning: the table holds no {what}\n" in first.stderr) == (0, True), (
        first.output
    )
    assert _run(kind, "publish", "g", "row.csv", "--actor", "o").exit_code == 0
    refused = _run(kind, "publish", "g", empty, "--actor", "o")
    assert refused.exit_code == 1
    assert (
        f"the table holds no {what}, and would take away the 1 of v2; publish the table that was meant"
        in refused.stderr
    )


# ---- packages that are not there -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [("init",), ("log",), ("verify",), ("incidents",), ("views", "rebuild"), (*_UPDATE, "--body", "x")],
)
def test_postgresql_without_its_driver(
    folder: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    result = _run("--ledger", "postgresql://u:SECRET@localhost/d", *words)
    assert (result.exit_code, result.stderr) == (
        3,
        "ledger: PostgreSQL needs the package psycopg; install incident-sla-ledger[postgres]\n",
    )


def test_parquet_without_its_library(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "customers.csv").write_text(_HEADER + "Acme,s-1,s,EMEA,email-standard,EUR,1.00,2021-01-01,\n")
    assert _run("policy", "publish", "policy.toml", "--actor", "o").exit_code == 0
    assert _run("subscriptions", "publish", "customers", "customers.csv", "--actor", "o").exit_code == 0
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for words in (
        ("subscriptions", "publish", "x", "bad.parquet", "--actor", "o"),
        ("cohort", "publish", "x", "bad.parquet", "--actor", "o"),
        ("credits", "export", "--period", "2022-03", "--output", "x.parquet"),
        _measure("bad.parquet"),
    ):
        result = _run(*words)
        assert (result.exit_code, result.stderr.splitlines()[-1]) == (
            3,
            "ledger: Parquet needs the package pyarrow; install incident-sla-ledger[parquet]",
        ), words
    assert list(folder.glob("*x.parquet*")) == []


# ---- passwords -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:SECRET@localhost:1/d",
        "postgresql://u:SE/CRET@localhost:1/d",
        "postgresql://u:SECRET:1@localhost:x/d",
        "postgresql://localhost:1/d?user=u&password=SECRET",
        "postgres//u:SECRET@localhost",
        "mysql://u:SECRET@localhost/d",
    ],
)
def test_no_password_is_shown(folder: Path, url: str) -> None:
    for words in (("init",), ("log",), ("init", "--json")):
        result = _run("--ledger", url, *words)
        assert result.exit_code in (2, 3)
        for part in ("SECRET", "CRET"):
            assert part not in result.output


def test_creating_shows_no_password(postgres_url: str) -> None:
    result = _run("--ledger", postgres_url.replace("postgres@", "postgres:SECRET@"), "init")
    assert result.exit_code == 0
    assert "postgresql://postgres:***@/" in result.stdout
    assert "SECRET" not in result.output


# ---- mistakes of the program -----------------------------------------------------------------------------


def test_a_mistake_of_the_program_is_raised_in_a_test(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard at the end of a program hides nothing from who tests it."""
    monkeypatch.setattr("ledger.cli.session.Session.log", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        _run("log")
    monkeypatch.setattr("ledger.cli.session.Session.log", lambda self: (_ for _ in ()).throw(Refused("no")))
    assert _run("log").exit_code == 1


def test_a_mistake_of_the_program_ends_in_a_sentence(folder: Path) -> None:
    import subprocess

    program = (
        "import sys\nfrom ledger.cli import main\nfrom ledger.cli.session import Session\n"
        "Session.log = lambda self: 1 / 0\nmain(['log'], prog_name='ledger')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        3,
        "ledger: ZeroDivisionError: division by zero; this is a mistake of the program, not of yours: report it with what "
        "LEDGER_TRACEBACK=1 in the environment shows\n",
    )
