"""Instants as text in one spelling, and as integers.

The one spelling is `YYYY-MM-DDTHH:MM:SS.ffffffZ` (RFC 3339, UTC, always six digits), so that
text order is time order and equal instants are equal bytes.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

__all__ = ["from_micros", "from_seconds", "micros", "parse_instant", "seconds", "shown"]

_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_WHOLE_DAY = re.compile(r".*[+-](?:2[4-9]|[3-9]\d):\d\d", re.ASCII)
_NO_ZONE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def parse_instant(text: str) -> str:
    """Return the one spelling of an RFC 3339 instant.

    Raises ValueError with a sentence fragment when `text` has no zone or is no instant. Minutes
    may stand without seconds; more than six decimals are refused, since they would be lost.
    """
    if not _WRITTEN.fullmatch(text):
        if _NO_ZONE.fullmatch(text):
            raise ValueError(
                "has no zone or offset; write it with Z or an offset, such as 2022-03-14T16:00:00Z"
            )
        raise ValueError("is not an instant; write it like 2022-03-14T16:00:00Z or 2022-03-14T17:00:00+01:00")
    if _WHOLE_DAY.fullmatch(text):
        raise ValueError("has an offset of a day or more; write it like 2022-03-14T17:00:00+01:00")
    try:
        moment = datetime.fromisoformat(text)
        return _spell(moment if text[-1] == "Z" else moment.astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"is not an instant ({error}); write it like 2022-03-14T16:00:00Z") from None


def _spell(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def micros(canonical: str) -> int:
    """Return microseconds since 1970-01-01T00:00:00Z of an instant in the one spelling."""
    return (datetime.fromisoformat(canonical) - _EPOCH) // _MICROSECOND


def from_micros(value: int) -> str:
    """Return the one spelling of an instant given in microseconds since 1970-01-01T00:00:00Z."""
    whole, part = divmod(value, 1_000_000)
    return f"{_second(whole)}.{part:06}Z"


# Entries of one batch fall into the same few seconds.
@lru_cache(64)
def _second(value: int) -> str:
    return (_EPOCH + timedelta(seconds=value)).replace(tzinfo=None).isoformat()


def seconds(canonical: str) -> int:
    """Return whole seconds since 1970-01-01T00:00:00Z, cutting off the decimals."""
    return micros(canonical) // 1_000_000


def from_seconds(value: int) -> str:
    """Return the one spelling of an instant given in whole seconds since 1970-01-01T00:00:00Z."""
    return from_micros(value * 1_000_000)


def shown(canonical: str) -> str:
    """Return an instant for people: `2022-03-14 16:00 UTC`, with seconds where it has them.

    Parts of a second are cut off: the clock gives them to every entry, and nobody says them. For programs they stand in JSON.
    """
    date, clock = canonical[:10], canonical[11:19]
    return f"{date} {clock[:5] if clock[6:] == '00' else clock} UTC"
