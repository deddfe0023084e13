"""Earlier periods of a question, which give a right to terminate: what is stated of this period says nothing of them.

June 2022 is asked about, and May is the period before it.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.sla import asking
from tests.sla.asking import ladder, terms

Answer = dict[str, Any]
HEAD = 'format = 2\npolicy = "case"\nin_force_from = 2020-01-01\n[period]\nkind = "calendar-month"\nzone = "UTC"\n'
TWICE = terms(
    ladder([{"lt": "99", "credit": "25"}]),
    more='[[exclusions]]\nkinds = ["planned-maintenance"]\nnotice = "1 hour"\ntreated = "removed"\n'
    '[[termination]]\navailability_below = "99"\nperiods = 2\nof_last = 2\n',
)


def ask(text: str, **facts: Any) -> Answer:
    return asking.ask(facts, text)


def test_periods_before_are_read_without_the_windows_of_this_one() -> None:
    """Twice below 99% of the last two: June is, by its windows, and May was by its minutes."""
    windows = [["2022-06-10T00:00:00Z", "2022-06-12T00:00:00Z"]]
    for before, ends in (
        ({"downtime_days": 2}, True),
        ({"downtime_minutes": 1}, False),
        ({"availability": "98"}, True),
    ):
        assert ask(TWICE, period="2022-06", windows=windows, earlier=[before])["termination"] is ends
    exclusion = {
        "start": "2022-06-10T00:00:00Z",
        "end": "2022-06-11T00:00:00Z",
        "announced_at": "2022-06-01T00:00:00Z",
    }
    found = ask(
        TWICE, period="2022-06", windows=windows, earlier=[{"downtime_days": 2}], exclusions=[exclusion]
    )
    assert found["termination"] is True


def test_a_period_before_of_which_nothing_is_stated_was_up() -> None:
    """What happened in June says nothing of May."""
    windows = [["2022-06-10T00:00:00Z", "2022-06-12T00:00:00Z"]]
    assert ask(TWICE, period="2022-06", windows=windows, earlier=[{}])["termination"] is False
    messages = (
        HEAD + '[measure]\nof = "messages"\n[credit]\nrounding = "half-up"\n[[tiers]]\ncredit_percent = "5"\n'
    )
    messages += '[[termination]]\navailability_below = "99"\nperiods = 2\n'
    lost = [
        {
            "of": "messages",
            "start": "2022-06-10T00:00:00Z",
            "end": "2022-06-11T00:00:00Z",
            "failed": 5,
            "total": 10,
        }
    ]
    for before, ends in (({}, False), ({"failed": 1, "total": 2}, True)):
        assert ask(messages, period="2022-06", measurements=lost, earlier=[before])["termination"] is ends


def test_what_was_not_watched_in_this_period_says_nothing_of_the_one_before() -> None:
    """Two days of June have no data, which are down: June is below 99%, and May is not, of which nothing is stated."""
    text = TWICE.replace('of = "time"', 'of = "time"\nmissing = "down"')
    facts: Answer = {"period": "2022-06", "observed": [["2022-06-03T00:00:00Z", "2022-07-01T00:00:00Z"]]}
    assert ask(text, **facts, earlier=[{}])["termination"] is False
    assert ask(text, **facts, earlier=[{"availability": "98"}])["termination"] is True


@pytest.mark.parametrize("start", ["2022-06-01T00:00:00Z", "2022-05-01T00:00:00Z"])
def test_what_was_excluded_is_said_of_this_period_alone(start: str) -> None:
    """All of June is excluded, so it is up without any data; May without data is down, also where that exclusion began with May."""
    text = (
        HEAD
        + '[measure]\nof = "error-rate"\nbucket = "1 hour"\nmissing = "down"\n[[exclusions]]\nkinds = ["customer"]\n[credit]\nrounding = "half-up"\n'
    )
    text += '[[tiers]]\ncredit_percent = "5"\n[[termination]]\navailability_below = "99"\nperiods = 1\n'
    facts: Answer = {"measurements": [], "exclusions": [{"start": start, "end": "2022-07-01T00:00:00Z", "kind": "customer"}]}  # fmt: skip
    assert ask(text, period="2022-06", **facts)["termination"] is False
    assert ask(text, period="2022-06", **facts, earlier=[{}])["termination"] is True


def test_what_lay_in_an_earlier_period_is_stated_by_its_own_figures_alone() -> None:
    """All of May was down by a window, and by what was measured, which is stated of June: nothing is stated of May."""
    text = TWICE.replace('of = "time"', 'of = "time"\nreads = ["requests"]')
    months = {"start": "2022-05-01T00:00:00Z", "end": "2022-07-01T00:00:00Z"}
    may = {**months, "end": "2022-06-01T00:00:00Z", "of": "requests", "failed": 1, "total": 1}
    june = {**months, "start": "2022-06-01T00:00:00Z", "of": "requests", "failed": 1, "total": 1}
    for facts in ({"windows": [months]}, {"measurements": [may, june]}):
        assert ask(text, period="2022-06", **facts, earlier=[{}])["termination"] is False
        assert ask(text, period="2022-06", **facts, earlier=[{"availability": "98"}])["termination"] is True
