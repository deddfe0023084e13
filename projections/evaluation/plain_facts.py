"""Figures of a question that do not say when it was: downtime, an availability, counts, outages, rates, exactly or as bounds."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from ledger.domain.ends import ENDLESS, above, below, whole_down, whole_up
from ledger.domain.period import Period
from ledger.domain.policy.model import Policy
from projections.availability import exact_text
from projections.evaluation.evidence import Plain
from projections.evaluation.reader import (
    BOUNDS,
    SHARE_BOUNDS,
    UNITS,
    Reader,
    Said,
    each,
    end_of,
    part,
    spellings,
)

__all__ = ["LASTING", "PLAIN", "plain_of"]

_LENGTHS = (
    "downtime", *(f"downtime{bound}" for bound in BOUNDS), "excluded_downtime", "excluded", "unobserved",
)  # fmt: skip
_BOUNDED = ("availability", "value", "failed", "total")
PLAIN = (
    *(spelled for name in _LENGTHS for unit in UNITS for spelled in spellings(name, unit)),
    *(f"{name}{bound}" for name in _BOUNDED for bound in ("", *BOUNDS)),
    "outages", "users", "error_rates",
)  # fmt: skip
# Plain figures that are a part of the length of the period.
LASTING = (
    *(spelled for name in _LENGTHS for unit in UNITS for spelled in spellings(name, unit)), "outages", "error_rates",
)  # fmt: skip


def _pair(
    reader: Reader, name: str, read: Callable[[str], Fraction | None], top: Fraction, *, whole: bool = False
) -> tuple[Fraction, Fraction] | None:
    """Return the ends of a figure that is stated exactly, or by bounds; None where it is not.

    top: the end of what is not bounded above. whole: it is a whole number, so that "more than 2" is 3 or more.
    """
    exact, *bounds = (read(f"{name}{bound}") for bound in ("", *BOUNDS))
    least, over, most, under = bounds
    given = [f"{name}{bound}" for bound, end in zip(BOUNDS, bounds, strict=True) if end is not None]
    if exact is not None:
        if given:
            reader.wrong(name, f"is stated exactly, and {given[0]} as a bound; leave one out")
        return exact, exact
    if not given:
        return None
    for one, other, side in ((least, over, given[0]), (most, under, given[-1])):
        if one is not None and other is not None:
            reader.wrong(side, "is one of two bounds on the same side; leave one out")
    low = above(over) if over is not None else Fraction(0) if least is None else least
    high = below(under) if under is not None else top if most is None else most
    if whole:
        low, high = whole_up(low), whole_down(high)
    if low > high and least is not None and most is not None:
        reader.wrong(f"{name}_at_least", "is more than what it is at most; exchange them")
    elif low > high and high == top:
        reader.wrong(given[0], f"leaves nothing, as it is {exact_text(top)} at most; correct it")
    elif low > high:
        reader.wrong(given[-1], "leaves nothing between the bounds; correct one of them")
    return low, high


def plain_of(reader: Reader, policy: Policy, period: Period | None) -> Plain:
    """Return the figures that are stated without saying when; of several commitments each may need one of its own."""
    kinds = len(policy.commitments) > 1
    lengths = {name: reader.length(name) for name in _LENGTHS}
    lasts = Fraction(period.seconds) if period is not None else ENDLESS
    uptime = _pair(reader, "availability", reader.decimal, Fraction(100))
    counted = any(one.measure.of == "events" or one.measure.is_days for one in policy.commitments)
    value = _pair(reader, "value", reader.whole if counted else reader.decimal, ENDLESS, whole=counted)
    downtime = _pair(
        reader, "downtime", lambda name: lengths[name], max([lasts, *filter(None, (lengths["downtime_at_least"], lengths["downtime_above"]))])
    )  # fmt: skip
    if downtime is not None and lengths["downtime"] is None:
        # However long it may have been, no more of it was in the period.
        downtime = downtime[0], max(downtime[0], min(downtime[1], lasts))
    if uptime is not None and uptime[1] > 100:
        reader.wrong(
            "availability", f"{exact_text(uptime[1])} is more than 100; write a percentage of no more"
        )
        uptime = None
    total = _pair(reader, "total", reader.whole, ENDLESS, whole=True)
    failed = _pair(reader, "failed", reader.whole, ENDLESS if total is None else total[1], whole=True)
    apart = (failed is None) != (total is None)
    if apart or (failed is not None and total is not None and total[1] < failed[0] <= failed[1]):
        reader.wrong("failed", "and total go together, and failed is no more than total; correct them")
    elif failed is not None and total is not None:
        # There were as many as failed, at least.
        failed, total = (failed[0], min(failed[1], total[1])), (max(total[0], failed[0]), total[1])
    users = reader.count("users")
    outages = tuple(
        each(
            reader, "outages", (*UNITS, "share", *SHARE_BOUNDS, "users"),
            lambda inner: _outage(inner, users),
        )
    )  # fmt: skip
    if users is not None and all(
        type(one) is not dict or one.get("users") is None for one in _of_list(reader, "outages")
    ):
        reader.wrong("users", "has no meaning without outages that state users; leave it out")
    rates = tuple(
        each(reader, "error_rates", ("rate", *(f"rate{bound}" for bound in BOUNDS), "buckets"), _rate)
    )
    _beside_downtime(reader, lengths, alone=downtime is not None, lasting=bool(outages or rates))
    figures: tuple[tuple[str, object], ...] = (
        ("downtime", downtime), ("availability", uptime), ("value", value), ("failed and total", total),
        ("outages", outages or None), ("error_rates", rates or None),
    )  # fmt: skip
    stated = [
        name
        for name, given in figures
        if given is not None and not (kinds and name in ("value", "failed and total", "error_rates"))
    ]
    if len(stated) > 1:
        reader.problems.append(
            f"{reader.where}{' and '.join(stated)} state the same thing; leave all but one out"
        )
    return Plain(
        downtime=downtime, excluded=lengths["excluded_downtime"] or Fraction(0),
        availability=None if uptime is None else (uptime[0] / 100, uptime[1] / 100), value=value,
        removed=lengths["excluded"], unobserved=lengths["unobserved"] or Fraction(0), failed=failed, total=total,
        outages=outages, rates=rates,
    )  # fmt: skip


def _of_list(reader: Reader, name: str) -> list[Any]:
    found = reader.facts.get(name)
    return found if type(found) is list else []


def _beside_downtime(
    reader: Reader, lengths: dict[str, Fraction | None], *, alone: bool, lasting: bool
) -> None:
    """Say which parts of plain downtime are stated where there is none, so that they would not count.

    alone: downtime as one length is stated; lasting: so are outages or error rates.
    """
    for name, there, what, instead in (
        # Beside outages or rates it is refused for what it is.
        ("excluded_downtime", alone or lasting, "downtime", "exclusions"),
        ("excluded", alone or lasting, "downtime, outages or error_rates", "exclusions"),
        ("unobserved", alone or lasting, "downtime, outages or error_rates", "observed"),
    ):
        if lengths[name] and not there:
            reader.wrong(
                name,
                f"counts only beside plain {what}; state that, 0 where nothing failed, or beside windows {instead} with its times",
            )


def _outage(inner: Reader, users: int | None) -> tuple[Fraction, Fraction, Fraction] | None:
    given = [unit for unit in UNITS if inner.facts.get(unit) is not None]
    lasted = inner.decimal(given[0]) if len(given) == 1 else None
    if len(given) != 1:
        inner.wrong("minutes", f"or one of {', '.join(UNITS)}: state how long it lasted, once")
    affected = inner.count("users")
    if affected is not None:
        if not users or affected > users:
            inner.wrong(
                "users", "needs users of the whole beside outages, and no more than those; correct it"
            )
            return None
        if stated := [name for name in ("share", *SHARE_BOUNDS) if inner.facts.get(name) is not None]:
            inner.wrong("users", f"and {stated[0]} both state the affected share; leave one out")
        share: tuple[Said, Said] = (str(Fraction(affected, users)), 0), (str(Fraction(affected, users)), 0)
    else:
        share = part(inner, "share")
    if lasted is None:
        return None
    # An outage of which nothing is said affects all.
    low = end_of(share[0], 1 if share[1] is None else 0)
    return lasted * UNITS[given[0]], low, end_of(share[1], 1)


def _rate(inner: Reader) -> tuple[Fraction, Fraction, int] | None:
    low, high = part(inner, "rate")
    buckets = inner.count("buckets")
    if low is None and high is None:
        inner.required("rate")
    inner.required("buckets")
    if buckets is None:
        return None
    return end_of(low, 0), end_of(high, 1), buckets
