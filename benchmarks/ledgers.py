"""Ledgers of a given size to measure on: 10 entries per incident, two windows each, ordinary words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ledger.append import Appender
from ledger.domain.actions import Action, parse_action

__all__ = ["ENTRIES_PER_INCIDENT", "actions", "build"]

ENTRIES_PER_INCIDENT = 10
_STEP = 500


def actions(first: int, count: int) -> Iterator[bytes]:
    """Yield the JSON lines of `count` incidents: opened, identified, 4 updates, 2 windows, fixed, resolved."""
    for number in range(first, first + count):
        day = 1 + number % 27
        head = f'"incident":"inc-{number}","actor":"bot-{number % 7}"'
        window = (
            '"service":"email","component":"mail flow","region":"EMEA","effect":"outage","basis":"measured"'
        )
        yield (
            f'{{"action":"open",{head},"title":"Incident {number}","status":"investigating","services":["email"],'
            f'"components":["mail flow"],"regions":["EMEA","NAM"],"body":"We are looking into it.",'
            f'"idempotency_key":"open-{number}"}}'
        ).encode()
        for at in range(2):
            yield (
                f'{{"action":"add-window",{head},"window":"w-{at}",{window},'
                f'"start":"2022-03-{day:02}T1{at}:00:00Z","end":"2022-03-{day:02}T1{at}:40:00Z"}}'
            ).encode()
        yield f'{{"action":"identify",{head},"cause":"capacity","body":"Too few servers for the load."}}'.encode()
        for at in range(4):
            yield (
                f'{{"action":"update",{head},"body":"Update {at}: {number % 97}% of requests are served again.",'
                f'"idempotency_key":"update-{number}-{at}"}}'
            ).encode()
        yield f'{{"action":"deploy-fix",{head},"at":"2022-03-{day:02}T12:00:00Z"}}'.encode()
        yield f'{{"action":"resolve",{head},"at":"2022-03-{day:02}T13:00:00Z","body":"It is over."}}'.encode()


def build(path: Path, entries: int) -> str:
    """Return the URL of a ledger of `entries` entries at a path, made there if it is not yet."""
    url = f"sqlite:///{path}"
    if path.exists():
        return url
    appender = Appender(url)
    appender.create("ledger-bench")
    incidents = entries // ENTRIES_PER_INCIDENT
    for first in range(0, incidents, _STEP):
        batch: list[Action] = [parse_action(line) for line in actions(first, min(_STEP, incidents - first))]
        appender.append(batch)
    appender.close()
    return url
