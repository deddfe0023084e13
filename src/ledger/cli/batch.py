"""The command that records actions from JSON lines: all or none, or line by line."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ledger.cli.recording import NotShown, append_and_print, telling, warn_of_names
from ledger.cli.session import Session, json_option
from ledger.domain.actions import KINDS, Action, decode_action, kind_of, parse_action
from ledger.domain.events import ACTIONS
from ledger.errors import LedgerError, NotUnderstood, Refused, Unavailable

if TYPE_CHECKING:
    from ledger.append import Appender, Receipt

__all__ = ["append"]

Line = tuple[int, bytes]
Numbered = tuple[int, Action]
Recorded = tuple[Action, "Receipt"]


@click.command()
@click.argument("file", metavar="FILE|-")
@click.option(
    "--each", is_flag=True, help="Commit line by line, a change as a whole, and say where it stopped."
)
@click.option(
    "--accept-clock", is_flag=True, help="Record right after the last entry although the clock is behind it."
)
@json_option
@click.pass_obj
def append(session: Session, file: str, each: bool, accept_clock: bool, as_json: bool) -> None:
    """Record the actions of FILE (JSON lines; - reads standard input), all of them or none.

    Exit code 3 says what was stored, where something was and the receipts could not be shown.
    """
    lines, folder = _lines(file)
    if not lines:
        click.echo(f"there is no action in {'standard input' if file == '-' else file}", err=True)
    done: list[Recorded] = []
    with session.recording() as appender:
        try:
            (_append_each if each else _append_all)(appender, lines, folder, accept_clock, as_json, done)
        finally:
            if done:
                # Once for all of them: the tables of subscriptions are read for it.
                with telling([receipt for _, receipt in done]):
                    warn_of_names(appender.sealed, [action for action, _ in done])


# ---- line by line ----------------------------------------------------------------------------------------


def _append_each(
    appender: Appender,
    lines: list[Line],
    folder: str,
    accept_clock: bool,
    as_json: bool,
    done: list[Recorded],
) -> None:
    """Commit line by line; the lines of one change are one line here, since they are committed together.

    done: what was recorded is added to it.
    """
    waiting: list[Numbered] = []
    try:
        for number, line in lines:
            try:
                action = _parsed(line, folder)
            except Refused as error:
                if waiting and not _belongs(line, waiting):
                    _commit(appender, waiting, accept_clock, as_json, done)
                    waiting = []
                raise _stopped([*(one for one, _ in waiting), number], error, [number]) from None
            if waiting and not _same_change(waiting[0][1], action):
                _commit(appender, waiting, accept_clock, as_json, done)
                waiting = []
            waiting.append((number, action))
            if action.event.change is None:
                _commit(appender, waiting, accept_clock, as_json, done)
                waiting = []
        if waiting:
            _commit(appender, waiting, accept_clock, as_json, done)
    except KeyboardInterrupt:
        number = waiting[0][0] if waiting else number
        raise Unavailable(f"interrupted at line {number}; the lines before it are recorded") from None


def _commit(
    appender: Appender, waiting: list[Numbered], accept_clock: bool, as_json: bool, done: list[Recorded]
) -> None:
    numbers, actions = [number for number, _ in waiting], [action for _, action in waiting]
    try:
        receipts = append_and_print(appender, actions, accept_clock=accept_clock, as_json=as_json)
        done += zip(actions, receipts, strict=True)
    except NotShown as error:
        raise NotShown(
            str(error), (f"{_named(numbers)}: {error}", f"stopped after line {numbers[-1]}; it is recorded")
        ) from None
    except LedgerError as error:
        raise _stopped(numbers, error, numbers) from None


def _stopped(numbers: list[int], error: LedgerError, at: list[int]) -> LedgerError:
    """Return an error that says where it stopped. numbers: of the lines that stand together; at: those it is about."""
    failures = getattr(error, "failures", None)
    if failures is None:
        told = [f"{_named(at)}: {problem}" for problem in error.told]
    else:
        told = [f"line {at[index]}: {problem}" for index, one in failures for problem in one.told]
    done = f"stopped at line {numbers[0]}; the lines before it are recorded"
    if len(numbers) > 1:
        done += f", and of its change, lines {numbers[0]} to {numbers[-1]}, nothing"
    stopped = LedgerError(str(error), (*told, done))
    stopped.exit_code = error.exit_code
    return stopped


def _named(numbers: Sequence[int]) -> str:
    return f"line {numbers[0]}" if len(numbers) == 1 else f"lines {numbers[0]} to {numbers[-1]}"


def _same_change(one: Action, other: Action) -> bool:
    return one.event.change is not None and (one.stream, one.event.change) == (
        other.stream,
        other.event.change,
    )


def _belongs(line: bytes, waiting: list[Numbered]) -> bool:
    """Tell whether a line that was refused says that it belongs to the change that is waiting."""
    first = waiting[0][1]
    try:
        given = decode_action(line)
    except Refused:
        return False
    return given.get("change") == first.event.change and first.stream in _streams(line)


# ---- all or none -----------------------------------------------------------------------------------------


def _append_all(
    appender: Appender,
    lines: list[Line],
    folder: str,
    accept_clock: bool,
    as_json: bool,
    done: list[Recorded],
) -> None:
    try:
        actions, numbers, problems, unread = _read(lines, folder)
        if problems:
            # Every bad line is reported at once; what follows a line that could not be read cannot be judged.
            kept = [at for at, action in enumerate(actions) if action.stream not in unread]
            failures = appender.check([actions[at] for at in kept])
            problems += [
                (numbers[kept[index]], problem) for index, one in failures for problem in one.problems
            ]
    except KeyboardInterrupt:
        raise Unavailable("interrupted; nothing was stored") from None
    if not problems:
        try:
            receipts = append_and_print(appender, actions, accept_clock=accept_clock, as_json=as_json)
            done += zip(actions, receipts, strict=True)
        except Refused as error:
            failures = getattr(error, "failures", [(0, error)])
            problems += [(numbers[index], problem) for index, one in failures for problem in one.problems]
    if problems:
        told = [f"line {number}: {problem}" for number, problem in sorted(problems)]
        raise Refused("the batch was refused", (*told, "nothing was stored"))


def _read(lines: list[Line], folder: str) -> tuple[list[Action], list[int], list[tuple[int, str]], set[str]]:
    """Return the actions and their lines, the problems by line, and the streams that bad lines are about."""
    actions: list[Action] = []
    numbers: list[int] = []
    problems: list[tuple[int, str]] = []
    unread: set[str] = set()
    for number, line in lines:
        try:
            actions.append(_parsed(line, folder))
            numbers.append(number)
        except Refused as error:
            problems += [(number, problem) for problem in error.problems]
            unread |= _streams(line)
    return actions, numbers, problems, unread


def _streams(line: bytes) -> set[str]:
    """Return the stream a line that was refused is about, as far as it can be told."""
    try:
        given = decode_action(line)
    except Refused:
        return set()
    # A redaction names its stream by any kind; other actions have fields that are called like one.
    verb = given.get("action")
    kinds = (kind_of(verb),) if isinstance(verb, str) and verb in ACTIONS and verb != "redact" else KINDS
    return {f"{kind}/{given[kind]}" for kind in kinds if kind in given}


# ---- lines -----------------------------------------------------------------------------------------------


def _lines(file: str) -> tuple[list[Line], str]:
    if file == "-":
        raw, folder = sys.stdin.buffer.read(), os.getcwd()
    else:
        try:
            with open(file, "rb") as source:
                raw = source.read()
        except OSError as error:
            raise NotUnderstood(f"{file} cannot be read: {error.strerror}; check the path") from None
        folder = os.path.dirname(os.path.abspath(file))
    # Editors on Windows put a byte order mark before the first line; no JSON text begins with one (RFC 8259, 8.1).
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    return [(number, line) for number, line in enumerate(raw.split(b"\n"), 1) if line.strip()], folder


def _parsed(line: bytes, folder: str) -> Action:
    if b'"publish-' in line or b'"series' in line or b'"issue-' in line:
        from ledger.cli.tables import parse_with_files

        return parse_with_files(line, folder)
    return parse_action(line)
