"""Actions: what somebody asks the ledger to do, in one schema for flags, JSON lines and Python.

An action is an object with `action` (a verb of `events.ACTIONS`), the key of its stream under the name of the
stream's kind (`incident`, `policy`, `subscriptions`, `cohort`, `key`, `exclusion`, `claim`, `statement`, `period`), the
fields of the event it makes, and for retries `idempotency_key` and `expected_version`.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ledger.domain.checks import (
    INTEGER_MOST,
    check_field,
    check_fields,
    check_idempotency_key,
    check_key,
    number_of,
)
from ledger.domain.events import ACTIONS, AnyEvent, EntryRedacted
from ledger.errors import Refused, nearest

__all__ = [
    "KINDS",
    "KIND_OF_ACTION",
    "Action",
    "decode_action",
    "field_problems",
    "kind_of",
    "names_entry_by_position",
    "parse_action",
]

KIND_OF_ACTION = {
    "publish-policy": "policy",
    "publish-subscriptions": "subscriptions",
    "publish-cohort": "cohort",
    "publish-key": "key",
    "rotate-key": "key",
    "revoke-key": "key",
    "exclude": "exclusion",
    "withdraw-exclusion": "exclusion",
    "claim": "claim",
    "decide-claim": "claim",
    "withdraw-claim": "claim",
    "issue-statement": "statement",
    "issue-adjustment": "statement",
    "close-period": "period",
    "reopen-period": "period",
}
# The kinds of streams, as an action names them.
KINDS = tuple(dict.fromkeys(("incident", *KIND_OF_ACTION.values())))
_ENVELOPE = ("action", "idempotency_key", "expected_version")
# `"` then `:` counts every key, and at worst a look-alike inside a string, never too few.
_KEY_MARK = re.compile(rb'"\s*:')
_SPACED = re.compile(rb'"\s')


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One request: the verb, the stream it is for, the event it would make with references unresolved.

    stream is "" for a redaction that names its entry by position: the position knows its stream.
    content: the bytes of a table that is published, or of the lines of a document, kept by digest.
    """

    verb: str
    stream: str
    event: AnyEvent
    idempotency_key: str | None = None
    expected_version: int | None = None
    content: bytes | None = None


def kind_of(verb: str) -> str:
    """Return the kind of stream this verb appends to."""
    return KIND_OF_ACTION.get(verb, "incident")


def parse_action(source: bytes | str | dict[str, Any], *, content: bytes | None = None) -> Action:
    """Return the action that a JSON object asks for.

    Raises Refused with every problem of the object at once: unknown and missing fields (with the nearest known
    name), wrong types, values out of bounds, duplicate keys, control characters.
    """
    given = source if isinstance(source, dict) else decode_action(source)
    verb = given.get("action")
    if not isinstance(verb, str) or verb not in ACTIONS:
        if verb is None:
            raise Refused(f"action is missing; say which of {', '.join(ACTIONS)}")
        raise Refused(
            f"action {verb!r} is unknown{nearest(str(verb), ACTIONS)}; known are {', '.join(ACTIONS)}"
        )
    fields = {name: value for name, value in given.items() if name not in _ENVELOPE}
    problems: list[str] = []
    stream = _stream(verb, fields, problems)
    key = given.get("idempotency_key")
    if key is not None:
        try:
            if not isinstance(key, str):
                raise ValueError(f"{key!r} is not text")
            check_idempotency_key(key)
        except ValueError as error:
            problems.append(f"idempotency_key {error}")
    expected = given.get("expected_version")
    if expected is not None and (type(expected) is not int or not 0 <= expected <= INTEGER_MOST):
        problems.append(f"expected_version {expected!r} is not a version: 0 (must not exist yet), 1, 2, 3 …")
    cls = ACTIONS[verb]
    try:
        event = msgspec.convert(fields, cls)
    except msgspec.ValidationError:
        problems += _explain(fields, cls, kind_of(verb))
        raise _refused(problems) from None
    checked, wrong = check_fields(event, fields)
    problems += wrong
    if problems:
        raise _refused(problems)
    return Action(
        verb=verb,
        stream=stream,
        event=checked,
        idempotency_key=key,
        expected_version=expected,
        content=content,
    )


def _refused(problems: list[str]) -> Refused:
    return Refused("; ".join(problems), tuple(problems))


def decode_action(line: bytes | str) -> dict[str, Any]:
    """Return the JSON object of a line; Refused when it is none, or gives a key twice."""
    raw = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line
    try:
        found = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise Refused(f"the line is not JSON: {error}; write one object per line") from None
    except RecursionError:
        raise Refused("the line is nested too deeply; an action is one flat object") from None
    except UnicodeDecodeError as error:
        raise Refused(f"the line is not UTF-8: {error.reason} at byte {error.start + 1}") from None
    if not isinstance(found, dict):
        raise Refused(f"the line holds {type(found).__name__}, not an object; write one object per line")
    # As many `":` as keys of a flat object, and no space before a colon: no key was given twice.
    if raw.count(b'":') != len(found) or _SPACED.search(raw):
        if len(_KEY_MARK.findall(raw)) != _keys(found):
            _refuse_duplicates(raw)
    return found


def _keys(value: Any) -> int:
    if type(value) is dict:
        return len(value) + sum(map(_keys, value.values()))
    if type(value) is list:
        return sum(map(_keys, value))
    return 0


def _refuse_duplicates(raw: bytes) -> None:
    import json

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in found]
        for name in names:
            if names.count(name) > 1:
                raise Refused(f"{name} is given {names.count(name)} times; give it once")
        return dict(found)

    json.loads(raw, object_pairs_hook=pairs)


def _stream(verb: str, fields: dict[str, Any], problems: list[str]) -> str:
    kind = kind_of(verb)
    if verb == "redact":
        kind = next((name for name in KINDS if name in fields), kind)
        entry = fields.get("entry")
        if kind not in fields and type(entry) is str:
            if number_of(entry, "@") is None:
                problems.append(
                    f"entry {entry!r} names no position, and no stream is given; name the entry like @812, or give the key of "
                    "its incident"
                )
            return ""
    key = fields.pop(kind, None)
    if key is None:
        problems.append(f"{kind} is missing; give the key of the {kind}")
        return ""
    try:
        if not isinstance(key, str):
            raise ValueError(f"{key!r} is not text")
        return f"{kind}/{check_key(key)}"
    except ValueError as error:
        problems.append(f"{kind} {error}")
        return ""


def _explain(fields: dict[str, Any], cls: type[AnyEvent], kind: str) -> list[str]:
    """Return a sentence for each field that does not fit the event's schema."""
    known = {field.name: field for field in msgspec.structs.fields(cls)}
    allowed = [*known, *_ENVELOPE, kind]
    problems = [
        f"{name} is not a field of this action{nearest(name, allowed)}"
        for name in fields
        if name not in known
    ]
    for name, field in known.items():
        if name not in fields:
            if field.required:
                problems.append(f"{name} is missing; add it")
            continue
        problems += field_problems(name, fields[name], field.type)
    return problems or ["the object does not fit this action"]


def field_problems(name: str, value: Any, wanted: Any, prefix: str = "") -> list[str]:
    """Return a sentence when a value does not fit the type or the bounds of a field, else nothing."""
    try:
        converted = msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        return [_sentence(prefix + name, value, str(error), wanted)]
    return [f"{prefix}{problem}" for problem in check_field(name, converted)]


def _sentence(name: str, value: Any, error: str, wanted: Any) -> str:
    if value is None:
        return f"{name} is null; write a value, or leave the field out if it is optional"
    shown = repr(value) if len(repr(value)) <= 80 else repr(value)[:77] + "…"
    choices = _choices(wanted)
    if choices:
        return f"{name} {shown} is not one of {', '.join(choices)}{nearest(str(value), choices)}"
    if isinstance(value, float) and "str" in error and "int" not in error:
        return f'{name} {shown} is a JSON number; write decimals as text, such as "0.002"'
    where = error.partition(" - at `$")[2].rstrip("`")
    what = error.partition(" - at ")[0].replace("Expected", "expected")
    what = what.replace("Object missing required", "it lacks the").replace(
        "Object contains unknown", "it has the unknown"
    )
    if what.startswith("Invalid enum value") and (choices := _choices(_inner(wanted, where[1:]))):
        what = f"{what.removeprefix('Invalid enum value ')} is not one of {', '.join(choices)}"
    # A text may be its commitment, and an optional field nothing: neither is what a person should write.
    what = re.sub(
        r"`(\w+)(?: \| \w+)*`",
        lambda found: "text" if "str" in found[0] else _WORDS.get(found[1], found[0]),
        what,
    )
    return f"{name}{where} {shown} does not fit: {what}"


_WORDS = {
    "int": "a whole number", "float": "a decimal number", "object": "an object", "null": "nothing",
    "array": "a list", "bool": "true or false",
}  # fmt: skip


def _inner(wanted: Any, field: str) -> Any:
    """Return the type of a field of the record that a field holds."""
    from typing import get_args

    for part in (wanted, *get_args(wanted)):
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            return next((one.type for one in msgspec.structs.fields(part) if one.name == field), None)
    return None


def _choices(wanted: Any) -> list[str]:
    from typing import get_args

    found: list[str] = []
    for part in get_args(wanted):
        if isinstance(part, str):
            found.append(part)
        else:
            found += _choices(part)
    return found


def names_entry_by_position(action: Action) -> int | None:
    """Return the position a redaction names (`@812`), if it does."""
    return number_of(str(action.event.entry), "@") if isinstance(action.event, EntryRedacted) else None
