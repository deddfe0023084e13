"""docs/json.md names every field that the commands about claims and documents answer with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.finance.days_desk import Days

_PAGE = Path(__file__).resolve().parents[2] / "docs/json.md"
_ON_REQUEST = (
    '[claim]\nhow = "on-request"\nwithin = "30 days"\nanchor = "period-end"\n[facts]\nundecided = "least"\n'
)


def named_in(heading: str) -> set[str]:
    """The words in code of one section of the page."""
    (text,) = re.findall(
        rf"^### {re.escape(heading)}\n(.*?)(?=^### |\Z)",
        _PAGE.read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    return set(re.findall(r"`([^`]+)`", text))


def keys(value: Any, but: tuple[str, ...] = ()) -> Iterator[str]:
    """Every name in an answer, however deep, without what is under some names."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            if name not in but:
                yield from keys(inner, but)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner, but)


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Any:
    """A statement with undecided days on request, one claim granted and one open, an exclusion; then a revision."""
    days = Days(sqlite_url, tmp_path, _ON_REQUEST)
    days.until("15:30", "--end-within-seconds", "3600")
    for name in ("Aurora Rail", "Baltic Timber"):
        days.desk.ok("sla", "claim", f"of-{name[0].lower()}", "--actor", "s", "--customer", name, "--period", "2022-03", "--at",
                     "2022-04-01T00:00Z")  # fmt: skip
    days.desk.ok("sla", "decide-claim", "of-a", "--actor", "f", "--decision", "granted", "--reason", "r")
    days.desk.ok("sla", "exclude", "storm", "--actor", "o", "--kind", "force-majeure", "--service", "mail", "--component", "*",
                 "--region", "NAM", "--start", "2022-03-14T16:00:00Z", "--end", "2022-03-14T17:00:00Z", "--approved-by", "b",
                 "--evidence", "e")  # fmt: skip
    days.issue()
    days.until("14:00", "--clear", "end_within_seconds")
    return days.desk


def answers(desk: Any, *words: str) -> list[Any]:
    return [json.loads(line) for line in desk.ok(*words, "--json").splitlines()]


@pytest.mark.skipif(not _PAGE.exists(), reason="the pages stand in the checkout")
@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("Exclusion", ("sla", "exclusions")),
        ("Claim", ("sla", "claims")),
        ("Deadline", ("sla", "deadlines", "--period", "2022-03")),
        ("Document", ("credits", "list")),
        (
            "Receipt",
            ("sla", "decide-claim", "of-b", "--actor", "f", "--decision", "refused", "--reason", "r"),
        ),
    ],
)
def test_every_field_of_a_list_is_named(desk: Any, heading: str, words: tuple[str, ...]) -> None:
    found = answers(desk, *words)
    assert found
    assert set(keys(found)) <= named_in(heading)


@pytest.mark.skipif(not _PAGE.exists(), reason="the pages stand in the checkout")
def test_every_field_of_a_document_shown_is_named(desk: Any) -> None:
    """Lines and assessments of a statement and of its adjustment, and what computing it again says."""
    row, document, line = (
        named_in(heading) for heading in ("Credit row", "Document", "Line and assessment of a document")
    )
    desk.ok("credits", "restate", "1", "--issue", "--actor", "f")
    said: set[str] = set()
    for number in ("1", "2"):
        (shown,) = answers(desk, "credits", "show", number)
        details = shown.pop("details")
        assert set(keys(shown)) <= document
        assert set(keys(details["lines"])) <= line
        assert set(keys(details["assessments"])) <= line | row
        said.update(keys(details["lines"]))
    assert {
        "undecided",
        "claim",
        "service_days_unclaimed",
        "service_days_waived",
        "service_days_as_now",
    } <= said
    (again,) = answers(desk, "credits", "show", "2", "--recompute")
    commands = set(
        re.findall(
            r"`([^`]+)`", next(one for one in _PAGE.read_text().splitlines() if "--recompute --json" in one)
        )
    )
    assert set(again["recomputed"]) <= commands


@pytest.mark.skipif(not _PAGE.exists(), reason="the pages stand in the checkout")
def test_every_field_of_a_proposal_is_named(desk: Any) -> None:
    (found,) = answers(desk, "credits", "restate", "1")
    assert found["lines"]
    known = named_in("Proposal") | named_in("Document") | named_in("Line and assessment of a document")
    assert set(keys(found, but=("before", "after"))) <= known


@pytest.mark.skipif(not _PAGE.exists(), reason="the pages stand in the checkout")
def test_every_column_of_a_credit_row_is_named(desk: Any) -> None:
    (found,) = answers(desk, "credits", "compute", "--period", "2022-03", "--subscriptions", "mail")
    assert set(keys(found["rows"])) <= named_in("Credit row")
