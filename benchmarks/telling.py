"""How a long incident came to read as it does: diff and blame of 1,000 entries against the same commands on two entries.

Of ten entries in a row four are updates, two correct an update, two add a window, one revises one, one retitles.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.measure import best_process
from ledger.append import Appender
from ledger.domain.actions import parse_action
from tools.terms import terms

__all__ = ["main"]

_MUST_MS = 300.0
_ENTRIES = 1_000
_PLACE = {"service": "email", "component": "flow", "region": "EMEA"}


def _actions(entries: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"action": "open", "title": "Mail delayed", "status": "investigating", "services": ["email"],
         "components": ["flow"], "regions": ["EMEA", "NAM"], "body": "We are looking into it."}
    ]  # fmt: skip
    while len(found) < entries:
        at = len(found)
        say = f"Update {at}: {at % 97}% of the mail is delivered at once, and the rest waits for {at % 13} minutes."
        day = f"2022-03-{1 + at // 10 % 28:02}"
        turn: list[dict[str, Any]] = [
                {"action": "update", "body": f"{say}\nWe will say more within the hour."},
                {"action": "update", "body": say, "ref": f"u{at}"},
                {"action": "correct", "corrects": f"u{at - 1}", "kind": "correction", "reason": "Counted again.",
                 "set": {"body": say.replace("the mail", "the mail in both regions")}},
                {"action": "add-window", "window": f"w{at}", **_PLACE, "effect": "outage", "start": f"{day}T10:00:00Z",
                 "end": f"{day}T10:{at % 60:02}:30Z"},
                {"action": "revise-window", "window": f"w{at - 1}", "end": f"{day}T12:00:00Z", "reason": "Logs."},
                {"action": "update", "body": say},
                {"action": "update", "body": say, "ref": f"u{at}"},
                {"action": "correct", "corrects": f"u{at - 1}", "kind": "editorial", "reason": "Spelling.",
                 "set": {"body": say.upper()}},
                {"action": "add-window", "window": f"w{at}", **_PLACE, "effect": "delay", "start": f"{day}T14:00:00Z", "end": f"{day}T15:00:00Z"},
                {"action": "retitle", "title": f"Mail delayed, {at} updates"},
            ]  # fmt: skip
        found.append(turn[at % 10])
    return found


def _ledger(path: Path) -> str:
    url = f"sqlite:///{path}"
    appender = Appender(url)
    appender.create("ledger-bench")
    policy = {
        "action": "publish-policy",
        "policy": "standard",
        "actor": "finance",
        "terms": terms("standard"),
    }
    from ledger.cli.tables import parse_with_files

    appender.append([parse_with_files(json.dumps(policy).encode(), ".")])
    for name, entries in (("short", 2), ("long", _ENTRIES)):
        appender.append(
            [parse_action({"incident": name, "actor": "ops", **action}) for action in _actions(entries)]
        )
    appender.close()
    return url


def main(folder: Path, rounds: int = 7) -> list[dict[str, Any]]:
    """Measure what a command on the long incident takes longer than the same on the short one."""
    ledger = ["-m", "ledger", "--ledger", _ledger(folder / "telling.db")]
    commands = {
        "diff": (["diff", "short", "r1", "r2"], ["diff", "long", "r1", f"r{_ENTRIES}"]),
        "blame": (["blame", "short"], ["blame", "long"]),
    }
    taken = best_process([[*ledger, *words] for pair in commands.values() for words in pair], rounds)
    return [
        {"what": f"{name} of an incident with {_ENTRIES:,} entries, beyond start-up", "bound": f"<= {_MUST_MS:.0f} ms",
         "ratio": (long - short) * 1000, "ok": (long - short) * 1000 <= _MUST_MS,
         "detail": f"ms; whole process {long * 1000:.0f} ms, with 2 entries {short * 1000:.0f} ms"}
        for name, short, long in zip(commands, taken[::2], taken[1::2], strict=True)
    ]  # fmt: skip
