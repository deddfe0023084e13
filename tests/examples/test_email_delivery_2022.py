"""The demonstration gives the figures of the March 2022 incident, all of them."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ledger.domain.actions import parse_action
from tests.examples.slow_figures import figures

EXAMPLE = Path(__file__).parents[2] / "examples" / "email_delivery_2022"
FIGURES: dict[str, Any] = json.loads((EXAMPLE / "expected" / "figures.json").read_text(encoding="utf-8"))
SIDES = ("before", "after")
CORRECTED = "2022-03-30T16:52:00Z"
PER_SIDE = (
    "availability", "availability_at_least", "availability_at_most", "credit_percent", "credit",
    "credit_at_least", "credit_at_most",
)  # fmt: skip


def demo(folder: Path, *options: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE / "demo.py"), "--folder", str(folder), *options],
        capture_output=True, text=True, encoding="utf-8", check=False, env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def answers(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(demo(folder, "--json"))
    return found


def actions() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (EXAMPLE / "actions.jsonl").read_text(encoding="utf-8").splitlines()]


def test_expected_figures_are_computed_without_the_product() -> None:
    assert figures() == FIGURES


def test_expected_figures_are_those_of_the_notice() -> None:
    """The figures everybody can work out by hand, written out once more."""
    regions = FIGURES["regions"]
    assert FIGURES["period_seconds"] == 2_678_400
    assert [regions["NAM"][side]["downtime_seconds"] for side in SIDES] == [0, 27_000]
    assert [regions["EMEA"][side]["downtime_seconds"] for side in SIDES] == [28_740, 28_740 + 28_800]
    assert regions["NAM"]["before"]["availability"] == "100.000000000000"
    assert regions["NAM"]["after"]["availability"].startswith("98.9919354838")
    assert regions["EMEA"]["before"]["availability"].startswith("98.9269713261")
    assert regions["EMEA"]["after"]["availability"].startswith("97.8517025089")
    assert FIGURES["nam_seconds_past_99_0"] == 216
    for name, one in FIGURES["subscriptions"].items():
        if name.startswith("ember"):
            assert Decimal(one["after"]["availability_at_least"]) > Decimal("99.995")
        if name in ("fjord-emea", "harbor-nam"):
            assert one["after"]["availability"] == "100.000000000000"
    assert len(FIGURES["subscriptions"]) >= 12
    assert len(FIGURES["totals"]) >= 3


@pytest.mark.parametrize("side", SIDES)
def test_downtime_per_region(answers: dict[str, Any], side: str) -> None:
    for region, expected in FIGURES["regions"].items():
        found = answers[f"downtime_{side}"][region]["downtime_seconds"]
        assert found == expected[side]["downtime_seconds"]


@pytest.mark.parametrize("side", SIDES)
def test_every_credit_row(answers: dict[str, Any], side: str) -> None:
    rows = {row["subscription"]: row for row in answers[f"credits_{side}"]["rows"]}
    assert rows.keys() == FIGURES["subscriptions"].keys()
    for name, row in rows.items():
        expected = FIGURES["subscriptions"][name]
        assert {key: row[key] for key in PER_SIDE} == {key: expected[side][key] for key in PER_SIDE}, name
        assert row["downtime_seconds"] == expected[side]["downtime_seconds"]
        assert row["customer"] == expected["customer"]
        assert row["period_seconds"] == FIGURES["period_seconds"]
        assert row["entries"]


def test_every_difference_and_total(answers: dict[str, Any]) -> None:
    changed = {row["subscription"]: row for row in answers["credits_after"]["differences"]}
    assert changed.keys() == FIGURES["subscriptions"].keys()
    for name, expected in FIGURES["subscriptions"].items():
        found = changed[name]
        assert found["credit_before"] == expected["before"]["credit"]
        assert found["credit_after"] == expected["after"]["credit"]
        assert (found["delta"], found["currency"]) == (expected["difference"], expected["currency"])
    assert {
        row["currency"]: {
            "before": row["credit_before"],
            "after": row["credit_after"],
            "difference": row["delta"],
        }
        for row in answers["credits_after"]["difference_totals"]
    } == FIGURES["totals"]


def test_nam_is_just_past_the_edge(answers: dict[str, Any]) -> None:
    """NAM is 3.6 minutes past the 99.0% edge."""
    row = next(row for row in answers["credits_after"]["rows"] if row["subscription"] == "aurora-nam")
    assert row["seconds_past_tier_edge"] == FIGURES["nam_seconds_past_99_0"]
    assert row["credit_percent"] == "25"


def test_the_correction_shows_only_after(answers: dict[str, Any]) -> None:
    """Before, nobody had been told of NAM; after, the notice says when it was corrected and why."""
    assert "NAM" not in answers["notice_before"]
    assert "Corrected" not in answers["notice_before"]
    assert "nam-quarantine" in answers["notice_after"]
    assert "Corrected 2022-03-30 16:52 UTC" in answers["notice_after"]
    assert next(one["reason"] for one in actions() if one["action"] == "correct") in " ".join(
        answers["notice_after"].split()
    )


def test_verified(answers: dict[str, Any]) -> None:
    """The ledger verifies, and the root is that of the last receipt."""
    assert answers["verified"]["ok"]
    assert answers["verified"]["size"] == len(answers["receipts"]) == answers["receipts"][-1]["size"]
    assert answers["verified"]["root"] == answers["receipts"][-1]["root"]


def test_the_workbook_holds_the_figures(answers: dict[str, Any]) -> None:
    book = openpyxl.load_workbook(answers["workbook"]["file"], read_only=True, data_only=True)
    heading, *rows = book["Changes"].iter_rows(values_only=True)
    found = {row["subscription"]: row for row in (dict(zip(heading, row, strict=True)) for row in rows)}
    assert found.keys() == FIGURES["subscriptions"].keys()
    for name, expected in FIGURES["subscriptions"].items():
        for column, amount in (
            ("credit before", expected["before"]["credit"]),
            ("credit after", expected["after"]["credit"]),
            ("delta", expected["difference"]),
        ):
            assert Decimal(str(found[name][column])) == Decimal(amount), (name, column)


def test_the_replay_page_is_of_the_verified_ledger(answers: dict[str, Any]) -> None:
    """It holds the downtime of each region, and its proofs lead to the root that was verified."""
    made = answers["page"]
    assert (made["size"], made["root"]) == (answers["verified"]["size"], answers["verified"]["root"])
    page = Path(made["file"]).read_text(encoding="utf-8")
    for region in FIGURES["regions"].values():
        assert f'data-seconds="{region["after"]["downtime_seconds"]}"' in page


def test_a_terminal_without_the_characters_shows_every_figure(folder: Path, answers: dict[str, Any]) -> None:
    """The second run replaces the first, and prints what the answers hold, in ASCII where it must."""
    shown = demo(folder, PYTHONIOENCODING="ascii", LEDGER_URL="postgresql://nobody@nowhere.invalid/none")
    assert shown.isascii()
    assert "\x1b" not in shown
    for expected in FIGURES["subscriptions"].values():
        for side in SIDES:
            assert expected[side]["credit"] in shown
        assert expected["difference"] in shown
        # A subscription that ends within the month has an availability of its own, which the workbook shows.
        assert expected["after"]["availability_at_least"] in shown
    for expected in FIGURES["regions"].values():
        for side in SIDES:
            assert f"{expected[side]['downtime_seconds']:,}" in shown
            assert expected[side]["availability"] in shown
    assert answers["workbook"]["file"] in shown
    assert answers["page"]["file"] in shown


def test_the_commands_of_its_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand, in a copy of the folder; sent a second time, every action answers its first receipt."""
    from click.testing import CliRunner

    from ledger.cli import main

    monkeypatch.chdir(shutil.copytree(EXAMPLE, tmp_path / "example"))
    monkeypatch.delenv("LEDGER_URL", raising=False)
    block = re.findall(r"```sh\n(.*?)```", Path("README.md").read_text(encoding="utf-8"), re.DOTALL)[0]
    lines = block.splitlines()
    for line in lines:
        words = shlex.split(line)
        assert words[0] == "ledger"
        result = CliRunner().invoke(main, words[1:])
        assert result.exit_code == 0, f"{line}\n{result.output}"
    assert len(lines) == 8
    again = CliRunner().invoke(main, ["append", "actions.jsonl", "--json"])
    assert [json.loads(line)["replayed"] for line in again.stdout.splitlines()] == [True] * len(actions())


def test_one_act_corrects_the_notice() -> None:
    """All that was said on 30 March is one change, told at one time, and can be sent again."""
    correction = [one for one in actions() if one.get("published_at") == CORRECTED]
    assert [one["action"] for one in correction] == ["set-affected", "add-window", "add-window", "correct"]
    assert {one["change"] for one in correction} == {"correction-2022-03-30"}
    keys = [one["idempotency_key"] for one in actions()]
    assert len(set(keys)) == len(keys)
    for one in actions():
        if "incident" in one:
            assert one["ref"]
            assert parse_action(one).stream == "incident/email-2022-03"


def test_assumptions_are_marked() -> None:
    """Whatever is not on the public notice says so, and no policy claims to be the vendor's."""
    for one in actions():
        assert "assumed:" in one["note"].lower(), one
    for path in (EXAMPLE / "policies").glob("*.toml"):
        assert path.read_text(encoding="utf-8").startswith("# Assumed terms")
        assert "example" in tomllib.loads(path.read_text(encoding="utf-8"))["title"]
