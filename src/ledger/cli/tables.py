"""Actions that name files: policies in TOML, tables of subscriptions and cohorts, series of measurements, issued lines."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import Any, Literal

from ledger.domain.actions import Action, decode_action, parse_action
from ledger.errors import Refused

__all__ = ["parse_with_files", "policy_fields"]


def parse_with_files(line: bytes, folder: str) -> Action:
    """Return the action of a JSON line; a `path` in it is read, relative to `folder`, and becomes the fields.

    by_location true leaves the table where it is and records its place instead of keeping it with the ledger.
    """
    given = decode_action(line)
    verb = given.get("action")
    path, by_location = given.pop("path", None), given.pop("by_location", False)
    if verb == "publish-policy":
        if path is not None:
            given["terms"] = _terms(_read(folder, path), path)
        if isinstance(given.get("terms"), str):
            given = {**policy_fields(given["terms"]), **given}
        return parse_action(given)
    if verb in ("issue-statement", "issue-adjustment"):
        return _with_lines(given, folder, path)
    series_path = given.pop("series_path", None)
    if path is None and series_path is None:
        return parse_action(given)
    place = path if path is not None else series_path
    content = _read(folder, place)
    table = _table(str(verb), str(place), content)
    if by_location:
        table["location"] = os.path.abspath(os.path.join(folder, str(place)))
    given["table" if series_path is None else "series"] = table
    return parse_action(given, content=None if by_location else content)


def _with_lines(given: dict[str, Any], folder: str, path: object) -> Action:
    """Return the action that issues a document, with what follows from the file of its lines."""
    if path is None:
        return parse_action(given)
    import msgspec

    from ledger.store.lines import lines_of

    content = _read(folder, path)
    lines, totals = lines_of(content)
    return parse_action(
        {"lines": msgspec.to_builtins(lines), "totals": msgspec.to_builtins(totals), **given}, content=content
    )


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


def _read(folder: str, path: object) -> bytes:
    try:
        with open(os.path.join(folder, str(path)), "rb") as source:
            return source.read()
    except OSError as error:
        raise Refused(
            f"path {path!r} cannot be read: {error.strerror}; paths are relative to the file of actions"
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


def _table(verb: str, path: str, content: bytes) -> dict[str, Any]:
    kind: Literal["csv", "parquet"] = "parquet" if path.endswith(".parquet") else "csv"
    if verb == "publish-subscriptions":
        rows = _checked_rows(content, kind)
    elif verb == "publish-cohort":
        rows = _customers(content, kind)
    elif kind == "csv":
        rows = max(0, len(content.splitlines()) - 1)
    else:
        import io

        import pyarrow.parquet

        rows = pyarrow.parquet.ParquetFile(io.BytesIO(content)).metadata.num_rows
    return {"sha256": sha256(content).hexdigest(), "format": kind, "rows": rows}
