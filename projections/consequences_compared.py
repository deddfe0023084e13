"""Consequences as programs read them, and what two of them differ in: side by side for programs, and in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ledger.domain.documents import signed_minor_units
from ledger.domain.instants import from_seconds
from ledger.domain.money import format_money
from ledger.domain.period import parse_period
from projections.availability import exact_text, percent_text, seconds_value
from projections.consequences import Consequence, Consequences, PolicyOutcome

__all__ = ["as_json", "difference", "difference_text"]


def as_json(found: Consequences) -> dict[str, Any]:
    """Return consequences for programs (contract in docs/json.md)."""
    return {
        "as_of": found.as_of,
        "rows": [_row_json(row) for row in found.rows],
        "totals": None if found.totals is None else list(found.totals),
    }


def _row_json(row: Consequence) -> dict[str, Any]:
    period = parse_period(row.period, row.zone)
    return {
        "service": row.service,
        "region": row.region,
        "period": row.period,
        "period_start": from_seconds(period.start),
        "period_end": from_seconds(period.end),
        "zone": row.zone,
        "downtime_seconds": row.downtime_seconds,
        "provisional": row.provisional,
        "approximate": row.approximate,
        "windows": list(row.windows),
        "policies": [_outcome_json(outcome) for outcome in row.outcomes],
    }


def _outcome_json(outcome: PolicyOutcome) -> dict[str, Any]:
    made = outcome.assessment
    if made is None:
        return {
            "policy": outcome.policy, "policy_version": outcome.version, "period": outcome.period, "problem": outcome.problem,
        }  # fmt: skip
    least, most = outcome.credit_percent or (None, None)
    values, days = made.value or (None, None), made.service_days or (None, None)
    # A measure that makes a value has no availability.
    parts = (None, None) if made.value else (made.availability_at_least, made.availability_at_most)
    return {
        "policy": outcome.policy,
        "policy_version": outcome.version,
        "period": outcome.period,
        "problem": None,
        "downtime_seconds": made.downtime_seconds,
        "excluded_seconds": made.excluded_seconds,
        "eligible_downtime_seconds_at_least": seconds_value(made.eligible_at_least),
        "eligible_downtime_seconds_at_most": seconds_value(made.eligible_at_most),
        "period_seconds": made.period_seconds,
        "availability_at_least": _text(parts[0], percent_text),
        "availability_at_most": _text(parts[1], percent_text),
        "value_at_least": _text(values[0], exact_text),
        "value_at_most": _text(values[1], exact_text),
        "credit_percent_at_least": least,
        "credit_percent_at_most": most,
        "service_days_at_least": _text(days[0], exact_text),
        "service_days_at_most": _text(days[1], exact_text),
        "termination": made.termination,
        "rule": made.rule,
        "provisional": made.provisional,
        "approximate": made.approximate,
        "entries": list(made.entries),
    }


def _text(value: Fraction | None, spelled: Callable[[Fraction], str]) -> str | None:
    return None if value is None else spelled(value)


def difference(before: Consequences, after: Consequences) -> dict[str, Any]:
    """Return two consequences side by side, for programs (contract in docs/json.md).

    Both are for the same months, places and policies, and to the same instant: that an open window lasted longer in the
    meantime is no change of the notice.
    """
    if before.as_of != after.as_of:
        raise ValueError(
            f"as of {before.as_of} and {after.as_of} cannot be compared; take one instant for both"
        )
    return {
        "as_of": after.as_of,
        "consequences": [_row_difference(was, now) for was, now in zip(before.rows, after.rows, strict=True)],
        "totals": None
        if before.totals is None or after.totals is None
        else _totals_difference(before.totals, after.totals),
    }


def _row_difference(was: Consequence, now: Consequence) -> dict[str, Any]:
    return {
        "service": now.service,
        "region": now.region,
        "period": now.period,
        "zone": now.zone,
        "downtime_seconds_before": was.downtime_seconds,
        "downtime_seconds_after": now.downtime_seconds,
        "downtime_seconds_delta": now.downtime_seconds - was.downtime_seconds,
        "provisional": was.provisional or now.provisional,
        "approximate": was.approximate or now.approximate,
        "policies": [
            {
                "policy": new["policy"],
                "policy_version": new["policy_version"],
                "period": new["period"],
                "problem": new["problem"],
                "changed": one.comes_to != other.comes_to,
                **{
                    _beside(name, side): values.get(name)
                    for name in _COMPARED
                    for side, values in (("before", old), ("after", new))
                },
            }
            for one, other in zip(was.outcomes, now.outcomes, strict=True)
            for old, new in ((_outcome_json(one), _outcome_json(other)),)
        ],
    }


# What is told of both sides; a null stands where the policy was not in force.
_COMPARED = (
    "downtime_seconds", "eligible_downtime_seconds_at_least", "eligible_downtime_seconds_at_most", "availability_at_least",
    "availability_at_most", "value_at_least", "value_at_most", "credit_percent_at_least", "credit_percent_at_most",
    "service_days_at_least", "service_days_at_most", "termination", "rule",
)  # fmt: skip


def _beside(name: str, side: str) -> str:
    """Return the name of a figure on a side: "credit_percent_before_at_least"."""
    for bound in ("_at_least", "_at_most"):
        if name.endswith(bound):
            return f"{name.removesuffix(bound)}_{side}{bound}"
    return f"{name}_{side}"


def _totals_difference(
    before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the totals of both sides by period and currency; delta is null where a side is undecided."""
    old = {(row["period"], row["currency"]): row for row in before}
    new = {(row["period"], row["currency"]): row for row in after}
    found = []
    for period, currency in sorted({*old, *new}):
        was, now = old.get((period, currency), {}), new.get((period, currency), {})
        delta = None
        if was.get("credit") is not None and now.get("credit") is not None:
            was_paid, pays = (signed_minor_units("credit", one["credit"], currency) for one in (was, now))
            delta = format_money(pays - was_paid, currency)
        found.append(
            {
                "period": period,
                "currency": currency,
                "subscriptions": now.get("subscriptions", was.get("subscriptions")),
                **{
                    _beside(name, side): row.get(name)
                    for name in ("credit", "credit_at_least", "credit_at_most")
                    for side, row in (("before", was), ("after", now))
                },
                "delta": delta,
            }
        )
    return found


def difference_text(before: Consequences, after: Consequences, *, unchanged: bool = False) -> list[str]:
    """Return what differs between two consequences for people, line by line; nothing where nothing does.

    unchanged: also what is the same on both sides, with its figures, for who asked what it comes to.
    """
    found = difference(before, after)
    lines: list[str] = []
    moved = False
    for row in found["consequences"]:
        is_moved = row["downtime_seconds_delta"] != 0 or any(one["changed"] for one in row["policies"])
        if is_moved or unchanged:
            moved |= is_moved
            lines += _place_lines(row)
    for total in found["totals"] or ():
        is_moved = any(total[_beside(name, "before")] != total[_beside(name, "after")] for name in _CREDIT)
        if is_moved or unchanged:
            moved |= is_moved
            lines.append(_total_line(total, is_moved))
    if moved or not unchanged:
        return lines
    return [
        "the same on both sides" if lines else "the same on both sides: no impact window, so no downtime",
        *lines,
    ]


def _place_lines(row: dict[str, Any]) -> list[str]:
    """Return the downtime of a place and month on both sides, and what each policy makes of it."""
    was, now, delta = (row[f"downtime_seconds_{name}"] for name in ("before", "after", "delta"))
    seconds_of = f"{was:,} s -> {now:,} s ({delta:+,})" if delta else f"{now:,} s, no change"
    marks = [name for name in ("provisional", "approximate") if row[name]]
    line = f"{row['period']}  {row['service']}, {row['region']}: downtime {seconds_of}"
    return [
        line + (f"  [{', '.join(marks)}]" if marks else ""),
        *(f"  {_policy_line(one)}" for one in row["policies"]),
    ]


def _total_line(total: dict[str, Any], is_moved: bool) -> str:
    was, now = (_bounds(total, "credit", side, "") for side in ("before", "after"))
    head = f"{total['period']}  credits in {total['currency']}:"
    if not is_moved:
        return f"{head} {now}, no change"
    change = "" if total["delta"] is None else f" ({Decimal(total['delta']):+})"
    return f"{head} {was} -> {now}{change}"


_CREDIT = ("credit", "credit_at_least", "credit_at_most")


def _policy_line(one: dict[str, Any]) -> str:
    """Return what a policy makes of both sides."""
    if one["problem"] is not None:
        return str(one["problem"])
    version = f"v{one['policy_version']}" if one["policy_version"] else "(not published)"
    sides = ("before", "after")
    measured = (
        "value" if any(one[_beside("value_at_least", side)] is not None for side in sides) else "availability"
    )
    was, now = (_bounds(one, measured, side, "%" if measured == "availability" else "") for side in sides)
    paid, pays = (_bounds(one, "credit_percent", side, "%") for side in sides)
    # Where no part of the fee says it, such as a fixed sum or a floor, the rule does, and --amounts the money.
    parts = [one[_beside("credit_percent_at_least", side)] is not None for side in sides]
    old, new = (
        f"credit {text} of fee" if part else one[f"rule_{side}"]
        for text, side, part in zip((paid, pays), sides, parts, strict=True)
    )
    days, gives = (_bounds(one, "service_days", side, "") for side in sides)
    in_days = any(one[_beside("service_days_at_least", side)] is not None for side in sides)
    if not one["changed"]:
        more = f", {gives} days of service" if in_days else ""
        return f"{one['policy']} {version}: no change, {measured} {now}, {new}{more}"
    # The rule may be the same, and pay more: for each block, say.
    changed_rule = new if old == new else f"{old} -> {new}"
    change = f"credit {paid} -> {pays} of fee" if all(parts) else changed_rule
    if in_days:
        change += f", {days} -> {gives} days of service"
    if one["termination_before"] != one["termination_after"]:
        ended = ({None: "undecided", True: "yes", False: "no"}[one[f"termination_{side}"]] for side in sides)
        change += f", may be ended: {' -> '.join(ended)}"
    return f"{one['policy']} {version}: {measured} {was} -> {now}, {change}"


def _bounds(values: dict[str, Any], name: str, side: str, unit: str) -> str:
    least, most = values[f"{name}_{side}_at_least"], values[f"{name}_{side}_at_most"]
    if least is None:
        return "nothing"
    if name == "availability":
        least, most = (value.rstrip("0").rstrip(".") for value in (least, most))
    return f"{least}{unit}" if least == most else f"{least}{unit} to {most}{unit}"
