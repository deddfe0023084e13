"""Issued documents: statements and their adjustments, numbered in a series, and the months of the books.

A document is never edited. What may be issued here follows from its own series; that its period is open, its root is the
ledger's and its lines are those it names is asked where the whole ledger is at hand (`ledger.append`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import NoReturn, TypeAlias

import msgspec

from ledger.domain.checks import SERVICE_DAYS
from ledger.domain.events import (
    AdjustmentIssued,
    AnyEvent,
    PeriodClosed,
    PeriodReopened,
    RestsOn,
    StatementIssued,
)
from ledger.domain.money import minor_units
from ledger.domain.period import check_name, parse_period
from ledger.errors import Refused

__all__ = [
    "Document", "DocumentEvent", "PeriodEvent", "accounting_date", "check_begun", "decide_document", "decide_period", "documents_of",
    "is_closed", "latest_date", "month_of", "signed_days", "signed_minor_units",
]  # fmt: skip

DocumentEvent: TypeAlias = StatementIssued | AdjustmentIssued
PeriodEvent: TypeAlias = PeriodClosed | PeriodReopened
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)
# By the digits of a currency: an amount in its one spelling.
_AMOUNTS = [
    re.compile(r"-?(?:0|[1-9]\d*)" + (rf"\.\d{{{digits}}}" if digits else ""), re.ASCII)
    for digits in range(5)
]
# No place on earth is further ahead of UTC: a date that has begun nowhere is in the future.
_FURTHEST_AHEAD = timedelta(hours=14)


class Document(msgspec.Struct, frozen=True):
    """A document of a series: its version in the stream, and what was issued."""

    version: int
    number: int
    event: DocumentEvent

    @property
    def statement(self) -> int:
        """The number of the statement it is, or is about."""
        return self.event.adjusts if isinstance(self.event, AdjustmentIssued) else self.number


def _refuse(sentence: str) -> NoReturn:
    raise Refused(sentence)


def documents_of(events: Iterable[tuple[int, AnyEvent]]) -> list[Document]:
    """Return the documents of a series from its (version, event) pairs.

    Numbers count documents, not versions: an erasure is an entry of the stream, and no document.
    """
    found: list[Document] = []
    for version, event in events:
        if isinstance(event, StatementIssued | AdjustmentIssued):
            found.append(Document(version, len(found) + 1, event))
    return found


def decide_document(events: list[AnyEvent], event: DocumentEvent, series: str, now: str) -> DocumentEvent:
    """Return the document with its number, or refuse it. now: the present in the ledger's spelling."""
    documents = documents_of(enumerate(events, 1))
    number = len(documents) + 1
    if event.number is not None and event.number != number:
        _refuse(
            f"number {event.number} is not the next one of series {series!r}, which is {number}; leave it out to take the "
            "next one"
        )
    ahead = latest_date(now)
    if event.decided_on > ahead:
        _refuse(f"decided_on {event.decided_on} is in the future (it is {now}); say it when it is decided")
    if _MONTH.fullmatch(event.period):
        _check_dates(event, ahead)
    _check_totals(event)
    if isinstance(event, StatementIssued):
        # An adjustment is about the period of its statement, whatever once was taken for one.
        check_name(event.period)
        for known in documents:
            if isinstance(known.event, StatementIssued) and known.event.period == event.period:
                _refuse(
                    f"period {event.period!r} was already issued in series {series!r} as number {known.number}; what has "
                    "changed since is an adjustment: ledger credits restate"
                )
    else:
        _check_adjustment(documents, event, series)
    return msgspec.structs.replace(event, number=number)


def latest_date(now: str) -> str:
    """Return the latest date that has begun anywhere on earth. now: the present in the ledger's spelling."""
    return (datetime.fromisoformat(now) + _FURTHEST_AHEAD).date().isoformat()


def check_begun(period: str, ahead: str) -> None:
    """Refuse a month that has begun nowhere. ahead: the latest date that has."""
    if period > month_of(ahead):
        _refuse(
            f"period {period!r} has not begun (it is {month_of(ahead)}), so no service was given in it; choose a month that is over"
        )


def _check_dates(event: DocumentEvent, ahead: str) -> None:
    """Refuse dates that no document about a month can have. ahead: the latest date that has begun anywhere."""
    check_begun(event.period, ahead)
    last_day = accounting_date(f"{event.period}-01", ())
    if event.decided_on < last_day and not event.rests_on.provisional:
        _refuse(
            f"decided_on {event.decided_on} is before {last_day}, on which period {event.period!r} ends; give the day on which "
            "it was decided"
        )
    month = month_of(event.accounting_date)
    if month < event.period:
        _refuse(
            f"accounting_date {event.accounting_date} is before period {event.period!r}, in which the service was given; take "
            "a date in the earliest open month from there on"
        )
    if month > month_of(ahead):
        _refuse(
            f"accounting_date {event.accounting_date} lies in {month}, which has not begun; take a date in the earliest open "
            "month"
        )


def _check_adjustment(documents: list[Document], event: AdjustmentIssued, series: str) -> None:
    statement = documents[event.adjusts - 1] if 1 <= event.adjusts <= len(documents) else None
    if statement is None or not isinstance(statement.event, StatementIssued):
        what = "an adjustment" if statement is not None else "not issued"
        numbers = [str(one.number) for one in documents if isinstance(one.event, StatementIssued)]
        _refuse(
            f"adjusts {event.adjusts} is {what} in series {series!r}; its statements are {', '.join(numbers) or 'none'}"
        )
    if event.period != statement.event.period:
        _refuse(f"period {event.period!r} differs from {statement.event.period!r} of number {event.adjusts}")
    last = [one for one in documents if one.statement == statement.number][-1]
    if event.follows != last.number:
        _refuse(
            f"follows {event.follows} is not the last document about number {statement.number}, which is {last.number}; "
            "restate again, so that no difference is booked twice"
        )
    before = last.event.rests_on
    if event.rests_on.position < before.position:
        _refuse(
            f"rests_on.position {event.rests_on.position} is before {before.position}, which number {last.number} rests "
            "on; restate from what is known now"
        )
    if not event.causes and _made_alike(event.rests_on, before):
        _refuse(
            f"causes is empty: nothing has changed since number {last.number}, so there is nothing to adjust; name the "
            "entries that made the difference"
        )


def _made_alike(one: RestsOn, other: RestsOn) -> bool:
    """Tell whether figures are made in the same way, so that only entries can make a difference."""
    return (one.calculator, one.undecided, one.provisional, one.published_by) == (
        other.calculator, other.undecided, other.provisional, other.published_by,
    )  # fmt: skip


def _check_totals(event: DocumentEvent) -> None:
    currencies = [total.currency for total in event.totals]
    if currencies != sorted(set(currencies)):
        _refuse("totals are not one per currency, in the order of the codes")
    for total in event.totals:
        amount = signed_minor_units("totals.amount", total.amount, total.currency)
        if isinstance(event, StatementIssued) and (amount < 0 or total.waived is not None):
            _refuse(f"totals {total.currency} {total.amount}: a statement credits, it takes nothing back")
        if total.waived is not None and signed_minor_units("totals.waived", total.waived, total.currency) > 0:
            _refuse(f"totals.waived {total.waived} {total.currency} is above 0; it is what is not taken back")
    _check_days(event)
    if (counted := sum(total.lines for total in event.totals)) != event.lines.lines:
        _refuse(f"totals count {counted} lines, but the document has {event.lines.lines}")


def _check_days(event: DocumentEvent) -> None:
    days = event.service_days
    if days is None:
        return
    if isinstance(event, StatementIssued) and (
        signed_days("service_days.days", days.days) < 0 or days.waived is not None
    ):
        _refuse(f"service_days {days.days}: a statement credits, it takes nothing back")
    if days.waived is not None and signed_days("service_days.waived", days.waived) > 0:
        _refuse(f"service_days.waived {days.waived} is above 0; it is what is not taken back")
    if days.lines > event.lines.lines:
        _refuse(f"service_days count {days.lines} lines, but the document has {event.lines.lines}")


def signed_days(field: str, text: str) -> Fraction:
    """Return days of service from their one spelling, such as 3, 2.5 or -1; Refused when it is none."""
    if SERVICE_DAYS.fullmatch(text) is None:
        _refuse(f"{field} {text!r} is not a number of days in its one spelling, such as 3, 2.5 or -1")
    return Fraction(text)


def signed_minor_units(field: str, text: str, currency: str) -> int:
    """Return an amount in major units, with all digits of its currency, as minor units; Refused when it is none."""
    digits = minor_units(currency)
    found = _AMOUNTS[digits].fullmatch(text)
    amount = 0 if found is None else int(text.replace(".", ""))
    if found is None or (not amount and text[0] == "-"):
        decimals = f".{'0' * digits}" if digits else ""
        _refuse(
            f"{field} {text!r} is not written with all {digits} decimals of {currency}, such as -12{decimals}"
        )
    return amount


# ---- the books -------------------------------------------------------------------------------------------


def is_closed(events: Iterable[AnyEvent]) -> bool:
    """Tell whether the events of a month's stream leave its books closed."""
    closed = False
    for event in events:
        if isinstance(event, PeriodClosed | PeriodReopened):
            closed = isinstance(event, PeriodClosed)
    return closed


def decide_period(events: list[AnyEvent], event: PeriodEvent, key: str, now: str) -> None:
    """Refuse what may not happen to the books of a month. now: the present in the ledger's spelling."""
    if not _MONTH.fullmatch(key):
        _refuse(f"period {key!r} is not a month; books are kept by month, such as 2022-03")
    parse_period(key)
    closed = is_closed(events)
    if isinstance(event, PeriodClosed):
        if closed:
            _refuse(f"period {key!r} is already closed")
        if now[:7] <= key:
            _refuse(f"period {key!r} is not over (it is {now}); close it when it is")
    elif not closed:
        _refuse(f"period {key!r} is not closed, so there is nothing to reopen")


def month_of(day: str) -> str:
    """Return the month of the books that a date lies in."""
    return day[:7]


def accounting_date(period_end: str, closed: Iterable[str]) -> str:
    """Return the accounting date of a document: the last day of the earliest month that is open.

    period_end: the last day of the service period, the first that counts. closed: the months whose books are closed.
    """
    months = set(closed)
    day = date.fromisoformat(period_end)
    while month_of(day.isoformat()) in months:
        # The 28th and four days is in the next month, whatever month it is.
        day = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return ((day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).isoformat()
