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
from ledger.domain.period import Period
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
from projections.evaluation.evidence import Evidence, Plain
from projections.evaluation.open_facts import Open, open_facts

F = Fraction
PERIOD = Period("p", "span", "UTC", 1_000, 2_000, "1970-01-01")
WORK = ExclusionRule(frozenset({"planned-maintenance"}))
EACH, UNION = Scope(), Scope("union")


def window(**changed: Any) -> Window:
    made = Window("i", "w", "mail", "*", "A", 1_100, 1_200, "outage")
    found: Window = msgspec.structs.replace(made, **changed)
    return found


def messages(failed: int = 5, total: int = 10, name: str = "m", **changed: Any) -> Measurement:
    made = Measurement("i", name, "mail", "*", "A", 1_100, 1_200, "messages", total, failed)
    found: Measurement = msgspec.structs.replace(made, **changed)
    return found


def off(name: str = "x", **changed: Any) -> Exclusion:
    made = Exclusion(name, "planned-maintenance", "mail", "*", "*", 1_100, 1_200)
    found: Exclusion = msgspec.structs.replace(made, **changed)
    return found


def facts(*of: Window | Measurement | Exclusion, **changed: Any) -> Evidence:
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
    commitments = tuple(
        Commitment("c", measure or Measure(), counting or Counting(frozenset({"outage"})), scope, ())
        for scope in scopes or (EACH,)
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


@pytest.mark.parametrize("fields", [("component",), ("region",), ("component", "region")])
def test_an_exclusion_nobody_knows_where_was_everywhere_or_nowhere(fields: tuple[str, ...]) -> None:
    one = off(**dict.fromkeys(fields, "unknown"))
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
