"""The sheets that hold what is put in: Inputs, Events, Intervals and the text of the policies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from ledger.domain.events import EFFECTS
from ledger.domain.money import decimal_text, minor_units
from ledger.domain.policy import Policy
from ledger.domain.policy.model import Counting
from ledger.domain.window import Window
from projections.workbook.book import Block, Book, Column, Table
from projections.workbook.cells import Formula, Moment, Styled, listed
from projections.workbook.exclusions import notice_of, recorded_rules
from projections.workbook.lasting import asks_outages, counts_quanta
from projections.workbook.model import Model, by_lifetime, has_gaps
from projections.workbook.modelling import reason_for_values
from projections.workbook.remedies import MODES, percent_of
from projections.workbook.remedy_inputs import columns_for, remedy_inputs

__all__ = [
    "NEARLY_NOTHING", "NEARLY_SAME", "WAYS", "Inputs", "exclusions", "inputs", "intervals", "policy_texts",
]  # fmt: skip

NEARLY_NOTHING = Decimal("0.000001")
NEARLY_SAME = Decimal("0.0000000000001")
WAYS = ("full", "by-share", "above-share", "all")


class Inputs(NamedTuple):
    """Where the inputs stand: the row on the sheet of each policy, of each tier, of each scope and of the effects.

    rules: by policy and rule, both from 1, that of each rule for recorded exclusions. gaps: of each tier the row that says where it
    ends, none where no terms leave gaps. outages: by policy, from 1, the row that says which outages count, and how.
    """

    policies: list[int]
    tiers: list[int]
    scopes: list[int]
    effects: int
    rules: dict[tuple[int, int], int]
    gaps: list[int]
    outages: dict[int, int]


def inputs(book: Book, model: Model, period: str, as_of: int | None, currencies: Sequence[str]) -> Inputs:
    """Add the sheet Inputs and give its cells their names."""
    widths = (24, 24, 12, 14, 18, 20, 20, 16, 12, 12, 10, 14, 11, 10, 11, 12)
    block = Block(book, "Inputs", (*widths, *columns_for(model, currencies)))
    block.add(Styled(book.style("title"), "Inputs"))
    note = book.style("note")
    block.add(Styled(note, "Cells on yellow ground may be changed; everything that is calculated follows."))
    _single(book, block, model, period, as_of)
    block.add()
    effects, policies = _policies(book, block, model)
    block.add()
    tiers = _tiers(book, block, model)
    block.add()
    gaps = _gaps(book, block, model)
    outages = _outages(book, block, model)
    _lengths(book, block, model)
    remedy_inputs(book, block, model, tiers, currencies)
    rules = _rules(book, block, model)
    _roundings(book, block)
    block.add()
    _currencies(book, block, currencies)
    block.add()
    scopes = _scopes(book, block, model)
    sheet = book.block(block)
    from openpyxl.worksheet.datavalidation import DataValidation

    for letter, rows, choices in (
        ("H", policies, WAYS),
        ("P", policies, MODES),
        ("J", policies, ("TRUE", "FALSE")),
        ("F", tiers, ("TRUE", "FALSE")),
        ("F", gaps, ("TRUE", "FALSE")),
    ):
        if rows:
            choice = DataValidation("list", formula1=f'"{",".join(choices)}"', allow_blank=False)
            choice.add(f"{letter}{rows[0]}:{letter}{rows[-1]}")
            sheet.add_data_validation(choice)
    return Inputs(policies, tiers, scopes, effects, rules, gaps, outages)


def _single(book: Book, block: Block, model: Model, period: str, as_of: int | None) -> None:
    units = model.units
    block.heading("name", "value", "what it is")
    for name, looks, value, words in (
        ("period", "text", period, "the month, in the zone of each policy"),
        ("as_of", "moment", None if as_of is None else Moment(as_of),
         "UTC; an interval without an end lasts until then at least. Empty: until the end of the period"),
        ("share_units", "integer", units.share, "parts in which a share is counted; all of it is this many"),
        ("edge_units", "integer", units.edge, "parts in which a bound of availability is counted; 100% is this many"),
        ("credit_units", "integer", units.credit, "parts in which a credit is counted; the whole fee is this many"),
        ("seconds_per_day", "integer", 86_400, "a time in a cell is a number of days"),
        ("seconds_per_minute", "integer", 60, "minutes are shown, seconds decide"),
        ("hundred", "integer", 100, "percent"),
        ("undecided", "text", "undecided", "stands where the bounds of the facts allow several amounts"),
        ("whole_effect", "text", "outage", "the effect that touches all where no share was said"),
        ("way_full", "text", WAYS[0], "an interval counts in full"),
        ("way_by_share", "text", WAYS[1], "each second counts by the share that was touched"),
        ("way_above_share", "text", WAYS[2], "a second counts in full where more than a share was touched"),
        ("way_all", "text", WAYS[3], "a second counts in full where all was touched"),
        *(
            [("way_user_minutes", "text", "user-minutes", "each second counts by the shares that were touched, added up")]
            if model.adds_shares
            else []
        ),
        ("nearly_nothing", "decimal", NEARLY_NOTHING, "differences below this come from binary fractions"),
        ("nearly_same", "exponent", NEARLY_SAME, "and so do differences below this part of a number"),
        ("exact_limit", "integer", 10**15, "a spreadsheet keeps 15 digits: integers below this are exact"),
    ):  # fmt: skip
        row = block.add(name, Styled(book.style("input", looks), value), Styled(book.style("note"), words))
        book.name(name, block.address("B", row))
    twice = Formula("credit_units+credit_units", 2 * units.credit)
    row = block.add(
        "credit_units_twice", Styled(book.style("formula", "integer"), twice),
        Styled(book.style("note"), "for ties that go to the even neighbour"),
    )  # fmt: skip
    book.name("credit_units_twice", block.address("B", row))


def _policies(book: Book, block: Block, model: Model) -> tuple[int, list[int]]:
    block.add(Styled(book.style("title"), "Policies"))
    effects = block.heading(
        "no", "policy", "version", "in force from", "zone", "period from (UTC)", "period to (UTC)",
        "intervals count", "if share above", "planned counts", *EFFECTS, "rounding", numbers="ACDFGIJKLMNO",
    )  # fmt: skip
    book.name("effects", f"Inputs!$K${effects}:${chr(ord('K') + len(EFFECTS) - 1)}${effects}")
    style = book.style
    rows = []
    for number, (version, policy, group) in enumerate(model.policies, 1):
        head = (
            number, policy.key, version, Styled(style("given", "date"), date.fromisoformat(policy.in_force_from)),
            policy.zone,
        )  # fmt: skip
        span = (Moment(group.period.start), Moment(group.period.end))
        if number > model.live:
            # What has no formula has nothing that may be changed.
            block.add(*head, *(Styled(style("value", "moment"), moment) for moment in span),
                      Styled(style("value"), reason_for_values(policy)))  # fmt: skip
            continue
        above = None if policy.share_above is None else Decimal(decimal_text(policy.share_above))
        rows.append(
            block.add(
                *head, *(Styled(style("input", "moment"), moment) for moment in span),
                # Shares that add up are other formulas; whole quanta, and parts of the period, are never counted by share.
                Styled(style("input" if _may_change(policy) else "given"), policy.windows),
                # Where rules name exclusions they say what of planned work counts.
                Styled(style("input", "decimal"), above),
                Styled(style("given" if recorded_rules(policy) else "input", "flag"), policy.planned_counts),
                *(Styled(style("input", "flag"), effect in policy.effects) for effect in EFFECTS),
                Styled(style("input"), policy.rounding),
            )
        )  # fmt: skip
    return effects, rows


def _may_change(policy: Policy) -> bool:
    """Tell whether another way to count intervals has the same formulas."""
    return policy.windows in WAYS and not counts_quanta(policy) and not by_lifetime(policy)


def _tiers(book: Book, block: Block, model: Model) -> list[int]:
    block.add(Styled(book.style("title"), "Tiers, from the best availability to the worst"))
    block.heading(
        "policy no", "policy", "version", "tier", "availability from (%)", "that bound belongs to it",
        "pays (% of fee)", "as published", numbers="ACDEFG",
    )  # fmt: skip
    style = book.style
    rows = []
    for number, (version, policy, _) in enumerate(model.policies[: model.live], 1):
        for place, tier in enumerate(policy.tiers, 1):
            rows.append(
                block.add(
                    number, policy.key, version, place,
                    Styled(style("input", "decimal"), Decimal(decimal_text(tier.lower * 100))),
                    Styled(style("input", "flag"), tier.lower_included),
                    Styled(style("given"), None)
                    if tier.remedy.percent is None
                    else Styled(style("input", "decimal"), Decimal(decimal_text(percent_of(tier)))),
                    tier.words,
                )
            )  # fmt: skip
    return rows


def _gaps(book: Book, block: Block, model: Model) -> list[int]:
    """Add where tiers end, where any terms leave gaps between them, and return the rows."""
    if not model.has_gaps:
        return []
    block.add(Styled(book.style("title"), "Gaps between tiers: both neighbours are possible there"))
    block.heading(
        "policy no", "policy", "version", "tier", "availability to (%), empty where the tier before begins",
        "that bound belongs to it", numbers="ACDEF",
    )  # fmt: skip
    style = book.style
    rows = []
    for number, (version, policy, _) in enumerate(model.policies[: model.live], 1):
        for place, tier in enumerate(policy.tiers, 1):
            apart = place > 1 and has_gaps(policy)
            ends = Styled(style("input", "decimal"), Decimal(decimal_text(tier.upper * 100)))
            belongs = Styled(style("input", "flag"), tier.upper_included)
            rows.append(
                block.add(number, policy.key, version, place, *((ends, belongs) if apart else (None, None)))
            )
    block.add()
    return rows


def _outages(book: Book, block: Block, model: Model) -> dict[int, int]:
    """Add how long an outage has to last, and in which quanta it counts, where any terms say that; return the rows by policy."""
    asking = [
        (number, version, policy)
        for number, (version, policy, _) in enumerate(model.policies[: model.live], 1)
        if asks_outages(policy)
    ]
    if not asking:
        return {}
    block.add(Styled(book.style("title"), "Outages"))
    block.heading(
        "policy no",
        "policy",
        "version",
        "lasts at least (s), empty for any",
        "whole quanta",
        "quantum (s)",
        numbers="ACDF",
    )
    style, rows = book.style, {}
    for number, version, policy in asking:
        counting = policy.commitments[0].counting
        # What the terms do not have cannot be put in: it is not laid out.
        least, quantum = (
            Styled(style("given"), None) if value is None else Styled(style("input", "integer"), value)
            for value in (
                None if counting.minimum is None else int(counting.minimum),
                counting.quantum if counts_quanta(policy) else None,
            )
        )
        rows[number] = block.add(number, policy.key, version, least, _quanta(counting), quantum)
    block.add()
    return rows


def _lengths(book: Book, block: Block, model: Model) -> None:
    """Add how long a period is taken to be, where any terms say that."""
    if not model.has_lengths:
        return
    block.add(Styled(book.style("title"), "Length of a period"))
    block.heading("policy no", "policy", "version", "length (s), empty where it is its own", numbers="ACD")
    rows = []
    for number, (version, policy, _) in enumerate(model.policies[: model.live], 1):
        length = policy.period.length_seconds
        shown = (
            Styled(book.style("given"), None)
            if length is None
            else Styled(book.style("input", "integer"), int(length))
        )
        rows.append(block.add(number, policy.key, version, shown))
    book.name("period_length", f"Inputs!$D${rows[0]}:$D${rows[-1]}")
    block.add()


def _rules(book: Book, block: Block, model: Model) -> dict[tuple[int, int], int]:
    """Add the rules for recorded exclusions, where there are any."""
    rules = [
        (number, policy, version, *found)
        for number, (version, policy, _) in enumerate(model.policies[: model.live], 1)
        for found in recorded_rules(policy)
    ]
    if not rules:
        return {}
    block.add(Styled(book.style("title"), "Exclusion rules"))
    block.heading(
        "policy no", "policy", "version", "rule", "kinds", "notice asked for (s), 0 for none", "at most (s), empty for all",
        "of each", numbers="ACDFG",
    )  # fmt: skip
    style = book.style
    found = {}
    for number, policy, version, place, rule in rules:
        # A limit that is not there cannot be put in: what it would be counted over is not laid out.
        most = (
            Styled(style("given"), None)
            if rule.most is None
            else Styled(style("input", "integer"), int(rule.most))
        )
        found[number, place] = block.add(
            number, policy.key, version, place, listed(sorted(rule.kinds)),
            Styled(style("input", "integer"), notice_of(rule)), most, None if rule.most is None else rule.most_per,
        )  # fmt: skip
    block.add()
    return found


def _roundings(book: Book, block: Block) -> None:
    block.add(Styled(book.style("title"), "Rounding"))
    block.heading("mode", "adds of the divisor", "and", "ties go to even", numbers="BCD")
    style = book.style
    rows = [
        block.add(
            mode, Styled(style("given", "decimal"), Decimal(part)), Styled(style("given", "integer"), offset),
            Styled(style("given", "flag"), even),
        )
        for mode, (part, offset, even) in MODES.items()
    ]  # fmt: skip
    for name, letter in (
        ("rounding_modes", "A"), ("rounding_part", "B"), ("rounding_offset", "C"), ("rounding_even", "D"),
    ):  # fmt: skip
        book.name(name, f"Inputs!${letter}${rows[0]}:${letter}${rows[-1]}")


def _currencies(book: Book, block: Block, currencies: Sequence[str]) -> None:
    block.add(Styled(book.style("title"), "Currencies (ISO 4217)"))
    block.heading("currency", "minor units in one", "decimals", numbers="BC")
    style = book.style
    for code in currencies:
        digits = minor_units(code)
        row = block.add(
            code,
            Styled(style("given", "integer"), 10**digits),
            Styled(style("given", "integer"), digits),
        )
        book.name(f"minor_units_{code}", f"Inputs!$B${row}")
        book.name(f"decimals_{code}", f"Inputs!$C${row}")


def _scopes(book: Book, block: Block, model: Model) -> list[int]:
    block.add(
        Styled(book.style("title"), "Scopes: subscriptions that share policy, service, region and validity")
    )
    block.heading(
        "scope", "policy", "policy no", "version", "service", "valid from (UTC)", "valid to (UTC)", "region", "subscriptions", "customers",
        numbers="ACDFGI",
    )  # fmt: skip
    style = book.style
    return [
        block.add(
            scope.number, scope.group.policy.key, scope.policy, scope.group.version, scope.group.service,
            Styled(style("input", "moment"), Moment(scope.group.valid[0])),
            Styled(style("input", "moment"), Moment(scope.group.valid[1])), scope.group.region,
            Styled(style("given", "integer"), scope.subscriptions), scope.circle or None,
        )
        for scope in model.scopes
    ]  # fmt: skip


def intervals(book: Book, model: Model) -> Table:
    """Add the sheet of the impact windows as they are known: facts that may be changed, and their shares in parts."""
    table = Table(
        "Intervals",
        {
            "no": Column("no", "integer", width=6),
            "incident": Column("incident", width=20),
            "window": Column("window", width=20),
            "service": Column("service", width=16),
            "component": Column("component", width=14),
            "region": Column("region", width=10),
            "start": Column("start (UTC)", "moment", "input", 20),
            "end": Column("end (UTC), empty while open", "moment", "input", 20),
            "seconds": Column("seconds (s)", "integer", "formula", 11),
            "effect": Column("effect", "text", "input", 14),
            "share_at_least": Column("share at least", "decimal", "input", 10),
            "share_at_most": Column("share at most", "decimal", "input", 10),
            "least_share": Column("share at least (parts)", "integer", "formula", 10),
            "most_share": Column("share at most (parts)", "integer", "formula", 10),
            "share_of": Column("share of", width=10),
            "start_within": Column("start within (s)", "integer", "input", 10),
            "end_within": Column("end within (s)", "integer", "input", 10),
            "planned_start": Column("scheduled from (UTC)", "moment", width=20),
            "planned_end": Column("scheduled to (UTC)", "moment", width=20),
            "announced": Column("announced (UTC)", "moment", width=20),
            "cohort": Column("cohort", width=10),
            "approximate": Column("times approximate", "flag", width=12),
            "withdrawn": Column("withdrawn", "flag", width=10),
            "basis": Column("basis", width=10),
            "entries": Column("entries", width=40),
        },
        len(model.windows),
    )
    moment = book.style("input", "moment")

    def lines() -> Iterator[list[Any]]:
        for number, window in enumerate(model.windows, 1):
            yield _interval(table, number, window, moment, model.units.share)

    book.table(table, lines, freeze=3)
    return table


def _interval(table: Table, number: int, window: Window, moment: int, parts: int) -> list[Any]:
    at = {name: f"{letter}{number + 1}" for name, letter in table.letters.items()}
    planned = window.planned
    low, high = window.share_at_least, window.share_at_most
    least = (
        int(Fraction(low) * parts)
        if low is not None
        else parts
        if high is None and window.effect == "outage"
        else 0
    )
    return [
        number, window.incident, window.window, window.service, window.component, window.region,
        Moment(window.start), None if window.end is None else Moment(window.end),
        Formula(
            f'IF({at["end"]}="","",ROUND(({at["end"]}-{at["start"]})*seconds_per_day,0))',
            "" if window.end is None else window.end - window.start,
        ),
        window.effect, None if low is None else Decimal(low), None if high is None else Decimal(high),
        Formula(
            f'IF({at["share_at_least"]}<>"",ROUND({at["share_at_least"]}*share_units,0),'
            f'IF(AND({at["share_at_most"]}="",{at["effect"]}=whole_effect),share_units,0))',
            least,
        ),
        Formula(
            f'IF({at["share_at_most"]}="",share_units,ROUND({at["share_at_most"]}*share_units,0))',
            parts if high is None else int(Fraction(high) * parts),
        ),
        window.share_of, window.start_within_seconds, window.end_within_seconds,
        # Work that was not planned stays so here: which pieces it falls into is not a matter of a cell.
        None if planned is None else Styled(moment, Moment(planned.scheduled_start)),
        None if planned is None else Styled(moment, Moment(planned.scheduled_end)),
        None if planned is None else Moment(planned.announced_at),
        window.cohort, window.approximate, window.withdrawn, window.basis, listed(window.entries),
    ]  # fmt: skip


def exclusions(book: Book, model: Model) -> Table | None:
    """Add the sheet of the recorded exclusions that formulas read, and return its table; None where they read none."""
    if not model.exclusions:
        return None
    table = Table(
        "Exclusions",
        {
            "no": Column("no", "integer", width=6),
            "exclusion": Column("exclusion", width=24),
            "kind": Column("kind", width=22),
            "service": Column("service", width=16),
            "component": Column("component", width=14),
            "region": Column("region", width=10),
            "start": Column("start (UTC)", "moment", "input", 20),
            "end": Column("end (UTC)", "moment", "input", 20),
            "seconds": Column("seconds (s)", "integer", "formula", 11),
            "announced": Column("announced (UTC)", "moment", "input", 20),
            "customer": Column("customer", width=16),
            "cohort": Column("cohort", width=10),
            "entries": Column("entries", width=40),
        },
        len(model.exclusions),
    )
    start, end = table.letters["start"], table.letters["end"]
    book.table(
        table,
        lambda: (
            [
                number, one.exclusion, one.kind, one.service, one.component, one.region, Moment(one.start), Moment(one.end),
                Formula(f"ROUND(({end}{number + 1}-{start}{number + 1})*seconds_per_day,0)", one.end - one.start),
                None if one.announced_at is None else Moment(one.announced_at), one.customer, one.cohort,
                listed(one.entries),
            ]
            for number, one in enumerate(model.exclusions, 1)
        ),
        freeze=2,
    )  # fmt: skip
    return table


def policy_texts(book: Book, policies: Sequence[tuple[str, int, Policy, str]]) -> None:
    """Add the sheet with the text of each policy, line by line, as it was published."""
    lines = [
        (key, version, date.fromisoformat(policy.in_force_from), policy.zone, policy.sha256, number, line)
        for key, version, policy, terms in policies
        for number, line in enumerate(terms.splitlines(), 1)
    ]
    table = Table(
        "Policy",
        {
            "policy": Column("policy", width=20),
            "version": Column("version", "integer", width=8),
            "in force from": Column("in force from", "date", width=12),
            "zone": Column("zone", width=14),
            "sha256": Column("sha256", width=66),
            "line": Column("line", "integer", width=6),
            "terms": Column("terms", width=90),
        },
        len(lines),
    )
    book.table(table, lambda: lines)


def _quanta(counting: Counting) -> str:
    """Return how downtime is brought to quanta, and what half of one comes to where that is asked."""
    ties = f", ties {counting.ties}" if counting.quantise.endswith("-nearest") else ""
    return counting.quantise + ties
