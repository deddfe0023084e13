"""Months and days in an IANA time zone, with their bounds in integer UTC seconds.

A day begins at its first instant on the clocks of the zone: usually midnight, but the end of the gap where
the clocks were put forward over midnight. So days never overlap and always add up to their month. The rules
come from the `tzdata` package and not from the machine, so that a period has the same bounds everywhere.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from ledger.errors import Refused, Unavailable, nearest

__all__ = [
    "Period",
    "check_name",
    "day_after",
    "day_of",
    "days",
    "days_between",
    "local_second",
    "midnights",
    "parse_period",
    "zone_names",
]

_LABEL = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d))?", re.ASCII)
_YEAR_OR_PART = re.compile(r"(\d{4})(?:-Q[1-4]|-T[1-3]|-H[12])?", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 1970, 9998
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


class Period(msgspec.Struct, frozen=True):
    """A month ("2022-03"), a day ("2022-03-14") or another time ("span") of a zone, whose first day is then given.

    start and end are UTC seconds, end excluded.
    """

    label: str
    kind: Literal["month", "day", "span"]
    zone: str
    start: int
    end: int
    first: str | None = None

    @property
    def seconds(self) -> int:
        """How long the period is: 743 hours for March in London."""
        return self.end - self.start

    @property
    def first_day(self) -> str:
        """The first local date, such as "2022-03-01"."""
        if self.first is not None:
            return self.first
        return self.label if self.kind == "day" else f"{self.label}-01"


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Return every IANA zone name known, spelled as IANA spells it."""
    from importlib import resources

    try:
        return frozenset((resources.files("tzdata") / "zones").read_text(encoding="utf-8").split())
    except (ModuleNotFoundError, OSError) as error:
        raise Unavailable(
            f"the time zone rules could not be read ({error}); install the package tzdata"
        ) from None


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    from importlib import resources

    if name not in zone_names():
        raise Refused(
            f"zone {name!r} is not an IANA time zone{nearest(name, zone_names())}; "
            "write it like UTC or Europe/London"
        )
    path = resources.files("tzdata") / "zoneinfo"
    for part in name.split("/"):
        path = path / part
    with path.open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


def parse_period(text: str, zone: str = "UTC") -> Period:
    """Return the month or day that `text` names in an IANA zone.

    "2022-03" is a month, "2022-03-14" a day. Raises Refused for anything else, for years outside 1970 to 9998
    and for a zone that IANA does not name.
    """
    found = _LABEL.fullmatch(text)
    if found is None:
        raise Refused(f"period {text!r} is neither a month nor a day; write it like 2022-03 or 2022-03-14")
    year, month = int(found[1]), int(found[2])
    try:
        first = date(year, month, int(found[3] or 1))
    except ValueError as error:
        raise Refused(
            f"period {text!r} is not in the calendar ({error}); write it like 2022-03 or 2022-03-14"
        ) from None
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise Refused(f"period {text!r} lies outside the years {_FIRST_YEAR} to {_LAST_YEAR}; check the year")
    if found[3]:
        return Period(text, "day", zone, _first_instant(zone, first), _first_instant(zone, first + _DAY))
    following = date(year + month // 12, month % 12 + 1, 1)
    return Period(text, "month", zone, _first_instant(zone, first), _first_instant(zone, following))


def check_name(text: str) -> None:
    """Raise Refused unless a text names a period of some policy: a month, a part of a year, a year, or the last day of some days."""
    found = _YEAR_OR_PART.fullmatch(text)
    if found is None and not _LABEL.fullmatch(text):
        raise Refused(f"period {text!r} is not a period; write it like 2022-03, 2022-Q1, 2022 or 2022-03-14")
    if found is None:
        parse_period(text)
    elif not _FIRST_YEAR <= int(found[1]) <= _LAST_YEAR:
        raise Refused(f"period {text!r} lies outside the years {_FIRST_YEAR} to {_LAST_YEAR}; check the year")


def days_between(label: str, zone: str, first: date, following: date) -> Period:
    """Return the time from one local day to the one before another as a period; ValueError outside the calendar kept."""
    if not _FIRST_YEAR <= first.year <= following.year <= _LAST_YEAR:
        raise ValueError(f"it lies outside the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return Period(
        label, "span", zone, _first_instant(zone, first), _first_instant(zone, following), first.isoformat()
    )


def local_second(zone: str, day: str, seconds: int) -> int:
    """Return the UTC second at which the clocks of a zone show `seconds` after midnight on a day; 86,400 is its end.

    Of a time shown twice the first one; a time that is skipped is read with the offset before the gap.
    """
    first = date.fromisoformat(day)
    if seconds in (0, 86_400):
        return _first_instant(zone, first + (_DAY if seconds else timedelta(0)))
    clock = datetime(first.year, first.month, first.day, tzinfo=_zone(zone)) + timedelta(seconds=seconds)
    return (clock - _EPOCH) // _SECOND


def days(period: Period) -> tuple[Period, ...]:
    """Return the days of a period in order; their bounds touch, so their seconds add up to it."""
    first = date.fromisoformat(period.first_day)
    found: list[Period] = []
    start = period.start
    # A day can have no second at all: 2011-12-30 never was in Apia.
    while start < period.end or not found:
        end = _first_instant(period.zone, first + _DAY)
        found.append(Period(first.isoformat(), "day", period.zone, start, end))
        first, start = first + _DAY, end
    return tuple(found)


def day_after(period: Period) -> str:
    """Return the first local date after a period, such as "2022-04-01"."""
    return (date.fromisoformat(day_of(period.zone, period.end - 1)) + _DAY).isoformat()


def midnights(zone: str, start: int, end: int) -> tuple[int, ...]:
    """Return the first instants of the days that begin after `start` and before `end`, in UTC seconds."""
    found: list[int] = []
    day = date.fromisoformat(day_of(zone, start))
    while (first := _first_instant(zone, day := day + _DAY)) < end:
        if first > start and (not found or first > found[-1]):
            found.append(first)
    return tuple(found)


def day_of(zone: str, instant: int) -> str:
    """Return the local day that an instant in UTC seconds belongs to, such as "2022-03-14"."""
    day = (_EPOCH + timedelta(seconds=instant)).astimezone(_zone(zone)).date()
    # Clocks set back over midnight show the old date once more; the new day has begun all the same.
    return (day + _DAY if _first_instant(zone, day + _DAY) <= instant else day).isoformat()


@lru_cache(maxsize=4096)
def _first_instant(zone: str, day: date) -> int:
    rules = _zone(zone)
    midnight = datetime(day.year, day.month, day.day, tzinfo=rules)
    first = (midnight - _EPOCH) // _SECOND
    later = (midnight.replace(fold=1) - _EPOCH) // _SECOND
    # Folded clocks show midnight twice, and the first one begins the day. In a gap the two readings
    # come out in reverse, with the first instant after the gap between them.
    low = later
    while low < first:
        middle = (low + first) // 2
        if (_EPOCH + timedelta(seconds=middle)).astimezone(rules).date() >= day:
            first = middle
        else:
            low = middle + 1
    return first
