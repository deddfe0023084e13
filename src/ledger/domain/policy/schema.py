"""The JSON Schema (draft 2020-12) of policy format 2, made from its grammar, for editors and other people's tools.

It says which keys and kinds of values there are. What keys mean to each other, and whether tiers leave a gap, is beyond it:
`ledger policy lint` says that.
"""

from __future__ import annotations

from typing import Any

from ledger.domain.policy.grammar import GRAMMAR, Field, Table, table_of

__all__ = ["json_schema"]

_DECIMAL = r"^\d{1,9}(\.\d{1,30})?$"
_DURATION = r"^\d{1,9}(\.\d{1,15})? (second|minute|hour|day)s?$"
_FRACTION = r"^\d{1,9}/[1-9]\d{0,8}$"
_TEXT = {"type": "string"}


def json_schema() -> dict[str, Any]:
    """Return the schema of a policy of format 2, as a TOML document reads in JSON: dates are texts like 2022-01-01."""
    top = _table(table_of(""))
    inside = {table.path for table in GRAMMAR if table.in_commitments}
    for table in GRAMMAR:
        if table.path and table.path not in ("commitments", "calendars"):
            top["properties"][table.path] = _entry(table)
    commitment = _table(table_of("commitments"))
    commitment["properties"] |= {path: _entry(table_of(path)) for path in sorted(inside)}
    commitment["required"] += ["measure", "tiers"]
    top["properties"]["commitments"] = {"type": "array", "minItems": 1, "items": commitment}
    top["properties"]["calendars"] = {
        "description": table_of("calendars").meaning, "type": "object", "additionalProperties": _table(table_of("calendars")),
        "propertyNames": {"pattern": "^[a-z0-9][a-z0-9-]{0,63}$"},
    }  # fmt: skip
    top["properties"]["format"] = {"const": 2}
    top["required"] += ["period", "credit"]
    # Either the terms of one service level stand at the top, or each in a commitment of its own.
    top["oneOf"] = [
        {"required": ["commitments"], "not": {"anyOf": [{"required": [path]} for path in sorted(inside)]}},
        {"required": ["measure", "tiers"], "not": {"required": ["commitments"]}},
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Terms of an SLA, policy format 2 of the incident ledger",
        **top,
    }


def _entry(table: Table) -> dict[str, Any]:
    found = _table(table)
    return {"type": "array", "description": table.meaning, "items": found} if table.many else found


def _table(table: Table) -> dict[str, Any]:
    return {
        "type": "object",
        "description": table.meaning,
        "properties": {field.name: {"description": field.meaning, **_value(field)} for field in table.fields},
        "required": [field.name for field in table.fields if field.required],
        "additionalProperties": False,
    }


def _value(field: Field) -> dict[str, Any]:
    kinds: dict[str, dict[str, Any]] = {
        "text": _TEXT,
        "key": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,63}$"},
        "date": {"type": "string", "format": "date"},
        "zone": _TEXT,
        "choice": {"enum": list(field.choices)},
        "choices": {"type": "array", "uniqueItems": True, "items": {"enum": list(field.choices)}},
        "texts": {"type": "array", "uniqueItems": True, "items": _TEXT},
        "dates": {"type": "array", "uniqueItems": True, "items": {"type": "string", "format": "date"}},
        "integer": {"type": "integer", "minimum": 0},
        "flag": {"type": "boolean"},
        "decimal": {"type": "string", "pattern": _DECIMAL},
        "percent": {"type": "string", "pattern": _DECIMAL},
        "fraction": {"type": "string", "pattern": _FRACTION},
        "ratio": {"type": "string", "pattern": rf"{_DECIMAL}|{_FRACTION}"},
        "duration": {"type": "string", "pattern": _DURATION},
        "span": {
            "type": "string",
            "pattern": rf"{_DURATION}|^\d{{1,6}} (business-day|business-hour|month|period)s?$|^\d{{1,6}}\.\d{{1,15}} business-hours?$",
        },
        "money": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": "^[A-Z]{3}$"},
            "additionalProperties": {"type": "string", "pattern": r"^\d{1,15}(\.\d{1,15})?$"},
        },
        "clock": {"type": "string", "pattern": r"^\d\d:\d\d$"},
        "beyond": {"type": "string", "pattern": rf"^tier-edge$|{_DURATION}|^\d{{1,3}}(\.\d{{1,30}})?%$"},
        "free": {"type": "object"},
    }
    return kinds[field.kind]
