"""Actions that name files: policies in TOML, tables of subscriptions and cohorts, series of measurements, issued lines."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import Any, Literal

from ledger.domain.actions import Action, decode_action, parse_action
from ledger.errors import NotUnderstood, Refused

__all__ = ["parse_with_files", "policy_fields"]

_SERIES = "the rows of the series"


def parse_with_files(source: bytes | dict[str, Any], folder: str | None = None) -> Action:
    """Return the action of a JSON line, or of options; a `path` in it is read and becomes the fields.

    folder: what paths are relative to, that of the file of actions; None for a path that was given to a command itself.
    by_location true leaves the table where it is and records its place instead of keeping it with the ledger.
    """
    given = dict(source) if isinstance(source, dict) else decode_action(source)
    verb = given.get("action")
    if verb == "publish-policy":
        return _policy(given, folder)
    if verb in ("issue-statement", "issue-adjustment"):
        return _with_lines(given, folder)
    series = verb == "record-measurement"
    field, name = ("series", "series_path") if series else ("table", "path")
    path, by_location = _named(given, name, field), given.pop("by_location", False)
    if type(by_location) is not bool:
        raise Refused(
            f"by_location {by_location!r} is neither true nor false; write one of them, without quotes"
        )
    if path is None:
        if by_location:
            raise Refused(
                f"by_location is true, but there is no {name}; name the file that stays where it is"
            )
        return parse_action(given)
    content = _read(folder, path)
    table = _table(str(verb), path, content, given)
    if by_location:
        table["location"] = os.path.abspath(os.path.join(folder or "", path))
    given[field] = table
    return parse_action(given, content=None if by_location else content)


def _named(given: dict[str, Any], name: str, instead_of: str) -> str | None:
    """Take the name of a file out of an action; Refused where it is no text, or stands beside what it would become."""
    path = given.pop(name, None)
    if path is None:
        return None
    if type(path) is not str or not path or "\x00" in path:
        raise Refused(f"{name} {path!r} is not the name of a file; write its path as text")
    if instead_of in given:
        raise Refused(f"{name} and {instead_of} are both given; give one of them")
    return path


def _policy(given: dict[str, Any], folder: str | None) -> Action:
    path = _named(given, "path", "terms")
    if path is not None:
        given["terms"] = _terms(_read(folder, path), path)
    if isinstance(given.get("terms"), str):
        given = {**policy_fields(given["terms"]), **given}
    return parse_action(given)


def _with_lines(given: dict[str, Any], folder: str | None) -> Action:
    """Return the action that issues a document, with what follows from the file of its lines."""
    path = _named(given, "path", "lines")
    if path is None:
        return parse_action(given)
    content = _read(folder, path)
    return parse_action({**said_of_lines(content), **given}, content=content)


def said_of_lines(content: bytes) -> dict[str, Any]:
    """Return the fields of a document that follow from the text of its lines."""
    import msgspec

    from ledger.store.lines import lines_of

    said: dict[str, Any] = msgspec.to_builtins(lines_of(content)._asdict())
    return {name: value for name, value in said.items() if value is not None}


def policy_fields(terms: str) -> dict[str, Any]:
    """Return the fields of a policy that follow from its text."""
    from ledger.domain.policy import parse_policy

    policy = parse_policy(terms)
    return {"policy": policy.key, "sha256": policy.sha256, "in_force_from": policy.in_force_from}


def _terms(content: bytes, path: object) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(
            f"path {path!r} is not UTF-8: {error.reason} at byte {error.start + 1}; save it as UTF-8"
        ) from None
    # What is published has one kind of line end, wherever the file was written.
    return text.replace("\r\n", "\n")


def _read(folder: str | None, path: str) -> bytes:
    try:
        with open(os.path.join(folder or "", path), "rb") as source:
            return source.read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        if folder is None:
            raise NotUnderstood(f"{path} cannot be read: {reason}; check the path") from None
        raise Refused(
            f"path {path!r} cannot be read: {reason}; paths are relative to the file of actions"
        ) from None


def _customers(content: bytes, kind: Literal["csv", "parquet"]) -> int:
    """Return how many customers a cohort has; Refused where one is wrong or there twice."""
    from projections.cohorts import read_cohort

    return len(read_cohort(content, kind))


def _checked_rows(content: bytes, kind: Literal["csv", "parquet"]) -> int:
    """Return how many subscriptions a table has; Refused where one is wrong or there twice."""
    if kind == "csv":
        from projections.subscriptions import read_subscriptions

        return len(read_subscriptions(content, kind))
    from projections.repeats import Repeats
    from projections.subscription_batches import read_batches

    repeats, rows = Repeats(), 0
    for part in read_batches(content):
        repeats.add(part)
        rows += len(part)
    repeats.check(lambda: read_batches(content))
    return rows


def _table(verb: str, path: str, content: bytes, given: dict[str, Any]) -> dict[str, Any]:
    kind: Literal["csv", "parquet"] = "parquet" if path.endswith(".parquet") else "csv"
    if verb == "publish-subscriptions":
        rows = _checked_rows(content, kind)
    elif verb == "publish-cohort":
        rows = _customers(content, kind)
    else:
        rows = _measured(content, kind, given)
    return {"sha256": sha256(content).hexdigest(), "format": kind, "rows": rows}


def _measured(content: bytes, kind: Literal["csv", "parquet"], given: dict[str, Any]) -> int:
    """Return how many rows a series has; Refused where one is wrong, or is not what the measurement says it is.

    given: the action as it was stated, itself not checked yet.
    """
    from ledger.domain.instants import parse_instant, seconds
    from projections.series import read_series

    try:
        span = seconds(parse_instant(given["start"])), seconds(parse_instant(given["end"]))
    except (KeyError, TypeError, ValueError):
        # What is wrong with the measurement itself is said where it is checked.
        span = None
    rows = read_series(content, kind, _SERIES, span=span, exact=True)
    latency = given.get("of") == "latency"
    if any((row.value is None) == latency for row in rows):
        needs = "value" if latency else "failed and total"
        raise Refused(f"{_SERIES} of {given.get('of')} need {needs} in each; add it")
    if latency and not given.get("unit"):
        raise Refused("unit is missing; a series of latency needs one, such as seconds")
    return len(rows)
