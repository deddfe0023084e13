"""Every command that records says what to do when the clock is behind, and does it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ledger.cli import main
from ledger.cli.session import Session
from ledger.domain.instants import micros

_POLICY = Path(__file__).parents[2] / "examples" / "email_delivery_2022" / "policies" / "email-standard.toml"
_AT, _BEHIND = micros("2022-03-30T17:00:00.000000Z"), micros("2022-03-30T16:00:00.000000Z")


def _run(clock: int, *words: str) -> Result:
    return CliRunner().invoke(main, list(words), obj=Session(lambda: clock))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LEDGER_URL", raising=False)
    (tmp_path / "customers.csv").write_text(
        "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\nAcme,s-1,s,EMEA,p,EUR,1.00,2021-01-01,\n"
    )
    (tmp_path / "cohort.csv").write_text("customer\nAcme\n")
    assert _run(_AT, "init").exit_code == 0
    opened = _run(_AT, "incident", "open", "a", "--actor", "o", "--title", "T", "--status", "investigating")
    assert opened.exit_code == 0
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ("incident", "update", "a", "--body", "b"),
        ("redact", "@1", "--field", "title", "--reason", "r", "--note", "n", "--source", "s", "--expected-version", "1"),
        ("policy", "publish", str(_POLICY)),
        ("subscriptions", "publish", "x", "customers.csv"),
        ("cohort", "publish", "x", "cohort.csv"),
        ("key", "new", "main"),
    ],
    ids=lambda words: " ".join(words[:2]),
)  # fmt: skip
def test_a_refusal_for_the_clock_names_an_option_that_is_there(folder: Path, words: tuple[str, ...]) -> None:
    refused = _run(_BEHIND, *words, "--actor", "o")
    assert refused.exit_code == 3
    assert "pass --accept-clock to record right after it" in refused.stderr
    accepted = _run(_BEHIND, *words, "--actor", "o", "--accept-clock")
    assert (accepted.exit_code, "recorded @2" in accepted.stdout) == (0, True), accepted.output
