"""Each fact that is open, closed at its least and at its most: where it was, whose it was, what a measurement counted, on which days.

The period lasts from second 1,000 to second 2,000; the mail service is asked about in region A, and it is second 1,500 now.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from ledger.domain.exclusion import Exclusion
from ledger.domain.measurement import Measurement
from ledger.domain.policy.model import (
    Commitment,
    Counting,
    Credit,
    ExclusionRule,
    Measure,
    PeriodRule,
    Policy,
    Scope,
)
from ledger.domain.window import Window
from projections.evaluation.evidence import Evidence, Membership, Plain
from projections.evaluation.open_facts import Open, open_facts
from tests.sla.timelines import OUTAGE, PERIOD, off, window

F = Fraction
WORK = ExclusionRule(frozenset({"planned-maintenance"}))
EACH, UNION = Scope(), Scope("union")


def messages(failed: int = 5, total: int = 10, name: str = "m", **changed: Any) -> Measurement:
    made = Measurement("i", name, "mail", "*", "A", 1_100, 1_200, "messages", total, failed)
    found: Measurement = msgspec.structs.replace(made, **changed)
    return found


def facts(*of: Window | Measurement | Exclusion, **changed: Any) -> Evidence:
    """Return the evidence of some facts. changed: what else is stated or known, as the fields of `Evidence`."""
    every: dict[Any, Any] = {
        kind: tuple(one for one in of if isinstance(one, kind)) for kind in (Window, Measurement, Exclusion)
    }
    return Evidence(
        "mail", "A", PERIOD, 1_500, every[Window], every[Measurement], every[Exclusion], **changed
    )


def opened(
    evidence: Evidence,
    *scopes: Scope,
    measure: Measure | None = None,
    counting: Counting | None = None,
    rules: tuple[ExclusionRule, ...] = (WORK,),
) -> list[Open]:
    """Return what is open under one commitment for each scope: the words for it, and the evidence closed at its least and most."""
    commitments = tuple(
        Commitment("c", measure or Measure(), counting or OUTAGE, scope, ()) for scope in scopes or (EACH,)
    )
    policy = Policy(
        "p", "P", "2020-01-01", 2, PeriodRule("calendar-month", "UTC"), commitments, rules, Credit(), "half-up", ""
    )  # fmt: skip
    return list(open_facts(policy, evidence))


def closed(one: Any, least: dict[str, Any], most: dict[str, Any], *others: Any) -> tuple[Evidence, Evidence]:
    """The evidence of a fact and others with what is open of it at its least, and at its most."""
    low, high = (facts(msgspec.structs.replace(one, **ends), *others) for ends in (least, most))
    return low, high


# ---- windows ---------------------------------------------------------------------------------------------------------

EXACT = window(1_800, 1_900, "exact")


@pytest.mark.parametrize(
    ("one", "words", "least", "most"),
    [
        ({"share_at_most": "0.2"}, "the share that window i/w affected (from 0 to 0.2)",
         {"share_at_least": "0", "share_at_most": "0"}, {"share_at_least": "0.2", "share_at_most": "0.2"}),
        ({"share_at_least": "0.20"}, "the share that window i/w affected (from 0.20 to 1)",
         {"share_at_least": "0.20", "share_at_most": "0.20"}, {"share_at_least": "1", "share_at_most": "1"}),
        ({"effect": "delay"}, "the share that window i/w affected (from 0 to 1)",
         {"share_at_least": "0", "share_at_most": "0"}, {"share_at_least": "1", "share_at_most": "1"}),
        ({"end": None}, "when window i/w ended", {"end": 1_500}, {"end": 2_000}),
        # Begun after now: it may have ended at once.
        ({"start": 1_600, "end": None}, "when window i/w ended", {"end": 1_601}, {"end": 2_000}),
        ({"start": 1_499, "end": None}, "when window i/w ended", {"end": 1_500}, {"end": 2_000}),
        ({"start": 1_500, "end": None}, "when window i/w ended", {"end": 1_501}, {"end": 2_000}),
        ({"start_within_seconds": 10, "end_within_seconds": 20}, "the exact times of window i/w",
         {"start": 1_110, "end": 1_180, "start_within_seconds": 0, "end_within_seconds": 0},
         {"start": 1_090, "end": 1_220, "start_within_seconds": 0, "end_within_seconds": 0}),
        ({"start_within_seconds": 10}, "the exact times of window i/w", {"start": 1_110, "start_within_seconds": 0},
         {"start": 1_090, "start_within_seconds": 0}),
        ({"end_within_seconds": 10}, "the exact times of window i/w", {"end": 1_190, "end_within_seconds": 0},
         {"end": 1_210, "end_within_seconds": 0}),
        # Off by so much that nothing may be left of it.
        ({"start_within_seconds": 50, "end_within_seconds": 50}, "the exact times of window i/w",
         {"start": 1_150, "end": 1_150, "start_within_seconds": 0, "end_within_seconds": 0},
         {"start": 1_050, "end": 1_250, "start_within_seconds": 0, "end_within_seconds": 0}),
        ({"start_within_seconds": 50, "end_within_seconds": 49}, "the exact times of window i/w",
         {"start": 1_150, "end": 1_151, "start_within_seconds": 0, "end_within_seconds": 0},
         {"start": 1_050, "end": 1_249, "start_within_seconds": 0, "end_within_seconds": 0}),
        ({"region": "unknown"}, "whether window i/w was in A", {"region": ""}, {"region": "A"}),
        ({"region": "unknown", "regions": ("A", "B")}, "whether window i/w was in A", {"region": ""}, {"region": "A"}),
    ],
)  # fmt: skip
def test_what_is_open_of_a_window_is_closed_at_both_ends(
    one: dict[str, Any], words: str, least: dict[str, Any], most: dict[str, Any]
) -> None:
    unsure = window(**{"start": 1_100, **one})
    before = window(1_700, 1_750, "before")
    assert opened(facts(before, unsure, EXACT)) == [
        (
            words,
            facts(before, msgspec.structs.replace(unsure, **least), EXACT),
            facts(before, msgspec.structs.replace(unsure, **most), EXACT),
        )
    ]


@pytest.mark.parametrize(
    "one",
    [
        {}, {"share_at_least": "0.5", "share_at_most": "0.5"}, {"region": "B"}, {"region": "unknown", "regions": ("B",)},
        # Open, but of no weight.
        {"end": None, "withdrawn": True}, {"end": None, "service": "web"}, {"end": None, "start": 2_000},
        {"effect": "delay", "start": 500, "end": 1_000}, {"cohort": "beta", "withdrawn": True}, {"cohort": "beta", "service": "web"},
    ],
)  # fmt: skip
def test_what_is_exact_or_does_not_count_is_not_open(one: dict[str, Any]) -> None:
    last = window(name="last", effect="delay")
    assert [words for words, _, _ in opened(facts(window(**one), last))] == [
        "the share that window i/last affected (from 0 to 1)"
    ]


def test_a_tolerance_of_an_open_window_is_not_one_of_its_end() -> None:
    unsure = window(end=None, start_within_seconds=10)
    assert [words for words, _, _ in opened(facts(unsure))] == ["when window i/w ended"]


def test_an_open_window_that_can_only_have_ended_after_the_period() -> None:
    late = Evidence("mail", "A", PERIOD, 2_500, (window(1_999, None),))
    ((_, least, most),) = opened(late)
    assert (least.windows[0].end, most.windows[0].end) == (2_500, 2_500)


def test_who_is_in_a_cohort_is_asked_once_for_all_its_windows() -> None:
    evidence = facts(
        window(cohort="beta"), window(1_300, 1_400, "v", cohort="beta"), window(1_500, 1_600, "u", cohort="alpha"),
        window(1_700, 1_800, "t", cohort="known"), memberships={"known": Membership(True, "e")},
    )  # fmt: skip
    known = {"known": Membership(True, "e")}
    assert opened(evidence) == [
        (
            f"whether the customer is in cohort {name!r}",
            msgspec.structs.replace(evidence, memberships={**known, name: Membership(False, "")}),
            msgspec.structs.replace(evidence, memberships={**known, name: Membership(True, "")}),
        )
        for name in ("beta", "alpha")
    ]


def test_a_share_that_ends_beside_a_number_is_closed_beside_it() -> None:
    """More than 0.05, and less than a half: as it is said, on the side that is said."""
    one = window(share_at_least="0.05", share_at_most="0.5", share_sides=(1, -1))
    assert opened(facts(one)) == [
        (
            "the share that window i/w affected (from more than 0.05 to less than 0.5)",
            *closed(
                one,
                {"share_at_most": "0.05", "share_sides": (1, 1)},
                {"share_at_least": "0.5", "share_sides": (-1, -1)},
            ),
        )
    ]
    half = window(share_at_least="0.05", share_at_most="0.5", share_sides=(0, -1))
    ((words, low, high),) = opened(facts(half))
    assert words == "the share that window i/w affected (from 0.05 to less than 0.5)"
    assert [end.windows[0].share_sides for end in (low, high)] == [(0, 0), (-1, -1)]


@pytest.mark.parametrize("scopes", [(Scope("union"),), (Scope("union"), Scope("union"))])
def test_any_region_counts_unless_an_exclusion_names_one(scopes: tuple[Scope, ...]) -> None:
    one, named = window(region="unknown"), off(region="B")
    assert opened(facts(one), *scopes) == []
    assert opened(facts(one, off()), *scopes) == []
    assert opened(facts(one, msgspec.structs.replace(named, withdrawn=True)), *scopes) == []
    assert opened(facts(one, named), *scopes) == [
        ("where window i/w was", *closed(one, {"region": "B"}, {"region": ""}, named))
    ]
    # Beside a commitment for each region it is asked whether it was in this one.
    assert opened(facts(one, named), *scopes, EACH)[0] == (
        "whether window i/w was in A",
        *closed(one, {"region": ""}, {"region": "A"}, named),
    )


INBOX = Scope(components=("archive", "inbox"))


@pytest.mark.parametrize(
    ("affected", "asked"), [((), "archive"), (("inbox", "outbox"), "inbox"), (("outbox",), None)]
)
def test_whether_a_window_was_of_a_component_is_open_as_far_as_its_incident_has_it(
    affected: tuple[str, ...], asked: str | None
) -> None:
    one = window(component="unknown", components=affected)
    expected = [] if asked is None else [
        (f"whether window i/w was of {asked}", *closed(one, {"component": ""}, {"component": asked}))
    ]  # fmt: skip
    assert opened(facts(one), INBOX) == expected


def test_where_no_component_is_asked_for_it_matters_to_an_exclusion_of_one() -> None:
    one, work = window(component="unknown"), off(component="inbox")
    assert opened(facts(one)) == []
    assert opened(facts(one, off())) == []
    assert opened(facts(one, work)) == [
        ("of which component window i/w was", *closed(one, {"component": "inbox"}, {"component": ""}, work))
    ]


# ---- exclusions ------------------------------------------------------------------------------------------------------


def test_an_exclusion_of_one_customer_is_open_until_the_customer_is_known() -> None:
    one = off(customer="Acme")
    others = (
        msgspec.structs.replace(one, exclusion="gone", withdrawn=True), msgspec.structs.replace(one, exclusion="all", customer=None),
    )  # fmt: skip
    evidence = facts(window(), *others, one)
    general = msgspec.structs.replace(one, customer=None)
    assert opened(evidence) == [
        (
            "whether exclusion 'x' is about the customer",
            msgspec.structs.replace(evidence, exclusions=(*others, general)),
            msgspec.structs.replace(evidence, exclusions=others),
        )
    ]
    assert opened(msgspec.structs.replace(evidence, customer="Acme")) == []


@pytest.mark.parametrize("fields", [("component",), ("region",), ("component", "region")])
def test_an_exclusion_nobody_knows_where_was_everywhere_or_nowhere(fields: tuple[str, ...]) -> None:
    one = msgspec.structs.replace(off(), **dict.fromkeys(fields, "unknown"))
    assert opened(facts(one)) == [
        ("where exclusion 'x' was", *closed(one, dict.fromkeys(fields, "*"), dict.fromkeys(fields, "")))
    ]


@pytest.mark.parametrize(
    "changed", [{"withdrawn": True}, {"kind": "customer"}, {"service": "web"}, {"region": "B"}]
)
def test_an_exclusion_that_is_not_read_or_said_where_is_not_open(changed: dict[str, Any]) -> None:
    assert opened(facts(off(**{"region": "unknown", **changed}))) == []
    own = msgspec.structs.replace(WORK, own_plan_only=True)
    assert opened(facts(off(region="unknown")), rules=(own,)) == []


# ---- measurements ----------------------------------------------------------------------------------------------------

SENT = Measure("messages", ("messages",))


@pytest.mark.parametrize(
    ("where", "scope", "words", "there"),
    [
        ({"region": "unknown"}, EACH, "in A", {"region": "A"}),
        ({"region": "unknown", "component": "inbox"}, INBOX, "in A", {"region": "A"}),
        ({"component": "unknown"}, INBOX, "of archive", {"component": "archive"}),
        ({"component": "unknown", "components": ("inbox",)}, INBOX, "of inbox", {"component": "inbox"}),
        ({"component": "unknown", "region": "unknown"}, INBOX, "in A and of archive", {"component": "archive", "region": "A"}),
        # What is of all the regions of its incident is of this one, too.
        ({"component": "unknown", "region": "*"}, INBOX, "of archive", {"component": "archive", "region": "A"}),
    ],
)  # fmt: skip
def test_a_measurement_nobody_knows_where_was_left_out_or_made_here(
    where: dict[str, Any], scope: Scope, words: str, there: dict[str, Any]
) -> None:
    one, sure = messages(**where), messages(name="sure", component="inbox")
    assert opened(facts(one, sure), scope, measure=SENT) == [
        (
            f"whether measurement i/m was {words}",
            facts(sure),
            facts(msgspec.structs.replace(one, **there), sure),
        )
    ]
    # Several commitments that ask the same ask it once.
    assert len(opened(facts(one, sure), scope, scope, measure=SENT)) == 1


def test_each_of_several_measurements_is_open_by_itself() -> None:
    both = [messages(name=name, region="unknown") for name in ("m", "n")]
    over = [messages(name=name, start=900, end=1_100) for name in ("o", "p")]
    assert [words for words, _, _ in opened(facts(*both, *over), measure=SENT)] == [
        "whether measurement i/m was in A",
        "whether measurement i/n was in A",
        "how much of measurement i/o was in the period",
        "how much of measurement i/p was in the period",
    ]


@pytest.mark.parametrize(
    ("one", "work", "words", "span"),
    [
        (messages(start=900, end=1_100), None, "in the period", (1_000, 1_100)),
        (messages(start=1_900, end=2_100), None, "in the period", (1_900, 2_000)),
        # What is excluded of it lies first, last, or in its midst.
        (messages(), off(end=1_150), "in time that is not excluded", (1_150, 1_200)),
        (messages(), off(start=1_150, end=1_250), "in time that is not excluded", (1_100, 1_150)),
        (messages(), off(start=1_120, end=1_130), "in time that is not excluded", (1_100, 1_120)),
        (messages(start=900), off(end=1_150), "in the period", (1_000, 1_100)),
    ],
)
def test_how_much_of_a_measurement_counts_is_closed_at_what_passed_and_what_failed(
    one: Measurement, work: Exclusion | None, words: str, span: tuple[int, int]
) -> None:
    """Of ten five failed: only those that passed were in the time that counts, or only those that failed."""
    others = [] if work is None else [work]
    start, end = span
    assert opened(facts(one, *others), measure=SENT) == [
        (
            f"how much of measurement i/m was {words}",
            *closed(
                one,
                {"start": start, "end": end, "failed": 0, "total": 5},
                {"start": start, "end": end, "failed": 5, "total": 5},
                *others,
            ),
        )
    ]


@pytest.mark.parametrize(("failed", "total"), [(0, 10), (0, 0), (10, 10)])
def test_of_a_measurement_in_which_nothing_or_all_failed_none_may_have_counted(
    failed: int, total: int
) -> None:
    ((_, low, high),) = opened(facts(messages(failed, total, start=900, end=1_100)), measure=SENT)
    passed, lost = low.measurements[0], high.measurements[0]
    assert [(one.failed, one.total) for one in (passed, lost)] == [(0, total - failed), (failed, failed)]


@pytest.mark.parametrize(
    ("one", "work", "measure"),
    [
        (messages(), None, SENT),
        (messages(), off(start=1_200, end=1_300), SENT),
        (messages(), off(), SENT),
        (messages(start=900, end=1_100), off(start=900), SENT),
        # Buckets have times of their own, so that each part of a measurement is as it is.
        (messages(start=900, end=1_100, of="requests"), None, Measure("error-rate", ("requests",), bucket_seconds=100)),
    ],
)  # fmt: skip
def test_a_measurement_of_which_all_or_nothing_counts_is_not_open(
    one: Measurement, work: Exclusion | None, measure: Measure
) -> None:
    assert opened(facts(one, *([] if work is None else [work])), measure=measure) == []


# ---- plain figures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("downtime", "the exact downtime"),
        ("availability", "the exact availability"),
        ("value", "the exact value"),
    ],
)
def test_a_plain_figure_is_closed_at_both_ends(name: str, words: str) -> None:
    def stated(low: Fraction, high: Fraction) -> Evidence:
        return facts(plain=Plain(**{"excluded": F(7), name: (low, high)}))  # type: ignore[arg-type]

    low, high = F(1, 4), F(1, 2)
    assert opened(stated(low, high)) == [(words, stated(low, low), stated(high, high))]
    assert opened(stated(low, low)) == []


def test_the_share_of_a_plain_outage_is_closed_at_both_ends() -> None:
    def stated(*outages: tuple[int, Fraction, Fraction]) -> Evidence:
        return facts(plain=Plain(outages=tuple((F(seconds), low, high) for seconds, low, high in outages)))

    sure, last = (60, F(1), F(1)), (10, F(1, 2), F(1, 2))
    low, high = F(1, 4), F(3, 4)
    assert opened(stated(sure, (30, low, high), last)) == [
        (
            "the share that outage 2 affected",
            stated(sure, (30, low, low), last),
            stated(sure, (30, high, high), last),
        )
    ]


DAILY = Counting(frozenset({"outage"}), minimum=F(60), unless_daily_total_above=F(120))


def lasting(*seconds: int) -> Plain:
    return Plain(outages=tuple((F(one), F(1), F(1)) for one in seconds))


@pytest.mark.parametrize(
    ("plain", "counting", "is_open"),
    [
        (lasting(59, 100), DAILY, True),
        (lasting(100, 59), DAILY, True),
        (Plain(downtime=(F(59), F(59))), DAILY, True),
        # Long enough, each of them; and where no day has a limit, short ones never count.
        (lasting(60, 100), DAILY, False),
        (Plain(downtime=(F(60), F(60))), DAILY, False),
        (lasting(59, 100), msgspec.structs.replace(DAILY, unless_daily_total_above=None), False),
        (lasting(59, 100), msgspec.structs.replace(DAILY, minimum=None), False),
        (Plain(value=(F(1), F(1))), DAILY, False),
    ],
)
def test_on_which_days_short_outages_were_is_open_where_a_day_has_a_limit(
    plain: Plain, counting: Counting, is_open: bool
) -> None:
    apart, together = (facts(plain=msgspec.structs.replace(plain, gathered=one)) for one in (False, True))
    expected = [("on which days the short outages were", apart, together)] if is_open else []
    assert opened(facts(plain=plain), counting=counting) == expected
    assert opened(apart, counting=counting) == []
