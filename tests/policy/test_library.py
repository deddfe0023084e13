"""The library of ready policies, and the published schema."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from ledger.cli import main
from ledger.cli.terms import findings_of
from ledger.domain.policy import parse_policy
from ledger.domain.policy.schema import json_schema

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["policy", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


LIBRARY = {row["policy"]: row for row in map(json.loads, run("library", "--json").splitlines())}
TEXTS = {name: run("library", name) for name in LIBRARY}
# What contracts themselves leave open or say twice, and the library copies; some name a sum in dollars and no other currency.
COPIED = {"gap", "met-but-pays", "not-verified", "sums-without-currencies"}


def test_there_are_many_and_each_names_its_source() -> None:
    """At least twelve public service levels, each with where it was read and how far it was compared."""
    assert len(LIBRARY) >= 12
    assert all(row["source"] and row["note"] for row in LIBRARY.values())
    assert {row["state"] for row in LIBRARY.values()} <= {"verified", "partly-verified", "not-verified"}


@pytest.mark.parametrize("name", LIBRARY)
def test_each_is_whole(name: str) -> None:
    """It is read, its key is its name, and the linter finds nothing but what its contract leaves open."""
    key, found = findings_of(TEXTS[name])
    assert key == parse_policy(TEXTS[name]).key == name
    assert {one.kind for one in found} <= COPIED
    assert all(one.level == "warning" for one in found)


def as_read(text: str) -> Any:
    return json.loads(json.dumps(tomllib.loads(text), default=str))


@pytest.mark.parametrize("name", LIBRARY)
def test_each_fits_the_schema(name: str) -> None:
    """The published schema accepts every policy of the library."""
    jsonschema.Draft202012Validator(json_schema()).validate(as_read(TEXTS[name]))


def test_the_schema_is_one_and_is_published() -> None:
    """It is a schema of its draft, printed by the command, and the file in docs is that of the code."""
    jsonschema.Draft202012Validator.check_schema(json_schema())
    assert json.loads(run("schema")) == json_schema()
    assert (ROOT / "docs/policy.schema.json").read_text() == run("schema")


@pytest.mark.parametrize(
    ("change", "to"),
    [
        ('credit_percent = "30"', "credit_percent = 30"),
        ('kind = "calendar-month"', 'kind = "calender-month"'),
        ('rounding = "half-up"', 'rounding = "half-up"\nroundng = "up"'),
        ('within = "2 periods"', 'within = "two periods"'),
        ('[measure]\nof = "time"\n', ""),
    ],
)
def test_the_schema_refuses_what_the_parser_refuses(change: str, to: str) -> None:
    """A number for text, a word misspelt, an unknown key, a span that is none, a missing table."""
    text = TEXTS["aws-compute-region"]
    assert change in text
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(json_schema()).validate(as_read(text.replace(change, to)))


def test_a_name_that_is_not_there_is_refused_with_the_nearest() -> None:
    """A typo gets a hint."""
    result = CliRunner().invoke(main, ["policy", "library", "exoscle"])
    assert result.exit_code == 1
    assert result.stderr == (
        "ledger: the library has no policy 'exoscle' (did you mean 'exoscale'?); see ledger policy library\n"
    )
