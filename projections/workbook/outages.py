"""The sheet Outages: of each segment the outage through its end, where terms ask how long one lasts or count whole quanta."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from projections.workbook.book import Column, Table
from projections.workbook.cells import Formula
from projections.workbook.lasting import ROUNDED_ALONE, Side, asks_outages, is_valid
from projections.workbook.model import Case, Model

__all__ = ["Places", "eligible", "lines", "rows_of", "table"]

_SIDES = {"stated": "as stated", "least": "at least", "most": "at most"}


class Places(NamedTuple):
    """Where the sheet stands, and what it reads: rows by case, of scopes those on Coverage; terms: rows on Inputs by policy."""

    outages: Table
    outage_rows: Mapping[int, tuple[int, int]]
    segments: Table
    segment_rows: Mapping[int, tuple[int, int]]
    coverage: Table
    coverage_rows: Mapping[int, tuple[int, int]]
    scope_rows: Mapping[int, int]
    terms: Table
    inputs: Mapping[int, int]


def rows_of(model: Model) -> tuple[dict[int, tuple[int, int]], int]:
    """Return the first and the last row of each case that asks for outages, and how many lines there are."""
    found: dict[int, tuple[int, int]] = {}
    count = 0
    for case in model.cases:
        if asks_outages(case.group.policy):
            found[case.number] = count + 2, count + 1 + len(case.segments)
            count += len(case.segments)
    return found, count


def table(count: int) -> Table:
    """Return the table of so many lines."""

    def formula(heading: str, width: int = 12) -> Column:
        return Column(heading, "integer", "formula", width)

    columns = {
        "case": Column("case", "integer", width=6),
        "segment": Column("segment", "integer", width=9),
        "counted": formula("counted (s)"),
    }
    for side, words in _SIDES.items():
        columns |= {
            f"{side}_begin": formula(f"{words}: down since (s), -1 where it is not"),
            f"{side}_lasts": formula(f"{words}: that outage lasts (s)"),
        }
        if side != "stated":
            columns |= {
                f"{side}_kept": formula(f"{words}: lasts long enough (parts of a second)"),
                f"{side}_counted": formula(f"{words}: counts here, in whole quanta (s)"),
                f"{side}_until": formula(f"{words}: slots touched until (s)"),
            }
    return Table("Outages", columns, count)


def lines(model: Model, places: Places) -> Iterator[list[Any]]:
    """Yield the lines: for each segment of a case that asks for outages one, in their order."""
    for case in model.cases:
        if case.number in places.outage_rows:
            for place in range(len(case.segments)):
                made = _Line(case, place, places)
                line = made.line()
                yield [line[name] for name in places.outages.columns]


class _Line:
    """One row: formulas beside their values."""

    def __init__(self, case: Case, place: int, places: Places) -> None:
        first, last = places.outage_rows[case.number]
        self.case, self.place = case, place
        self.counting = case.group.policy.commitments[0].counting
        letters, row = places.outages.letters, first + place
        self.at, before, behind = (
            {name: f"{letter}{number}" for name, letter in letters.items()}
            for number in (row, row - 1, row + 1)
        )
        self.before = before if place else None
        self.behind = behind if row < last else None
        self.segment = {
            name: places.segments.cell(name, places.segment_rows[case.number][0] + place)
            for name in places.segments.letters
        }
        self.next_end = places.segments.cell("to", places.segment_rows[case.number][0] + place + 1)
        here = places.scope_rows[case.scope]
        self.valid = places.coverage.cell("most_from", here), places.coverage.cell("most_to", here)
        self.validity = next(cover.most for cover in case.covers if cover.scope == case.scope)
        self.edge = places.terms.cell("share_edge", case.policy + 1)
        self.least, self.quantum = (f"Inputs!${letter}${places.inputs[case.policy]}" for letter in "DF")

    def line(self) -> dict[str, Any]:
        """Return all columns."""
        found = self.case.lasting[self.place]
        counted = self.case.segments[self.place].counted(self.case.edge)
        keeps = self.counting.minimum is None or found.stated.lasts >= self.counting.minimum
        keeps = keeps and is_valid(self.case.segments[self.place], self.validity)
        return {
            "case": self.case.number, "segment": self.place + 1,
            "counted": Formula(
                f"IF({self._counts('stated')},{self.segment['counted']},0)", counted if keeps and found.stated.begin >= 0 else 0
            ),
            **self._run("stated", found.stated, f"{self.segment['stated_share']}>{self.edge}", "outside_surely"),
            **self._run("least", found.least, f"{self.segment['least_weight']}>0", "outside_most"),
            **self._run("most", found.most, f"{self.segment['most_weight']}>0", "outside_surely"),
            **self._kept("least", found.least), **self._kept("most", found.most),
        }  # fmt: skip

    def _long(self, side: str) -> str:
        """Return whether there is an outage that lasts long enough."""
        there = f"{self.at[f'{side}_begin']}>=0"
        if self.counting.minimum is None:
            return there
        return f"AND({there},{self.at[f'{side}_lasts']}>={self.least})"

    def _counts(self, side: str) -> str:
        """Return whether there is one that does, in a segment that is valid."""
        inside = f"{self.segment['from']}>={self.valid[0]},{self.segment['to']}<={self.valid[1]}"
        return f"AND({self._long(side)},{inside})"

    def _run(self, side: str, found: Side, down: str, outside: str) -> dict[str, Any]:
        segment, begin, lasts = self.segment, f"{side}_begin", f"{side}_lasts"
        start, end, seconds = (segment[name] for name in ("from", "to", "seconds"))
        out = segment[outside] if self.case.excludes else ""
        here = f"AND({down},{seconds}>{out or 0})"
        since = f"{start}+{out}" if out else start
        if self.before is None:
            began = f"IF({here},{since},-1)"
        else:
            earlier = self.before[begin]
            continues = f"AND({out}=0,{earlier}>=0)" if out else f"{earlier}>=0"
            # Two changes may fall together: what lies between them is nothing, and ends nothing.
            began = f"IF({seconds}=0,{earlier},IF({here},IF({continues},{earlier},{since}),-1))"
        alone = f"{end}-{self.at[begin]}"
        if self.behind is not None:
            alone = f"IF({self.behind[begin]}={self.at[begin]},{self.behind[lasts]},{alone})"
        return {
            begin: Formula(began, found.begin),
            lasts: Formula(f"IF({self.at[begin]}<0,0,{alone})", found.lasts),
        }

    def _kept(self, side: str, found: Side) -> dict[str, Any]:
        counts = self._counts(side)
        return {
            f"{side}_kept": Formula(f"IF({counts},{self.segment[side]},0)", found.kept),
            f"{side}_counted": self._counted(side, found, counts),
            f"{side}_until": self._until(side, found, counts),
        }

    def _ends(self, side: str) -> str:
        """Return whether the outage ends here; "" where it surely does."""
        begin = f"{side}_begin"
        return "" if self.behind is None else f"{self.behind[begin]}<>{self.at[begin]}"

    def _is_last(self, side: str, counts: str) -> str:
        """Return whether the valid part of an outage ends here."""
        if not self._ends(side):
            return counts
        return f"AND({counts},OR({self._ends(side)},{self.next_end}>{self.valid[1]}))"

    def _counted(self, side: str, found: Side, counts: str) -> Any:
        """Return what counts here of an outage that is rounded alone."""
        if self.counting.quantise not in ROUNDED_ALONE:
            return None
        begin, lasts, end, quantum = (
            self.at[f"{side}_begin"],
            self.at[f"{side}_lasts"],
            self.segment["to"],
            self.quantum,
        )
        before = "0" if self.before is None else self.before[f"{side}_until"]
        first, valid = f"MAX({self.segment['from']},{begin})", f"MAX({begin},{self.valid[0]})"
        whole = f"INT({lasts}/{quantum})*{quantum}"
        added = f"-INT(-{lasts}/{quantum})*{quantum}-{lasts}"
        quanta = {
            "each-up": f"{end}-{first}+"
            + (f"IF({self._ends(side)},{added},0)" if self._ends(side) else f"({added})"),
            "each-down": f"MIN({end}-{begin},{whole})-MIN({first}-{begin},{whole})",
            "slots-touched": f"-INT(-{end}/{quantum})*{quantum}-MAX(INT({valid}/{quantum})*{quantum},{before})",
            "slots-filled": f"MAX(0,INT({end}/{quantum})+INT(-{valid}/{quantum}))*{quantum}",
        }[self.counting.quantise]
        where = self._is_last(side, counts) if self.counting.quantise.startswith("slots") else counts
        return Formula(f"IF({where},{quanta},0)", found.counted)

    def _until(self, side: str, found: Side, counts: str) -> Any:
        if self.counting.quantise != "slots-touched":
            return None
        before = "0" if self.before is None else self.before[f"{side}_until"]
        end, quantum = self.segment["to"], self.quantum
        return Formula(
            f"IF({self._is_last(side, counts)},-INT(-{end}/{quantum})*{quantum},{before})", found.until
        )


def eligible(case: Case, side: str, places: Places) -> str:
    """Return the formula of what counts at least or at most, in parts of a second."""
    rows, coverage = places.outage_rows[case.number], places.coverage
    span = {name: places.outages.span(name, name, rows) for name in places.outages.letters}
    quantum = f"Inputs!$F${places.inputs[case.policy]}"
    kept, counted = f"SUM({span[f'{side}_kept']})", f"SUM({span[f'{side}_counted']})"
    match case.group.policy.commitments[0].counting.quantise:
        case "exact":
            return kept
        case "total-down":
            return f"INT({kept}/{quantum})*{quantum}"
        case "total-up":
            return f"-INT(-{kept}/{quantum})*{quantum}"
        case "each-up":
            # Where the facts are bounds, outages may join, or be cut, within them.
            pieces = coverage.span("pieces", "pieces", places.coverage_rows[case.number])
            joined = (
                f"-INT(-{kept}/{quantum})*{quantum}" if side == "least" else f"IF({kept}>0,SUM({pieces}),0)"
            )
            return f"IF(SUMPRODUCT(({span['least_begin']}<>{span['most_begin']})*1)=0,{counted},{joined})"
        case _:
            return counted
