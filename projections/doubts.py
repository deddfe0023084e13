"""What is doubtful in what tiers pay: the part of the linter that takes the calculator, so that it sees every remedy.

A doubt is shown by figures that can be measured: in a period of its least or greatest length, a downtime, an availability or a
value inside a tier, and what the calculator pays there. Amounts are functions of the fee, so one pays less than another where it
does for some fee and for no fee more; what depends on the fee otherwise, or sets money against days of service, is not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise, product

import msgspec

from ledger.domain.money import decimal_text, minor_units
from ledger.domain.policy.lint import Finding
from ledger.domain.policy.model import (
    NO_LIMIT,
    Commitment,
    Limits,
    Policy,
    Quantity,
    Remedy,
    Termination,
    Tier,
    sum_in,
)
from ledger.domain.policy.periods import possible_days
from ledger.domain.policy.reading import Place, between, places
from ledger.domain.policy.values import duration_text
from ledger.domain.policy.words import base_words, remedy_words, sums_words
from ledger.errors import Refused
from projections.evaluation.amounts import Choice, currencies_of, days_of, forms_of, limited
from projections.evaluation.forms import NOTHING, Form, Line, line
from projections.evaluation.levels import NONE, WHOLE

__all__ = ["doubts", "never_above"]

# Less than any bound, block or fee in whole units can tell apart; how far inside a tier its excluded bound is tried.
_NEAR = Fraction(1, 10**40)


class _Paid(msgspec.Struct, frozen=True):
    """What is paid at one figure: a form of the base for each currency that the terms name, and days of service."""

    money: dict[str, Form]
    days: Fraction

    def nowhere_above(self, other: _Paid) -> bool:
        """Tell whether it is for no fee and currency more than another, nor more days."""
        return self.days <= other.days and all(
            never_above(form, other.money[code]) for code, form in self.money.items() if code in other.money
        )

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is paid for any fee."""
        return not self.days and all(never_above(form, NOTHING) for form in self.money.values())


class _Cell(msgspec.Struct, frozen=True):
    """A range in which the same tiers hold throughout."""

    begins: Place
    ends: Place
    tiers: tuple[Tier, ...]


class _Terms(msgspec.Struct, frozen=True):
    """One commitment, looked at in a period of so many seconds."""

    policy: Policy
    commitment: Commitment
    seconds: Fraction

    @property
    def of(self) -> Quantity:
        """What its tiers are about."""
        return self.commitment.tiers_of

    @property
    def counts_whole(self) -> bool:
        """Whether only whole numbers can be measured."""
        return self.commitment.measure.of in ("events", "consecutive-days")

    def best(self, begins: Place, ends: Place) -> Fraction | None:
        """Return the best figure of a range, None where nothing in it can be measured."""
        return self._inside(begins, ends, from_below=self.of != "availability")

    def worst(self, begins: Place, ends: Place) -> Fraction | None:
        """Return the worst figure of a range, None where nothing in it can be measured."""
        return self._inside(begins, ends, from_below=self.of == "availability")

    def _inside(self, begins: Place, ends: Place, *, from_below: bool) -> Fraction | None:
        low, high = begins[0] + begins[1] * _NEAR, ends[0] - (1 - ends[1]) * _NEAR
        # Outages that are each rounded up may come to more than there is.
        if self.of == "downtime" and self.commitment.counting.quantise != "each-up":
            high = min(high, self.seconds)
        if self.counts_whole:
            low, high = Fraction(-(-low // 1)), Fraction(high // 1)
        if low > high:
            return None
        return low if from_below else high

    def paid(self, tiers: Sequence[Tier], at: Fraction) -> tuple[_Paid, _Paid]:
        """Return what is paid at a figure that some tiers hold, at least and at most: readings leave open which of them rules."""
        down = {"availability": 1 - at, "downtime": min(at / self.seconds, WHOLE)}.get(self.of, NONE)
        eligible = at if self.of == "downtime" else down * self.seconds
        value = at if self.of == "value" else NONE
        found = [Choice(tier, (eligible, eligible), (down, down), (value, value)) for tier in tiers]
        low, high = {}, {}
        for code in currencies_of(self.policy):
            try:
                low[code], high[code] = forms_of(self.policy, self.commitment, found, code)
            except Refused:
                # A table of sums names no such currency, so such a fee is refused wherever the tier pays.
                continue
        least_days, most_days = days_of(found)
        if self.commitment.overlaps == "greatest":
            least_days = most_days
        return _Paid(low, least_days), _Paid(high, most_days)

    def pays(self, tier: Tier) -> str:
        """Return what a tier pays, in words."""
        return remedy_words(tier.remedy, base_words(self.policy))


def doubts(policy: Policy) -> Iterator[Finding]:
    """Yield what is doubtful in what the tiers of a policy pay, by the kinds of `ledger.domain.policy.lint.KINDS`."""
    for commitment in policy.commitments:
        # A shorter and a longer period: what is true of one of them can happen.
        lengths = _lengths(policy)
        told: dict[tuple[str, str], Finding] = {}
        for seconds in lengths:
            terms = _Terms(policy, commitment, seconds)
            for subject, kind, sentence in (
                *_promises(terms), *_order(terms), *_covered(terms), *_cut(terms), *_ends(terms),
            ):  # fmt: skip
                told.setdefault((kind, subject), Finding(kind, "warning", sentence, commitment.name))
        yield from told.values()


# What it is about, its kind, and the sentence.
Found = Iterator[tuple[str, str, str]]


def _lengths(policy: Policy) -> tuple[Fraction, ...]:
    if policy.period.length_seconds is not None:
        return (policy.period.length_seconds,)
    least, most = possible_days(policy.period)
    return tuple(dict.fromkeys((Fraction(most * 86_400), Fraction(least * 86_400))))


def _promises(terms: _Terms) -> Found:
    target = terms.commitment.target
    if target is None:
        best = WHOLE if terms.of == "availability" else NONE
        for tier in terms.commitment.tiers:
            if tier.holds(best) and not terms.paid([tier], best)[1].is_nothing:
                yield (
                    tier.words, "met-but-pays",
                    f"{tier.words} pays {terms.pays(tier)}, even for the best that can be measured; bound it, or leave the tier out",
                )  # fmt: skip
        return
    first, last = _range_as(terms, target)
    for tier in terms.commitment.tiers:
        begins, ends = places(tier)
        met = max(begins, first), min(ends, last)
        at = terms.worst(*met) if met[0] < met[1] else None
        if at is not None and not terms.paid([tier], at)[1].is_nothing:
            yield (
                tier.words, "met-but-pays",
                f"the target is {target.words}, but {tier.words} pays {terms.pays(tier)}: {_shown(terms, *met, target)} meets the "
                "target and pays; correct one of them",
            )  # fmt: skip
        missed = (begins, min(ends, first)) if terms.of == "availability" else (max(begins, last), ends)
        worst = terms.worst(*missed) if missed[0] < missed[1] else None
        if worst is not None and terms.paid([tier], worst)[1].is_nothing and not _may_end(terms, missed):
            yield (
                tier.words, "missed-but-free",
                f"the target is {target.words}, but {tier.words} pays nothing, so it can be missed for free; correct one of them if "
                "that is not meant",
            )  # fmt: skip


def _range_as(terms: _Terms, promised: Tier) -> tuple[Place, Place]:
    """Return a range in what the tiers are about: one of downtime may stand beside tiers of availability, and the other way."""
    begins, ends = places(promised)
    if promised.of == terms.of:
        return begins, ends
    if promised.of == "downtime":
        (least, after), (most, upto) = begins, ends
        worst = (NONE, 0) if most >= terms.seconds else (1 - most / terms.seconds, 1 - upto)
        return worst, (1 - least / terms.seconds, 1 - after)
    (low, side), (high, upto) = begins, ends
    last = (NO_LIMIT, 1) if begins == (NONE, 0) else ((1 - low) * terms.seconds, 1 - side)
    return ((1 - high) * terms.seconds, 1 - upto), last


def _shown(terms: _Terms, begins: Place, ends: Place, found_from: Tier) -> str:
    """Return a range in words that came of a tier's and another one."""
    if found_from.of == terms.of:
        return between(begins, ends, terms.of)
    # Turned from seconds to a part of them or back, its bounds have no decimals that end.
    return f"some of it, in a period of {duration_text(terms.seconds)},"


def _rights(terms: _Terms) -> list[tuple[Termination, Place, Place]]:
    """Return the rights to end the contract that look at the commitment, with their ranges."""
    return [
        (right, *_range_as(terms, right.range))
        for right in terms.policy.termination
        if right.commitment == terms.commitment.name
    ]


def _may_end(terms: _Terms, span: tuple[Place, Place]) -> bool:
    """Tell whether a right to end the contract, perhaps after several periods, holds in all of a range: then it is not free."""
    return any(begins <= span[0] and span[1] <= ends for _, begins, ends in _rights(terms))


def _ends(terms: _Terms) -> Found:
    """Yield a finding where the contract may be ended at the best, or at what meets the target, and not at something worse."""
    upward = terms.of != "availability"
    best: tuple[Place, Place] = ((NONE, 0), (NONE, 1)) if upward else ((WHOLE, 0), (WHOLE, 1))
    target = terms.commitment.target
    promised = best if target is None else _range_as(terms, target)
    rights = _rights(terms)
    for right, begins, ends in rights:
        met = max(begins, promised[0]), min(ends, promised[1])
        if met[0] < met[1] and terms.worst(*met) is not None:
            why = (
                f"although the target is {target.words}, which {_shown(terms, *met, target)} meets; correct one of them" if target
                else "even for the best that can be measured; bound it"
            )  # fmt: skip
            yield (
                f"end {right.range.words}", "met-but-pays", f"{right.range.words} gives the right to end the contract, {why}"
            )  # fmt: skip
        worse: tuple[Place, Place] = (ends, (NO_LIMIT, 1)) if upward else ((NONE, 0), begins)
        if worse[0] >= worse[1] or terms.worst(*worse) is None:
            continue
        edge = worse[0] if upward else worse[1]
        if not any(
            (first <= edge < last if upward else first < edge <= last) and other.periods <= right.periods
            for other, first, last in rights
        ):
            yield (
                f"end {right.range.words}", "worse-pays-less",
                f"{right.range.words} gives the right to end the contract, and {_shown(terms, *worse, right.range)}, which is worse, does not; leave "
                "out the bound on that side if that is not meant",
            )  # fmt: skip


def _cells(commitment: Commitment) -> list[_Cell]:
    """Return the ranges in which one and the same tiers hold, from the best to the worst; those that none holds are left out."""
    edges = sorted({place for tier in commitment.tiers for place in places(tier)})
    found = []
    for begins, ends in pairwise(edges):
        tiers = tuple(
            tier for tier in commitment.tiers if places(tier)[0] <= begins and ends <= places(tier)[1]
        )
        if tiers:
            found.append(_Cell(begins, ends, tiers))
    return found[::-1] if commitment.tiers_of == "availability" else found


def _order(terms: _Terms) -> Found:
    """Yield a finding where what is just worse pays less; inside a tier nothing does, as every remedy grows with what is worse."""
    cells = _cells(terms.commitment)
    for index, worse in enumerate(cells):
        at = terms.best(worse.begins, worse.ends)
        if at is None:
            continue
        pays = terms.paid(worse.tiers, at)[1]
        for better in reversed(cells[:index]):
            before = terms.worst(better.begins, better.ends)
            if before is None:
                continue
            paid = terms.paid(better.tiers, before)[0]
            more, less = paid.nowhere_above(pays), pays.nowhere_above(paid)
            if less and not more:
                yield _order_sentence(terms, worse, better)
            if less or more:
                break


def _order_sentence(terms: _Terms, worse: _Cell, better: _Cell) -> tuple[str, str, str]:
    low, high = (
        (
            " and ".join(tier.words for tier in cell.tiers),
            " or ".join(terms.pays(tier) for tier in cell.tiers),
        )
        for cell in (worse, better)
    )
    grows = any(_grows(tier.remedy) for tier in (*worse.tiers, *better.tiers))
    return (
        f"{low[0]}/{high[0]}", "worse-pays-less",
        f"{low[0]} pays {low[1]}, less than {high[0]}, which pays {high[1]}{', where they meet' if grows else ''}; "
        "exchange them if that is not meant",
    )  # fmt: skip


def _grows(remedy: Remedy) -> bool:
    return remedy.per != "period" or remedy.multiple is not None or bool(remedy.hourly)


def _covered(terms: _Terms) -> Found:
    """Yield a finding for each tier that others pay more than, wherever it holds."""
    if terms.commitment.overlaps != "greatest":
        return
    cells = _cells(terms.commitment)
    for tier in terms.commitment.tiers:
        own = [cell for cell in cells if tier in cell.tiers]
        if all(any(_pays_more(terms, cell, other, tier) for other in cell.tiers) for cell in own):
            yield (
                tier.words, "unreachable-tier",
                f"{tier.words} always lies in a tier that pays more, so it never pays; leave it out",
            )  # fmt: skip


def _pays_more(terms: _Terms, cell: _Cell, other: Tier, tier: Tier) -> bool:
    best, worst = terms.best(cell.begins, cell.ends), terms.worst(cell.begins, cell.ends)
    if best is None or worst is None:
        return False
    # Nothing in the range pays less than its best figure in one tier, nor more than its worst in the other.
    other_pays, pays = terms.paid([other], best)[0], terms.paid([tier], worst)[1]
    return pays.nowhere_above(other_pays) and not other_pays.nowhere_above(pays)


def _cut(terms: _Terms) -> Found:
    """Yield a finding for each limit that keeps a tier from ever paying what it says."""
    limits = terms.policy.limits
    percents = (("limits.percent", limits.percent), ("limits.rolling_percent", limits.rolling_percent))
    caps = [
        *((f"{name} is {decimal_text(part * 100)}", _only(terms, {name.removeprefix("limits."): part})) for name, part in percents if part is not None),
        *([(f"limits.amount is {sums_words(limits.amount)}", _only(terms, {"amount": limits.amount}))] if limits.amount else []),
    ]  # fmt: skip
    for tier in terms.commitment.tiers:
        at = _first_paid(terms, tier)
        if at is None:
            continue
        pays = terms.paid([tier], at)[0]
        said = f"{tier.words} pays {terms.pays(tier)}"
        for words, cap in caps:
            if cut := [code for code, form in pays.money.items() if _is_cut(cap, form, code)]:
                where = "" if len(cut) == len(pays.money) else f"in {', '.join(cut)} "
                yield (
                    f"{tier.words} {words}", "limit-cuts", f"{said}, but {words}; {where}it never pays what it says",
                )  # fmt: skip
        if limits.days is not None and pays.days > limits.days:
            yield (
                f"{tier.words} days", "limit-cuts",
                f"{said}, but limits.days is {decimal_text(limits.days)}; it never pays what it says",
            )  # fmt: skip
        yield from _too_little(terms, tier, said)


def _only(terms: _Terms, limit: dict[str, object]) -> Policy:
    return msgspec.structs.replace(terms.policy, limits=Limits(**limit))  # type: ignore[arg-type]


def _is_cut(cap: Policy, form: Form, code: str) -> bool:
    try:
        return never_above(limited(cap, form, code, 0), form, below=True)
    except Refused:
        return False


def _first_paid(terms: _Terms, tier: Tier) -> Fraction | None:
    """Return the best figure at which a tier pays anything; None where there is none."""
    begins, ends = places(tier)
    for at in (terms.best(begins, ends), terms.best(*_from_first(terms, tier))):
        if at is not None and tier.holds(at) and not terms.paid([tier], at)[1].is_nothing:
            return at
    return None


def _from_first(terms: _Terms, tier: Tier) -> tuple[Place, Place]:
    """Return the part of a tier from the first block or unit on; all of it where it is paid once."""
    begins, ends = places(tier)
    remedy = tier.remedy
    if remedy.per == "unit":
        return max(begins, (WHOLE, 0)), ends
    if remedy.per != "block" or remedy.block_seconds is None:
        return begins, ends
    first, after = (NONE, 1) if remedy.blocks == "begun" else (remedy.block_seconds, 0)
    if terms.of == "downtime":
        return max(begins, (first, after)), ends
    return begins, min(ends, (1 - first / terms.seconds, 1 - after))


def _too_little(terms: _Terms, tier: Tier, said: str) -> Found:
    """Yield a finding where a tier never pays enough to be above the floor.

    What is summed up with others may be above it, and so may what is paid for each unit without end.
    """
    floor, stacking = terms.policy.limits.only_above, terms.policy.stacking
    summed = stacking.incidents == "sum" or (
        len(terms.policy.commitments) > 1 and stacking.commitments == "sum"
    )
    at = terms.worst(*places(tier))
    if not floor or summed or at is None or (tier.upper == NO_LIMIT and tier.remedy.per == "unit"):
        return
    money = terms.paid([tier], at)[1].money
    for code, form in money.items():
        sum_of = sum_in(floor, code)
        if sum_of is not None and not form.is_nothing and never_above(form, line(0, sum_of)):
            yield (
                f"{tier.words} floor {code}", "limit-cuts",
                f"{said}, but limits.only_above is {decimal_text(sum_of / 10 ** minor_units(code))} {code}; in {code} it pays no money",
            )  # fmt: skip


def never_above(one: Form, other: Form, *, below: bool = False) -> bool:
    """Tell whether a form is for no base of 0 or more above another; below: whether it is below it for each base above 0."""
    crossings = _crossings({found for form in (one, other) for lines in form.of for found in lines})
    last = crossings[-1] if crossings else Fraction(0)
    # Between the bases at which lines cross, and beyond the last, both forms are straight: their ends and a slope say it all.
    near, far = (one.value(base) - other.value(base) for base in (last + 1, last + 2))
    at = [one.value(base) - other.value(base) for base in crossings]
    first = (crossings[0] if crossings else Fraction(1)) / 2
    if below:
        return (
            one.value(first) < other.value(first) and all(gap < 0 for gap in at) and near < 0 and far <= near
        )
    return one.value(0) <= other.value(0) and all(gap <= 0 for gap in at) and near <= 0 and far <= near


def _crossings(lines: Iterable[Line]) -> list[Fraction]:
    """Return the bases above 0 at which two of some lines meet, in order."""
    lines = list(lines)
    met = {(d - b) / (a - c) for (a, b), (c, d) in product(lines, lines) if a != c}
    return sorted(base for base in met if base > 0)
