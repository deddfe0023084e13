"""Facts that say when it was, as a question states them: windows, measurements and exclusions."""

from __future__ import annotations

from typing import Any, get_args

from ledger.domain.events import EFFECTS, Basis
from ledger.domain.exclusion import Exclusion
from ledger.domain.instants import from_seconds
from ledger.domain.measurement import Measurement
from ledger.domain.policy.grammar import EXCLUSION_KINDS, MEASURED
from ledger.domain.window import EVERY, Planned, Window
from projections.evaluation import values
from projections.evaluation.reader import SHARE_BOUNDS, Reader, flag, part

__all__ = ["EXCLUSION", "MEASUREMENT", "WINDOW", "exclusion", "measurement", "window"]

WINDOW = (
    "incident", "window", "service", "component", "region", "start", "end", "effect", "share", *SHARE_BOUNDS, "share_of",
    "basis", "quote", "approximate", "start_within_seconds", "end_within_seconds", "cohort", "planned", "withdrawn",
)  # fmt: skip
MEASUREMENT = (
    "incident", "measurement", "service", "component", "region", "start", "end", "of", "total", "failed", "value", "unit",
    "statistic",
)  # fmt: skip
EXCLUSION = (
    "exclusion", "kind", "service", "component", "region", "start", "end", "announced_at", "customer", "cohort",
)  # fmt: skip


def window(inner: Reader) -> Window | None:
    """Return an impact window; None, with a sentence, where its times are no span."""
    start, end = inner.instant("start"), inner.instant("end")
    inner.required("start")
    if start is None:
        return None
    if end is not None and not inner.in_order(start, end, "a window is [start, end)"):
        return None
    least, most = part(inner, "share")
    # What it rests on is for who reads the facts; nothing is computed from it.
    inner.text("quote")
    planned = inner.facts.get("planned")
    index = inner.index
    return Window(
        incident=inner.text("incident", f"incident-{index}"), window=inner.text("window", f"window-{index}"),
        service=inner.text("service", ""), component=inner.text("component", EVERY), region=inner.text("region", EVERY),
        start=start, end=end, effect=inner.choice("effect", EFFECTS, "outage"), share_at_least=least and least[0],
        share_at_most=most and most[0], share_sides=(least[1] if least else 0, most[1] if most else 0),
        share_of=inner.text("share_of"), approximate=inner.read("approximate", flag, False),
        start_within_seconds=inner.count("start_within_seconds") or 0, end_within_seconds=inner.count("end_within_seconds") or 0,
        basis=inner.choice("basis", get_args(Basis)), cohort=inner.text("cohort"), planned=None if planned is None else _planned(inner, planned),
        withdrawn=inner.read("withdrawn", flag, False),
    )  # fmt: skip


def _planned(outer: Reader, value: Any) -> Planned | None:
    names = ("announced_at", "scheduled_start", "scheduled_end")
    if type(value) is not dict:
        outer.wrong("planned", f"is not an object with {', '.join(names)}")
        return None
    inner = Reader(value, names, f"{outer.where}planned.", outer.problems)
    inner.required(*names)
    announced, start, end = (inner.instant(name) for name in names)
    if announced is None or start is None or end is None:
        return None
    if not inner.in_order(start, end, "exchange them", of="scheduled_"):
        return None
    if announced >= end:
        inner.wrong(
            "announced_at",
            f"{from_seconds(announced)} is not before scheduled_end {from_seconds(end)}: what is over is not planned; correct one of them",
        )
        return None
    return Planned(announced, start, end)


def measurement(inner: Reader) -> Measurement | None:
    """Return a measurement; None, with a sentence, where it cannot be told of what and when it is."""
    span = inner.span("it is [start, end)")
    of = inner.choice("of", MEASURED)
    inner.required("of")
    if span is None or of is None:
        return None
    inner.within_years(*span)
    failed, total, value = (
        inner.count("failed"),
        inner.count("total"),
        inner.read("value", lambda one: str(values.decimal(one))),
    )
    if value is not None:
        value = str(inner.facts["value"])
    if (failed is None) == (value is None):
        inner.wrong("failed", "or value: state one of them")
    if failed is not None and (total is None or failed > total):
        inner.wrong("total", "is missing or less than failed; state both")
    if total is not None and failed is None and value is not None:
        inner.wrong("total", "has no meaning beside value; leave it out")
    index = inner.index
    return Measurement(
        incident=inner.text("incident", f"incident-{index}"), measurement=inner.text("measurement", f"measurement-{index}"),
        service=inner.text("service", ""), component=inner.text("component", EVERY), region=inner.text("region", EVERY),
        start=span[0], end=span[1], of=of, total=total, failed=failed, value=value, unit=inner.text("unit"),
        statistic=inner.text("statistic"),
    )  # fmt: skip


def exclusion(inner: Reader) -> Exclusion | None:
    """Return excludable time; None, with a sentence, where its times are no span."""
    span = inner.span("it is [start, end)")
    kind = inner.choice("kind", EXCLUSION_KINDS, "planned-maintenance")
    if span is None:
        return None
    return Exclusion(
        exclusion=inner.text("exclusion", f"exclusion-{inner.index}"), kind=kind, service=inner.text("service", EVERY),
        component=inner.text("component", EVERY), region=inner.text("region", EVERY), start=span[0], end=span[1],
        announced_at=inner.instant("announced_at"), customer=inner.text("customer"), cohort=inner.text("cohort"),
    )  # fmt: skip
