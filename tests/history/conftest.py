"""Incidents to ask about: actions appended a minute apart, and the incident of March 2022."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ledger.append import Appender
from ledger.cli.tables import parse_with_files
from ledger.domain.actions import parse_action
from ledger.domain.instants import micros
from ledger.domain.policy import Policy, parse_policy
from ledger.store.stream import Entry, read_stream
from projections.subscriptions import read_subscriptions

START = micros("2022-04-01T00:00:00.000000Z")
EXAMPLE = Path(__file__).parents[2] / "examples" / "email_delivery_2022"
Batches = Callable[..., list[Entry]]


@pytest.fixture
def incident(tmp_path: Path) -> Iterator[Batches]:
    """Give a function that appends batches of actions on the incident `mail`, each a minute after the one before."""
    made: list[Appender] = []

    def entries(*batches: list[dict[str, Any]]) -> list[Entry]:
        minutes = itertools.count(1)
        now = [START]
        appender = Appender(f"sqlite:///{tmp_path / f'ledger-{len(made)}.db'}", clock=lambda: now[0])
        made.append(appender)
        appender.create("history-test")
        for batch in batches:
            now[0] = START + next(minutes) * 60_000_000
            appender.append(
                [parse_action({"incident": "mail", "actor": "ops", **action}) for action in batch]
            )
        return read_stream(appender.sealed, "incident/mail")

    yield entries
    for appender in made:
        appender.close()


@pytest.fixture
def email(tmp_path: Path) -> Iterator[list[Entry]]:
    """Give the entries of the incident of March 2022, recorded on 1 April 2022."""
    if not EXAMPLE.exists():
        pytest.skip("the example stands in the checkout, and this is a run away from it")
    appender = Appender(f"sqlite:///{tmp_path / 'email.db'}", clock=lambda: START)
    appender.create("history-test")
    lines = (EXAMPLE / "actions.jsonl").read_bytes().splitlines()
    appender.append([parse_with_files(line, str(EXAMPLE)) for line in lines])
    yield read_stream(appender.sealed, "incident/email-2022-03")
    appender.close()


@pytest.fixture
def email_policies() -> dict[str, list[tuple[int, Policy]]]:
    """Give the policies of the example, each in its first version."""
    policies = [parse_policy(path.read_text()) for path in sorted((EXAMPLE / "policies").glob("*.toml"))]
    return {policy.key: [(1, policy)] for policy in policies}


@pytest.fixture
def email_figures() -> dict[str, Any]:
    """Give the figures of the example, which an independent calculation confirms."""
    found: dict[str, Any] = json.loads((EXAMPLE / "expected" / "figures.json").read_text())
    return found


@pytest.fixture
def email_subscriptions() -> pd.DataFrame:
    """Give what the customers of the example pay for."""
    return read_subscriptions((EXAMPLE / "subscriptions.csv").read_bytes(), "csv")
