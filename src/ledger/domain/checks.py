"""What a single field may hold, and its one spelling.

One table, by field name: a name means the same thing in every action. Each check returns the value in
the spelling that is stored, or raises ValueError with the end of a sentence that starts with the field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from msgspec import UNSET

from ledger.domain.events import (
    EntryCorrected,
    Event,
    External,
    Lines,
    Planned,
    PolicySays,
    RestsOn,
    Series,
    ServiceDays,
    Source,
    Total,
)
from ledger.domain.instants import parse_instant

__all__ = [
    "KEY",
    "PRIVATE_MARKS",
    "SERVICE_DAYS",
    "check_field",
    "check_fields",
    "check_idempotency_key",
    "check_key",
    "is_text_field",
    "number_of",
]

KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
# Days of service in their one spelling: no needless zeros.
SERVICE_DAYS = re.compile(r"(?!-0$)-?(0|[1-9]\d{0,20})(\.\d{0,29}[1-9])?", re.ASCII)
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/#+-]{0,127}", re.ASCII)
_LIKE_REVISION = re.compile(r"[rv]\d+|@\d+|\d+", re.ASCII)
# C0 without tab and newline, DEL and C1: nothing a reader could see, much a terminal could obey.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LINE_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_IDEMPOTENCY_KEY = re.compile(r"[!#-\[\]-~]{1,200}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# A service period: a year, or a part of one, such as 2022-03, 2022-Q1 or 2022-03-14.
_PERIOD = re.compile(r"\d{4}(-[0-9A-Z]{1,3}){0,2}", re.ASCII)
_STREAM = re.compile(r"([a-z]{1,32})/([a-z0-9-]{1,64})", re.ASCII)
_SOURCES_MOST = 100_000
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
# RFC 8785 numbers are IEEE doubles: beyond this an integer would not survive another reader.
INTEGER_MOST = 2**53 - 1
# How a private key shows itself: the line of a signer of notes (golang.org/x/mod/sumdb/note), and PEM.
PRIVATE_MARKS = ("PRIVATE+KEY+", "PRIVATE KEY-----")

Check = Callable[[Any], Any]


def _line(limit: int) -> Check:
    return lambda value: _text(value, limit, _LINE_CONTROL)


def _prose(limit: int) -> Check:
    return lambda value: _text(value, limit, _CONTROL)


def _text(value: Any, limit: int, refused: re.Pattern[str]) -> str:
    # A commitment is only ever made by the ledger, never taken from an action.
    if type(value) is not str:
        raise ValueError("is not text")
    _no_private_key(value)
    if value.isascii() and value.isprintable() and len(value) <= limit and value.strip():
        return value  # the most common text, and nothing below can be wrong with it
    if found := refused.search(value):
        raise ValueError(
            f"has the control character U+{ord(found.group()):04X} at character {found.start() + 1}; take it out"
        )
    if len(value) > limit:
        raise ValueError(f"has {len(value):,} characters; the limit is {limit:,}")
    if not value.strip():
        raise ValueError("is empty; write something, or leave the field out if it is optional")
    _encodable(value)
    return value


def _no_private_key(value: str) -> None:
    """Refuse what looks like a private key, before any sentence could repeat it."""
    for mark in PRIVATE_MARKS:
        if mark in value:
            raise ValueError(
                f"holds a private key ({mark}…); take it out, and replace that key, as others may have seen it"
            )


def _encodable(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"has half of a surrogate pair at character {error.start + 1}; it is not Unicode text"
        ) from None


def _name(value: str) -> str:
    _text(value, 100, _LINE_CONTROL)
    if value != value.strip():
        raise ValueError(f"{value!r} starts or ends with a space; take it out")
    return value


def _affected(value: tuple[str, ...]) -> tuple[str, ...]:
    for name in value:
        _name(name)
        if name in ("*", "unknown"):
            raise ValueError(f"may not list {name!r}: it has a meaning of its own in windows; list the names")
    if len(set(value)) != len(value):
        raise ValueError(f"lists {max(value, key=value.count)!r} twice; list each name once")
    return value


def number_of(word: str, mark: str) -> int | None:
    """Return the number in `@812`, `v5` or `r3`, None where a word is not spelled so.

    No ledger holds as many entries as INTEGER_MOST, which stands for every number that is greater.
    """
    digits = word[1:]
    if word[:1] != mark or not (digits.isascii() and digits.isdecimal()):
        return None
    digits = digits.lstrip("0") or "0"
    return min(int(digits), INTEGER_MOST) if len(digits) <= 16 else INTEGER_MOST


def check_key(value: str) -> str:
    """Return a stream key or window id: `[a-z0-9][a-z0-9-]{0,63}`."""
    if not KEY.fullmatch(value):
        raise ValueError(
            f"{value!r} is not a key; use 1 to 64 small letters, digits and hyphens, such as email-2022-03"
        )
    return value


def _label(value: str) -> str:
    _no_private_key(value)
    if not _LABEL.fullmatch(value):
        raise ValueError(
            f"{value!r} is not a label; use 1 to 128 letters, digits and . _ : / # + - (no spaces)"
        )
    return value


def _ref(value: str) -> str:
    _label(value)
    if _LIKE_REVISION.fullmatch(value):
        raise ValueError(
            f"{value!r} reads like a revision, version or position; choose a label such as first-notice"
        )
    return value


def _instant(value: str) -> str:
    try:
        return parse_instant(value)
    except ValueError as error:
        raise ValueError(f"{value!r} {error}") from None


def _whole_second(value: str) -> str:
    instant = _instant(value)
    if not instant.endswith(".000000Z"):
        raise ValueError(f"{value!r} has parts of a second; windows are in whole seconds")
    return instant


def _date(value: str) -> str:
    from datetime import date

    try:
        if not _DATE.fullmatch(value):
            raise ValueError
        date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a date; write it like 2022-01-01") from None
    return value


def _decimal(value: str) -> str:
    """Return a decimal in its one spelling: no exponent, no sign, no needless zeros."""
    try:
        if not re.fullmatch(r"\d{1,30}(\.\d{1,30})?", value, re.ASCII):
            raise InvalidOperation
        spelled = format(Decimal(value), "f")
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a decimal such as 0.002") from None
    whole, _, part = spelled.partition(".")
    whole, part = whole.lstrip("0") or "0", part.rstrip("0")
    return f"{whole}.{part}" if part else whole


def _share(value: str) -> str:
    spelled = _decimal(value)
    if Decimal(spelled) > 1:
        raise ValueError(f"{value!r} is more than 1; a share is a part of the whole: less than 0.2% is 0.002")
    return spelled


def _count(most: int) -> Check:
    def check(value: int) -> int:
        if not 0 <= value <= most:
            raise ValueError(f"{value} is not between 0 and {most:,}")
        return value

    return check


def _sha256(value: str) -> str:
    if not _SHA256.fullmatch(value):
        raise ValueError(f"{value!r} is not a SHA-256 digest in 64 small hexadecimal digits")
    return value


def _external(value: External) -> External:
    return External(system=_within("system", _label, value.system), id=_within("id", _label, value.id))


def _planned(value: Planned) -> Planned:
    announced, start, end = (
        _within(name, _whole_second, getattr(value, name))
        for name in ("announced_at", "scheduled_start", "scheduled_end")
    )
    if end <= start:
        raise ValueError(f"scheduled_end {end} is not after scheduled_start {start}")
    return Planned(announced_at=announced, scheduled_start=start, scheduled_end=end)


def _series(value: Series) -> Series:
    if value.location is not None:
        _within("location", _line(1_000), value.location)
    _within("sha256", _sha256, value.sha256)
    _within("rows", _count(INTEGER_MOST), value.rows)
    return value


def _within(name: str, check: Check, value: Any) -> Any:
    try:
        return check(value)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None


def _vkey(value: str) -> str:
    from ledger.domain.keys import parse_vkey

    parse_vkey(value)
    return value


def _signature(value: str) -> str:
    from ledger.domain.keys import check_signature

    return check_signature(value)


def _customer(value: str) -> str:
    return _name(_line(200)(value))


def _period(value: str) -> str:
    if not _PERIOD.fullmatch(value):
        raise ValueError(f"{value!r} is not a period; write it like 2022-03")
    return value


def _ordinal(value: int) -> int:
    if not 1 <= value <= INTEGER_MOST:
        raise ValueError(f"{value} is not a number of a document: 1, 2, 3 …")
    return value


def _incidents(value: tuple[str, ...]) -> tuple[str, ...]:
    for key in value:
        check_key(key)
    if len(set(value)) != len(value):
        raise ValueError(f"lists {max(value, key=value.count)!r} twice; list each incident once")
    return value


def _sources(value: tuple[Source, ...]) -> tuple[Source, ...]:
    if len(value) > _SOURCES_MOST:
        raise ValueError(f"lists {len(value):,} streams; the limit is {_SOURCES_MOST:,}")
    for source in value:
        found = _STREAM.fullmatch(source.stream)
        if found is None or not KEY.fullmatch(found[2]):
            raise ValueError(f"{source.stream!r} is not a stream; write it like incident/email-2022-03")
        _within(f"{source.stream} version", _ordinal, source.version)
        if source.sha256 is not None:
            _within(f"{source.stream} sha256", _sha256, source.sha256)
    return tuple(sorted(value, key=lambda source: (source.stream, source.version)))


def _rests_on(value: RestsOn) -> RestsOn:
    sources = _within("sources", _sources, value.sources)
    streams = [source.stream for source in sources]
    if len(set(streams)) != len(streams):
        raise ValueError(f"sources list {max(streams, key=streams.count)!r} twice; name each stream once")
    says = _within("policies_say", _policies_say, value.policies_say)
    held = {source.stream: source.version for source in sources}
    for one in says:
        # A policy is a source with all of its versions up to the last.
        if one.version > held.get(one.stream, 0):
            raise ValueError(
                f"policies_say names {one.stream} v{one.version}, which sources do not; add it there"
            )
    return RestsOn(
        position=_within("position", _ordinal, value.position),
        root=_within("root", _sha256, value.root),
        as_of=_within("as_of", _instant, value.as_of),
        sources=sources,
        calculator=_within("calculator", _label, value.calculator),
        published_by=None
        if value.published_by is None
        else _within("published_by", _instant, value.published_by),
        undecided=value.undecided,
        provisional=value.provisional,
        policies_say=says,
    )


def _policies_say(value: tuple[PolicySays, ...]) -> tuple[PolicySays, ...]:
    for one in value:
        found = _STREAM.fullmatch(one.stream)
        if found is None or found[1] != "policy" or not KEY.fullmatch(found[2]):
            raise ValueError(f"{one.stream!r} is not the stream of a policy; write it like policy/gold")
        _within(f"{one.stream} version", _ordinal, one.version)
        if one.undecided is None and not one.provisional:
            raise ValueError(
                f"{one.stream} v{one.version} says neither undecided nor provisional; leave it out"
            )
    named = [(one.stream, one.version) for one in value]
    if len(set(named)) != len(named):
        raise ValueError(f"lists {max(named, key=named.count)[0]!r} twice with one version; name it once")
    return tuple(sorted(value, key=lambda one: (one.stream, one.version)))


def _causes(value: tuple[Source, ...]) -> tuple[Source, ...]:
    for source in value:
        if source.sha256 is not None:
            raise ValueError(f"{source.stream} has a sha256; a cause is a stream and a version")
    spelled = _sources(value)
    if len(set(spelled)) != len(spelled):
        raise ValueError("lists an entry twice; name each entry once")
    return spelled


def _lines_of(value: Lines) -> Lines:
    for name in ("sha256", "root"):
        _within(name, _sha256, getattr(value, name))
    for name in ("assessments", "lines"):
        _within(name, _count(INTEGER_MOST), getattr(value, name))
    return value


def _totals(value: tuple[Total, ...]) -> tuple[Total, ...]:
    for total in value:
        if not re.fullmatch("[A-Z]{3}", total.currency, re.ASCII):
            raise ValueError(f"currency {total.currency!r} is not an ISO 4217 code; write it like USD")
        _within("lines", _count(INTEGER_MOST), total.lines)
        for amount in (total.amount, total.waived):
            if amount is not None and not re.fullmatch(r"-?\d{1,30}(\.\d{1,4})?", amount, re.ASCII):
                raise ValueError(f"{amount!r} is not an amount such as 1200.00 or -12.50")
    return value


def _service_days(value: ServiceDays) -> ServiceDays:
    _within("lines", _count(INTEGER_MOST), value.lines)
    for days in (value.days, value.waived):
        if days is not None and not SERVICE_DAYS.fullmatch(days):
            raise ValueError(f"{days!r} is not a number of days such as 3, 2.5 or -1")
    return value


def _paths(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise ValueError("is empty; name the texts to erase, such as body")
    return tuple(sorted(set(value)))


_CHECKS: dict[str, Check] = {
    "actor": _line(200),
    "title": _line(255),
    "body": _prose(25_000),
    "reason": _prose(5_000),
    "note": _prose(25_000),
    "quote": _prose(25_000),
    "source": _line(2_000),
    "scope": _line(1_000),
    "ref": _ref,
    "change": _label,
    "cause": _label,
    "external": _external,
    "published_at": _instant,
    "at": _instant,
    "began_at": _instant,
    "scheduled_start": _instant,
    "scheduled_end": _instant,
    "start": _whole_second,
    "end": _whole_second,
    "services": _affected,
    "components": _affected,
    "regions": _affected,
    "service": _name,
    "component": _name,
    "region": _name,
    "window": check_key,
    "measurement": check_key,
    "cohort": check_key,
    "to": check_key,
    "share_at_most": _share,
    "share_at_least": _share,
    "start_within_seconds": _count(31 * 86_400),
    "end_within_seconds": _count(31 * 86_400),
    "planned": _planned,
    "total": _count(INTEGER_MOST),
    "failed": _count(INTEGER_MOST),
    "value": _decimal,
    "unit": _label,
    "statistic": _label,
    "series": _series,
    "table": _series,
    "terms": _prose(200_000),
    "sha256": _sha256,
    "in_force_from": _date,
    "fields": _paths,
    "vkey": _vkey,
    "replaces": _vkey,
    "signature": _signature,
    "doubted_from": _instant,
    "customer": _customer,
    "approved_by": _line(200),
    "evidence": _prose(5_000),
    "announced_at": _whole_second,
    "period": _period,
    "incidents": _incidents,
    "number": _ordinal,
    "adjusts": _ordinal,
    "follows": _ordinal,
    "decided_on": _date,
    "accounting_date": _date,
    "rests_on": _rests_on,
    "causes": _causes,
    "lines": _lines_of,
    "totals": _totals,
    "service_days": _service_days,
}
_TEXTS = frozenset(
    (
        "actor",
        "title",
        "body",
        "reason",
        "note",
        "quote",
        "source",
        "scope",
        "customer",
        "approved_by",
        "evidence",
    )
)


def is_text_field(name: str) -> bool:
    """Tell whether a field of this name is a text, kept as a commitment."""
    return name in _TEXTS


def check_idempotency_key(value: str) -> str:
    """Return a key for retries: 1 to 200 visible ASCII characters without quote and backslash."""
    _no_private_key(value)
    if not _IDEMPOTENCY_KEY.fullmatch(value):
        raise ValueError(
            f"{value!r} is not a usable key; use 1 to 200 visible ASCII characters without quotes, backslashes or spaces"
        )
    return value


def check_field(name: str, value: Any) -> list[str]:
    """Return a sentence when a value of the right type is not one that the field may hold, else nothing."""
    if value is None or value is UNSET or name not in _CHECKS:
        return []
    try:
        _CHECKS[name](value)
    except ValueError as error:
        return [f"{name} {error}"]
    return []


def check_fields(event: Event, given: Iterable[str]) -> tuple[Any, list[str]]:
    """Return the event with the given fields in their stored spelling, and a sentence for each one that is wrong."""
    changed: dict[str, Any] = {}
    problems: list[str] = []
    for name in given:
        check = _CHECKS.get(name)
        value = getattr(event, name)
        if check is None or value is None or value is UNSET:
            continue
        try:
            spelled = check(value)
        except ValueError as error:
            problems.append(f"{name} {error}")
        else:
            if spelled is not value:
                changed[name] = spelled
    if isinstance(event, EntryCorrected):
        _, inner = _check_set(event.set)
        problems += inner
    if event.internal and event.published_at is not None:
        problems.append(
            f"published_at {event.published_at!r} contradicts internal: an internal entry has no published time; leave one out"
        )
    return (msgspec.structs.replace(event, **changed) if changed else event), problems


def _check_set(fields: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    problems: list[str] = []
    for name, value in fields.items():
        if is_text_field(name) and value is not None:
            try:
                _CHECKS[name](value)
            except ValueError as error:
                problems.append(f"set.{name} {error}")
    return fields, problems


def joined(problems: Iterable[str]) -> str:
    """Return several problems as one sentence."""
    return "; ".join(problems)
