"""The lines of an issued document: one text of JSON lines, and the tree over them (docs/statements.md).

Every line is a leaf: its bytes without the line end, under RFC 6962. First come the assessments, what the policies make
of the facts; then the lines of money, in the order of the assessments they rest on. An assessment says how many lines
and how many bytes rest on it, so that they can be found without reading the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ledger.domain.documents import signed_days, signed_minor_units
from ledger.domain.events import Lines, ServiceDays, Total
from ledger.errors import Altered, LedgerError, Refused, Unavailable
from ledger.store.tree import Frontier, leaf_hash, node_hash

if TYPE_CHECKING:
    from ledger.store.log import SealedLog

__all__ = [
    "SALT_HEX",
    "Added",
    "Assessed",
    "KeptLines",
    "Money",
    "Sums",
    "check_lines",
    "leaf_paths",
    "lines_of",
    "split_lines",
    "standing_in",
]

# Digits of a salt: 16 bytes, as beside a text.
SALT_HEX = 32


class Assessed(msgspec.Struct, frozen=True):
    """What every reader needs of an assessment: how many lines rest on it, and how long they are, line ends counted."""

    lines: int
    bytes: int


class Money(msgspec.Struct, frozen=True):
    """What every reader needs of a line: what it adds to the total of its currency, and the assessment it rests on.

    amount: in major units. In an adjustment also what had been issued and what is right now, and waived: what its policy
    does not take back. service_days and the fields that begin so: the same for days of service, where it has any to say.
    """

    assessment: int
    currency: str
    amount: str
    waived: str | None = None
    as_issued: str | None = None
    as_now: str | None = None
    service_days: str | None = None
    service_days_waived: str | None = None
    service_days_as_issued: str | None = None
    service_days_as_now: str | None = None


class Added(NamedTuple):
    """What a document says of its lines, and what they add up to: money by currency, and days of service if any has some."""

    lines: Lines
    totals: tuple[Total, ...]
    service_days: ServiceDays | None


class _Line(msgspec.Struct, frozen=True):
    salt: str
    assessment: Assessed | None = None
    line: Money | None = None


_decoder = msgspec.json.Decoder(_Line)


def split_lines(content: bytes) -> Sequence[bytes]:
    """Return the leaves of a text of lines; Refused when it does not end with a line end, or holds an empty line."""
    if not content:
        return ()
    if not content.endswith(b"\n"):
        raise Refused("the lines do not end with a line end; they were cut off")
    found = content[:-1].split(b"\n")
    if b"" in found:
        raise Refused(f"line {found.index(b'') + 1} of the lines is empty; take it out")
    return found


def _decoded(leaves: Sequence[bytes]) -> Iterator[_Line]:
    for number, leaf in enumerate(leaves, 1):
        try:
            one = _decoder.decode(leaf)
        except msgspec.MsgspecError as error:
            raise Refused(f"line {number} of the lines cannot be read: {error}") from None
        if (one.assessment is None) == (one.line is None):
            raise Refused(f"line {number} of the lines is neither an assessment nor a line of money")
        if len(one.salt) != SALT_HEX or one.salt.strip("0123456789abcdef"):
            raise Refused(f"line {number} of the lines has no salt of {SALT_HEX // 2} bytes in hexadecimal")
        yield one


def lines_of(content: bytes) -> Added:
    """Return what a document says of its lines, and their totals; Refused where they contradict themselves."""
    leaves = split_lines(content)
    edge = Frontier()
    assessed: list[Assessed] = []
    counted: list[list[int]] = []
    sums = Sums()
    before = -1
    for number, (leaf, one) in enumerate(zip(leaves, _decoded(leaves), strict=True), 1):
        edge.add(leaf_hash(leaf))
        if one.assessment is not None:
            if before >= 0:
                raise Refused(
                    f"line {number} of the lines is an assessment behind a line of money; assessments come first"
                )
            assessed.append(one.assessment)
            counted.append([0, 0])
        elif (line := one.line) is not None:
            if not before <= line.assessment < len(assessed) or line.assessment < 0:
                raise Refused(
                    f"line {number} of the lines rests on assessment {line.assessment}, which is not there or out of order"
                )
            before = line.assessment
            counted[before][0] += 1
            counted[before][1] += len(leaf) + 1
            sums.add(number, line)
    for at, (known, (lines, size)) in enumerate(zip(assessed, counted, strict=True)):
        if (known.lines, known.bytes) != (lines, size):
            raise Refused(
                f"assessment {at} says {known.lines} lines of {known.bytes} bytes, but {lines} of {size} bytes rest on it"
            )
    found = Lines(sha256(content).hexdigest(), edge.root().hex(), len(assessed), len(leaves) - len(assessed))
    return Added(found, sums.totals(), sums.service_days())


class Sums:
    """What the lines of a document add up to: kept ones, and those that a proposal would keep."""

    def __init__(self) -> None:
        self._money: dict[str, list[Any]] = {}
        self._days = _Days()

    def add(self, number: int, line: Money) -> None:
        """Count a line; Refused, with its number, where what it says does not lead to what is right now."""
        amount, waived = _amounts(number, line)
        total = self._money.setdefault(line.currency, [0, 0, None])
        total[0] += 1
        total[1] += amount
        if waived is not None:
            total[2] = (total[2] or 0) + waived
        if line.service_days is not None:
            self._days.add(number, line)

    def totals(self) -> tuple[Total, ...]:
        """Return the sums of money by currency. Where any line says what it waives they do, be it 0."""
        from ledger.domain.money import format_money

        return tuple(
            Total(
                code,
                lines,
                format_money(amount, code),
                None if waived is None else format_money(waived, code),
            )
            for code, (lines, amount, waived) in sorted(self._money.items())
        )

    def service_days(self) -> ServiceDays | None:
        """Return the sum of the days of service, None where no line has any to say."""
        return self._days.total()


class _Days:
    """The days of service of the lines so far, each line checked to lead to what is right now."""

    def __init__(self) -> None:
        self._lines = 0
        self._days = Fraction(0)
        self._waived: Fraction | None = None

    def add(self, number: int, line: Money) -> None:
        def read(name: str, text: str | None) -> Fraction:
            return Fraction(0) if text is None else signed_days(f"line {number}: {name}", text)

        days, waived = (read(name, getattr(line, name)) for name in ("service_days", "service_days_waived"))
        if line.service_days_as_issued is not None or line.service_days_as_now is not None:
            issued, now = (
                read(name, getattr(line, name)) for name in ("service_days_as_issued", "service_days_as_now")
            )
            if issued + days + waived != now:
                raise Refused(
                    f"line {number} of the lines: service_days_as_issued {line.service_days_as_issued} and service_days "
                    f"{line.service_days}"
                    f"{'' if line.service_days_waived is None else f' and service_days_waived {line.service_days_waived}'} do "
                    f"not make service_days_as_now {line.service_days_as_now}"
                )
        self._lines += 1
        self._days += days
        if line.service_days_waived is not None:
            self._waived = (self._waived or Fraction(0)) + waived

    def total(self) -> ServiceDays | None:
        """Return their sum, None where no line has days to say."""
        from ledger.domain.money import decimal_text

        if not self._lines:
            return None
        waived = None if self._waived is None else decimal_text(self._waived)
        return ServiceDays(self._lines, decimal_text(self._days), waived)


def _amounts(number: int, line: Money) -> tuple[int, int | None]:
    """Return what a line adds and what it waives, in minor units; Refused where they do not lead to what is right now."""

    def units(name: str, text: str | None) -> int:
        return 0 if text is None else signed_minor_units(f"line {number}: {name}", text, line.currency)

    amount, waived = units("amount", line.amount), units("waived", line.waived)
    if line.as_issued is not None or line.as_now is not None:
        issued, now = units("as_issued", line.as_issued), units("as_now", line.as_now)
        if issued + amount + waived != now:
            raise Refused(
                f"line {number} of the lines: as_issued {line.as_issued} and amount {line.amount}"
                f"{'' if line.waived is None else f' and waived {line.waived}'} do not make as_now {line.as_now}"
            )
    return amount, None if line.waived is None else waived


def check_lines(
    content: bytes, said: Lines, totals: Sequence[Total], service_days: ServiceDays | None
) -> None:
    """Refuse a document whose lines are not those it names, or do not add up to its totals."""
    found, sums, days = lines_of(content)
    for name in Lines.__struct_fields__:
        if (one := getattr(said, name)) != (other := getattr(found, name)):
            raise Refused(f"lines.{name} {one} differs from {other}, which the lines have")
    for said_total, total in zip(
        [*totals, *[None] * len(sums)], [*sums, *[None] * len(totals)], strict=False
    ):
        if said_total != total:
            raise Refused(
                f"totals {_spelled(said_total)} differ from the sum of the lines, {_spelled(total)}"
            )
    if service_days != days:
        raise Refused(
            f"service_days {_spelled_days(service_days)} differ from the sum of the lines, {_spelled_days(days)}"
        )


def _spelled(total: Total | None) -> str:
    if total is None:
        return "nothing"
    waived = "" if total.waived is None else f", {total.waived} waived"
    return f"{total.amount} {total.currency} in {total.lines} lines{waived}"


def _spelled_days(total: ServiceDays | None) -> str:
    if total is None:
        return "nothing"
    return f"{total.days} in {total.lines} lines" + (
        "" if total.waived is None else f", {total.waived} waived"
    )


def leaf_paths(leaves: Sequence[bytes], indices: Sequence[int]) -> dict[int, list[bytes]]:
    """Return for each of some leaves the hashes that lead to the root over all, the sibling of the leaf first.

    As in RFC 6962, section 2.1.1. The tree is built level by level, where one that is left over goes up as it is.
    """
    paths: dict[int, list[bytes]] = {index: [] for index in indices}
    places = {index: index for index in indices}
    level = [leaf_hash(leaf) for leaf in leaves]
    while len(level) > 1:
        for index, at in places.items():
            if at ^ 1 < len(level):
                paths[index].append(level[at ^ 1])
            places[index] = at >> 1
        above = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = above + level[-1:] if len(level) % 2 else above
    return paths


def standing_in(texts: Iterable[Sequence[bytes]]) -> set[str]:
    """Return the subscriptions that stand credited after documents about one period, also with nothing: a later one may add to it.

    texts: the leaves of each document, in the order issued. A subscription stands no more where an adjustment says that it is
    credited no longer, and nothing is left of what was issued.
    """
    # By subscription and customer, as a subscription may have been given to another one.
    found: set[tuple[str, str]] = set()
    for leaves in texts:
        ended: list[bool] = []
        for leaf in leaves:
            one = _decode_credited(leaf)
            if one.assessment is not None:
                ended.append(one.assessment.after is None)
            elif (line := one.line) is not None:
                key = line.subscription, line.customer
                issued = Fraction(line.as_issued or 0) + Fraction(line.amount)
                if ended[line.assessment] and not issued:
                    found.discard(key)
                else:
                    found.add(key)
    return {subscription for subscription, _ in found}


class _Became(msgspec.Struct, frozen=True):
    """What an assessment is after an adjustment, None where its lines are credited no more; a statement has no such field."""

    after: dict[str, Any] | None = msgspec.field(default_factory=dict)


class _Credited(msgspec.Struct, frozen=True):
    subscription: str
    customer: str
    assessment: int
    amount: str
    as_issued: str | None = None


class _CreditedLeaf(msgspec.Struct, frozen=True):
    assessment: _Became | None = None
    line: _Credited | None = None


_decode_credited = msgspec.json.Decoder(_CreditedLeaf).decode

_READ_AT_ONCE = 1 << 20


class KeptLines:
    """The lines of one document as the ledger keeps them, taken apart no further than they are asked for.

    Before the first of them is, all bytes are held against the digest in the entry (Altered): whatever is taken from issued lines is taken
    as what was issued.
    """

    def __init__(self, log: SealedLog, said: Lines) -> None:
        self._log = log
        self._said = said
        # Where the lines of each assessment begin; with one more, where the last of them ends.
        self._starts: list[int] = []
        self._assessments: list[dict[str, Any]] | None = None

    def assessments(self) -> list[dict[str, Any]]:
        """Return the assessments in their order, each with what the document says of it."""
        if self._assessments is None:
            self._log.check_content(self._said.sha256)
            leaves, end = self._first_leaves()
            found = [self._open(leaf, "assessment") for leaf in leaves]
            self._starts = [end]
            for one in found:
                self._starts.append(self._starts[-1] + int(one["bytes"]))
            self._assessments = found
        return self._assessments

    def _first_leaves(self) -> tuple[list[bytes], int]:
        """Return the leaves of the assessments, and where in the text they end."""
        content, wanted = b"", self._said.assessments
        while content.count(b"\n") < wanted:
            more = self._log.content_part(self._said.sha256, len(content), len(content) + _READ_AT_ONCE)
            if not more:
                raise self._damaged("they are not all there")
            content += more
        leaves = content.split(b"\n", wanted)[:wanted]
        return leaves, sum(len(leaf) + 1 for leaf in leaves)

    def leaves(self, of: Iterable[int] | None = None) -> Iterator[bytes]:
        """Yield the leaves of money that rest on some assessments, in their order; None: on all of them."""
        count = len(self.assessments())
        for first, past in _runs(range(count) if of is None else sorted(set(of))):
            content = self._log.content_part(self._said.sha256, self._starts[first], self._starts[past])
            if len(content) != self._starts[past] - self._starts[first]:
                raise self._damaged("they are not all there")
            yield from split_lines(content)

    def whole(self) -> bytes:
        """Return the text of all lines; Unavailable where it is missing, Altered where it is not the one that was issued."""
        content = self._log.content(self._said.sha256)
        if content is None:
            raise self._damaged("they are not there")
        return content

    def _open(self, leaf: bytes, name: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = msgspec.json.decode(leaf)[name]
        except (msgspec.MsgspecError, KeyError, TypeError) as error:
            raise self._damaged(f"one cannot be read: {error!r}") from None
        return found

    def _damaged(self, what: str) -> LedgerError:
        """Return the error of lines that are missing (Unavailable), or that are others than were issued (Altered)."""
        kind = Unavailable if self._log.kept_bytes(self._said.sha256) is None else Altered
        return kind(f"the lines {self._said.sha256} cannot be used: {what}; run ledger verify")


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the runs of following numbers, as first and the one after the last."""
    first = past = -1
    for number in numbers:
        if number == past:
            past += 1
            continue
        if past > first:
            yield first, past
        first, past = number, number + 1
    if past > first:
        yield first, past
