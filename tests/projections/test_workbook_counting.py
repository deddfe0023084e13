"""Formulas of what counts, such as gaps, least durations and quanta: an independent engine finds each cell, and follows an input that is changed.

What the ledger makes of the changed terms or facts is what the recalculated workbook has to show.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

import ledger
from ledger.domain.policy import parse_policy
from ledger.domain.window import Planned, Window
from projections.workbook.modelling import reason_for_values
from tests.projections.following import (
    FEW,
    OPEN,
    agrees,
    follows,
    moment,
    reasons,
    same_amounts,
    some_exclusions,
)
from tests.projections.priced_march import (
    ABOVE,
    ALL,
    BY_SHARE,
    DAY,
    GAPS,
    HOUR,
    IN_FULL,
    MARCH,
    PERCENTS,
    USERS,
    MonthFacts,
    other,
    priced,
    terms,
    write,
)
from tests.projections.recalculating import changed, credits_of, find, input_of
from tests.projections.slow_calculator import read


@st.composite
def some_parts_of_hours(draw: st.DrawFn) -> Window:
    """A window that may touch others, or begin where another ends; planned or not, of a known or an unknown share, place and end."""
    start = MARCH + draw(st.integers(0, 8)) * 900 + draw(st.sampled_from([0, 0, 10 * DAY]))
    low, high = draw(st.sampled_from([("1", "1"), ("1", "1"), ("0.25", "0.25"), ("0", "0.5"), ("0.5", "1")]))
    until = start + draw(st.sampled_from([60, 300, 900, 1_800, 2_677, DAY]))
    plan = Planned(start - draw(st.sampled_from([0, DAY])), start + 120, start + 1_020)
    return Window(
        f"i-{draw(st.integers(1, 2))}", f"w-{draw(st.integers(1, 99))}", "email", "*", draw(st.sampled_from(["*", "*", "EMEA", "unknown"])),
        start, draw(st.sampled_from([until] * 7 + [None])), "outage", share_at_least=low, share_at_most=high,
        start_within_seconds=draw(st.sampled_from([0, 0, 0, 120])), end_within_seconds=draw(st.sampled_from([0, 0, 0, 61])),
        planned=draw(st.sampled_from([None, None, None, plan])),
    )  # fmt: skip


@FEW
@given(data=st.data())
def test_every_formula_of_what_counts_gives_its_cell_and_follows_a_change(
    tmp_path_factory: Any, data: st.DataObject
) -> None:
    """Least durations, whole quanta, shares of users that add up, and gaps between tiers; then other terms, then a window that begins a minute earlier."""
    folder = tmp_path_factory.mktemp("counted")
    windows = data.draw(st.lists(some_parts_of_hours(), min_size=1, max_size=4))
    exclusions = data.draw(st.lists(some_exclusions(), max_size=1))
    facts = MonthFacts(
        windows, exclusions, MARCH + data.draw(st.sampled_from([31, 31, 1])) * DAY, frozenset()
    )
    texts = {
        key: terms(
            key, data.draw(some_counting()), data.draw(st.sampled_from(["", RULES])), data.draw(st.sampled_from([PERCENTS, GAPS])),
            "half-up",
        ).replace('zone = "UTC"\n', data.draw(st.sampled_from(['zone = "UTC"\n', 'zone = "UTC"\n', LIFETIME])))
        for key in "ab"
    }  # fmt: skip
    table = read(
        [
            {"customer": "Acme", "service": "email", "region": "EMEA", "policy": key, "currency": "USD", "fee": "100.00",
             "valid_from": first, "valid_to": last}
            for key, first, last in (("a", "2022-01-01", ""), ("b", "2022-01-01", ""), ("a", "2022-03-11", ""), ("b", "2022-03-01", "2022-03-12"))
        ]
    )  # fmt: skip
    found = priced(texts, table, facts)
    path = folder / "c.xlsx"
    assert write(path, texts, found, facts) == write(folder / "again.xlsx", texts, found, facts)
    book = agrees(path)
    same_amounts(book, found)
    said = reasons(book)
    event(f"{said}")
    assert said <= {"formulas", *(f"value: no formula for {one}" for one in (*OPEN, *BESIDE))}
    follows(folder, texts, {key: other(text) for key, text in texts.items()}, table, facts, facts)
    moved = [msgspec.structs.replace(windows[0], start=windows[0].start - 60), *windows[1:]]
    # Of what began before the period no formula knows.
    inside = moved[0].start - moved[0].start_within_seconds >= MARCH
    if (
        inside
        and len(set(windows)) == len(windows)
        and sorted(moved, key=_place) == [moved[at] for at in _order(windows)]
    ):
        follows(folder, texts, texts, table, facts, facts._replace(windows=moved))


RULES = '[[exclusions]]\nkinds = ["planned-maintenance", "third-party", "force-majeure"]\n'


MODES = (
    "exact",
    "each-up",
    "each-down",
    "total-up",
    "total-down",
    "total-nearest",
    "slots-touched",
    "slots-filled",
)


LIFETIME = 'zone = "UTC"\npart = "lifetime"\n'


BESIDE = (
    "shares of a part of the period", "gaps between tiers of a part of the period",
    "gaps between tiers of a part of the period, shares of a part of the period",
    "exclusions of some windows and not of others", "outages that are rounded up one by one beside exclusions",
    "outages that are rounded up one by one, of which not all times are known", "outages that go on over the edge of the period",
)  # fmt: skip


@st.composite
def some_counting(draw: st.DrawFn) -> str:
    """Shares, least durations and whole quanta."""
    text = draw(st.sampled_from([IN_FULL, IN_FULL, IN_FULL, ABOVE, ALL, BY_SHARE, USERS]))
    if text != USERS and draw(st.booleans()):
        text += f'minimum = "{draw(st.sampled_from(["5 minutes", "40 minutes"]))}"\n'
    if text not in (USERS, BY_SHARE) and '"affected-share"' not in text and draw(st.integers(0, 3)):
        text += f'quantise = "{draw(st.sampled_from(MODES[1:]))}"\nquantum = "{draw(st.sampled_from(["7 minutes", "1 hour"]))}"\n'
        text += (
            f'ties = "{draw(st.sampled_from(["up", "down", "even"]))}"\n' if '"total-nearest"' in text else ""
        )
    return text


def _place(window: Window) -> tuple[Any, ...]:
    """Return by what windows are in order on Intervals."""
    return window.start, window.incident, window.window, repr(window)


def _order(windows: Sequence[Window]) -> list[int]:
    return sorted(range(len(windows)), key=lambda at: _place(windows[at]))


def test_in_a_gap_two_tiers_are_possible_until_an_edge_is_moved(tmp_path: Path) -> None:
    """Exactly 99.0% of a quarter of 90 days: 10% or 25%; one second more or less, or a tier that begins there, decides it."""
    key = "github-enterprise-cloud"
    texts = {key: (Path(ledger.__file__).parent / "policies" / f"{key}.toml").read_text(encoding="utf-8")}
    line = {"customer": "Acme", "service": "email", "region": "EMEA", "policy": key, "currency": "USD", "fee": "100.00",
            "valid_from": "2022-01-01", "valid_to": ""}  # fmt: skip
    edge = MARCH + 90 * DAY // 100
    facts = MonthFacts(
        [Window("i", "w", "email", "*", "EMEA", MARCH, edge, "outage")], [], MARCH + 31 * DAY, frozenset()
    )
    found = priced(texts, read([line]), facts)
    path = tmp_path / "c.xlsx"
    write(path, texts, found, facts)
    assert reasons(agrees(path)) == {"formulas"}
    same_amounts(agrees(path), found)
    book = openpyxl.load_workbook(path)
    end = find(book, "Intervals", "end (UTC), empty while open", window="w")
    belongs = input_of(book, "Gaps", "that bound belongs to it", 1, key, 1, 3)

    def credit(changes: dict[str, Any]) -> tuple[Any, ...]:
        (shown,) = credits_of(changed(path, changes)).values()
        return tuple(shown[name] for name in ("credit at least", "credit at most", "credit"))

    assert credit({}) == (10, 25, "undecided")
    assert credit({end: moment(edge - 1)}) == (10, 10, 10)
    assert credit({end: moment(edge + 1)}) == (25, 25, 25)
    assert credit({belongs: True}) == (25, 25, 25)


def eligible(book: openpyxl.Workbook) -> list[tuple[Any, ...]]:
    """Return of each scope its downtime, what is excluded, and what counts at least and at most, in seconds."""
    heading, *scopes = book["Calculation"].iter_rows(values_only=True)
    names = (
        "downtime (s)", "excluded (s)", "eligible downtime at least (s)", "eligible downtime at most (s)",
    )  # fmt: skip
    return [tuple(scope[heading.index(name)] for name in names) for scope in scopes]


def down(start: int, seconds: int, **more: Any) -> Window:
    return Window(
        "i", f"w-{start}", "email", "*", "EMEA", MARCH + start, MARCH + start + seconds, "outage", **more
    )


LINE = {"customer": "Acme", "service": "email", "region": "EMEA", "currency": "USD", "fee": "100.00", "valid_from": "2022-01-01",
        "valid_to": ""}  # fmt: skip


def test_an_outage_that_is_too_short_is_dropped_and_another_is_cut_to_whole_minutes(tmp_path: Path) -> None:
    """59 seconds; 40 and 40 that touch, so 80; 119: with a minute at least 60 + 60 count, with 81 seconds 60, by 7 seconds 77 + 119."""
    texts = {
        "a": terms(
            "a",
            f'{IN_FULL}minimum = "1 minute"\nquantise = "each-down"\nquantum = "1 minute"\n',
            "",
            PERCENTS,
            "half-up",
        )
    }
    facts = MonthFacts(
        [down(0, 59), down(100, 40), down(140, 40), down(900, 119)], [], MARCH + 31 * DAY, frozenset()
    )
    found = priced(texts, read([{**LINE, "policy": "a"}]), facts)
    path = tmp_path / "c.xlsx"
    write(path, texts, found, facts)
    assert reasons(agrees(path)) == {"formulas"}
    book = openpyxl.load_workbook(path)
    least, quantum = (
        input_of(book, "Outages", name, 1, "a")
        for name in ("lasts at least (s), empty for any", "quantum (s)")
    )
    assert eligible(agrees(path)) == [(258, 59, 120, 120)]
    assert eligible(changed(path, {least: 81})) == [(258, 139, 60, 60)]
    assert eligible(changed(path, {quantum: 7})) == [(258, 59, 196, 196)]
    # Where the two do not touch they are two outages, and both are too short.
    end = find(book, "Intervals", "end (UTC), empty while open", window="w-100")
    assert eligible(changed(path, {end: moment(MARCH + 139)})) == [(257, 138, 60, 60)]


def test_slots_are_counted_where_they_are_filled_or_touched_and_a_lifetime_is_a_period_of_its_own(
    tmp_path: Path,
) -> None:
    """From second 100 to 700, and from 800 to 850: slots of 300 seconds are filled from 300 to 600, touched from 0 to 900."""
    texts = {
        key: terms(key, f'{IN_FULL}quantise = "{mode}"\nquantum = "5 minutes"\n', "", PERCENTS, "half-up").replace(*part)
        for key, mode, part in (
            ("a", "slots-filled", ("", "")), ("b", "slots-touched", ("", "")), ("c", "slots-filled", ('"UTC"\n', '"UTC"\npart = "lifetime"\n')),
        )
    }  # fmt: skip
    facts = MonthFacts([down(100, 600), down(800, 50)], [], MARCH + 31 * DAY, frozenset())
    lines = [{**LINE, "policy": key} for key in "abc"]
    lines[2]["valid_to"] = "2022-03-02"
    found = priced(texts, read(lines), facts)
    path = tmp_path / "c.xlsx"
    write(path, texts, found, facts)
    book = agrees(path)
    assert reasons(book) == {"formulas"}
    assert [one[2:] for one in eligible(book)] == [(300, 300), (900, 900), (300, 300)]
    # 300 seconds of a month are nothing; of one day they are more than 0.1%, and of four days less.
    assert [line["credit"] for line in credits_of(book).values()] == [0, 0, 10]
    until = input_of(openpyxl.load_workbook(path), "Scopes", "valid to (UTC)", 3, "c")
    assert [
        line["credit"] for line in credits_of(changed(path, {until: moment(MARCH + 4 * DAY)})).values()
    ] == [0, 0, 0]


@pytest.mark.parametrize(
    "mode", ["exact", "each-up", "each-down", "total-up", "slots-touched", "slots-filled"]
)
def test_where_a_subscription_begins_no_outage_does(tmp_path: Path, mode: str) -> None:
    """Eleven minutes, 7 before midnight and 4 behind it: both subscriptions have their part, of ten minutes at least."""
    counting = f'minimum = "10 minutes"\nquantise = "{mode}"\n' + (
        'quantum = "3 minutes"\n' if mode != "exact" else ""
    )
    texts = {"a": terms("a", f"{IN_FULL}{counting}", "", PERCENTS, "half-up")}
    facts = MonthFacts(
        [down(DAY - 420, 420), down(DAY, 240), down(DAY - 900, 60)], [], MARCH + 31 * DAY, frozenset()
    )
    lines = [
        {**LINE, "policy": "a", "valid_to": "2022-03-02"},
        {**LINE, "policy": "a", "valid_from": "2022-03-02"},
    ]
    found = priced(texts, read(lines), facts)
    path = tmp_path / "c.xlsx"
    write(path, texts, found, facts)
    assert reasons(agrees(path)) == {"formulas"}
    same_amounts(agrees(path), found)
    counted = {
        "exact": (420, 240), "each-up": (420, 300), "each-down": (420, 120), "total-up": (540, 360), "slots-touched": (540, 360),
        "slots-filled": (360, 180),
    }[mode]  # fmt: skip
    assert [one[2] for one in eligible(agrees(path))] == list(counted)
    # Put in, a least duration that all of it does not reach.
    least = input_of(openpyxl.load_workbook(path), "Outages", "lasts at least (s), empty for any", 1, "a")
    assert [one[2] for one in eligible(changed(path, {least: 660}))] == list(counted)
    assert [one[2] for one in eligible(changed(path, {least: 661}))] == [0, 0]


@pytest.mark.parametrize("mode", ["exact", "each-up"])
def test_an_outage_that_goes_on_outside_of_the_period_is_a_value(tmp_path: Path, mode: str) -> None:
    """Nine minutes before the month, and nine in it: an outage of 18, of which the nine count."""
    texts = {
        "a": terms("a", f'{IN_FULL}minimum = "10 minutes"\nquantise = "{mode}"\n', "", PERCENTS, "half-up")
    }
    facts = MonthFacts([down(-540, 540), down(0, 540)], [], MARCH + 31 * DAY, frozenset())
    found = priced(texts, read([{**LINE, "policy": "a"}]), facts)
    path = tmp_path / "c.xlsx"
    write(path, texts, found, facts)
    book = agrees(path)
    assert reasons(book) == {"value: no formula for outages that go on over the edge of the period"}
    assert eligible(book) == [(540, 0, 540, 540)]


def test_outages_rounded_up_one_by_one_of_which_times_are_not_known_are_a_value(tmp_path: Path) -> None:
    texts = {
        "a": terms("a", f'{IN_FULL}quantise = "each-up"\nquantum = "5 minutes"\n', "", PERCENTS, "half-up")
    }
    about = {"start_within_seconds": 60, "end_within_seconds": 60}
    facts = MonthFacts(
        [down(1_740, 600, **about), down(1_980, 420, **about)], [], MARCH + 31 * DAY, frozenset()
    )
    found = priced(texts, read([{**LINE, "policy": "a"}]), facts)
    path = tmp_path / "c.xlsx"
    write(path, texts, found, facts)
    book = agrees(path)
    assert reasons(book) == {
        "value: no formula for outages that are rounded up one by one, of which not all times are known"
    }
    # One outage of 9 to 13 minutes.
    assert [one[2:] for one in eligible(book)] == [(600, 900)]


def test_what_is_open_leaves_outages_between_bounds(tmp_path: Path) -> None:
    """30 minutes that perhaps began 10 minutes later: rounded up alone to hours they are one hour either way, to 7 minutes 21 to 42."""
    texts = {"a": terms("a", f'{IN_FULL}quantise = "each-up"\nquantum = "1 hour"\n', "", PERCENTS, "half-up")}
    facts = MonthFacts([down(6_000, 1_800, start_within_seconds=600)], [], MARCH + 31 * DAY, frozenset())
    found = priced(texts, read([{**LINE, "policy": "a"}]), facts)
    path = tmp_path / "c.xlsx"
    write(path, texts, found, facts)
    assert eligible(agrees(path)) == [(1_800, 0, HOUR, HOUR)]
    quantum = input_of(openpyxl.load_workbook(path), "Outages", "quantum (s)", 1, "a")
    assert eligible(changed(path, {quantum: 420})) == [(1_800, 0, 1_260, 2_520)]


def test_outages_that_last_long_enough_count_by_share_where_that_is_put_in(tmp_path: Path) -> None:
    """4 minutes are too short; of 10 minutes a quarter, and of 20 that touch all, count: 30 minutes, or 22.5 by share."""
    full, by_share = (
        {"a": terms("a", f'{counting}minimum = "5 minutes"\n', "", PERCENTS, "half-up")}
        for counting in (IN_FULL, BY_SHARE)
    )
    quarter = {"share_at_least": "0.25", "share_at_most": "0.25"}
    facts = MonthFacts(
        [down(0, 240), down(6_000, 600, **quarter), down(6_600, 1_200)], [], MARCH + 31 * DAY, frozenset()
    )
    table = read([{**LINE, "policy": "a"}])
    path = tmp_path / "c.xlsx"
    write(path, full, priced(full, table, facts), facts)
    way = input_of(openpyxl.load_workbook(path), "Policies", "intervals count", 1, "a")
    assert eligible(agrees(path)) == [(2_040, 240, 1_800, 1_800)]
    assert eligible(changed(path, {way: "by-share"})) == [(2_040, 240, 1_350, 1_350)]
    (after,) = priced(by_share, table, facts).groups
    assert after.assessment.eligible_at_least == 1_350


def test_of_the_policies_that_come_along_these_are_values() -> None:
    """What reads measurements, counts events, or promises several things."""
    folder = Path(ledger.__file__).parent / "policies"
    said = {
        path.stem: reason_for_values(parse_policy(path.read_text(encoding="utf-8")))
        for path in folder.glob("*.toml")
    }
    assert {key for key, reason in said.items() if reason} == {
        "aws-dynamodb-standard", "aws-s3-infrequent-access", "aws-s3-standard", "azure-functions-consumption",
        "trend-micro-hosted-email-2019", "verizon-managed-email",
    }  # fmt: skip
    assert len(said) == 23
