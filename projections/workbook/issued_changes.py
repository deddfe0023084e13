"""Changes as they stand between what was issued for a period and what is right now."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, TypeAlias

import pandas as pd

from projections.drafts import Draft, PolicyOf
from projections.issued import Held
from projections.restated import Restated, days_held
from projections.workbook.cells import listed
from projections.workbook.lines import DAYS, Changes

__all__ = ["changes_since_issue"]


def changes_since_issue(
    issued: Held, found: Restated, draft: Draft, policy_of: PolicyOf, period: str, calculator: str | None = None, *,
    at_most: Restated | None = None, totals: Mapping[str, int] | None = None,
) -> Changes:  # fmt: skip
    """Return every line that was issued, is right now or would be on a claim, what of it changed, and the entries that made it.

    issued: what stands issued. found: how that differs from what is known now; a line that it does not name is as it last
    was found right, and what was issued beyond that was waived, for what was named then. draft: what is known now. calculator: names
    the arithmetic as the cause of what no entry made, where it is another one now. at_most: where the facts leave lines undecided,
    how it differs at the upper end of their bounds, `found` being at the lower. totals: what the documents say that
    they add up to, by currency in minor units.
    """
    rows = _rows(issued, found, policy_of, period, calculator)
    if at_most is not None:
        _leave_open(rows, _rows(issued, at_most, policy_of, period, calculator))
    _add_unclaimed(rows, draft, policy_of, period)
    some = list(rows.values())
    bounds = ("as_now_at_least", "as_now_at_most") if any(row["as_now"] is None for row in some) else ()
    unclaimed = ("unclaimed",) if any(row["unclaimed"] for row in some) else ()
    of_days = DAYS if any(row["days_as_now"] is not None for row in some) else ()
    frame = pd.DataFrame(
        {
            name: pd.Series([row[name] for row in some], dtype=object)
            for name in (*_LABELS, *_MONEY, "taken_back", *unclaimed, *of_days, "cause", *bounds)
        }
    )
    kinds: dict[str, Any] = dict.fromkeys((*_MONEY, *unclaimed, *bounds), "Int64")
    return Changes(frame.astype({**kinds, "taken_back": bool}), "as issued", "as now", totals)


_LABELS = ("customer", "subscription", "service", "region", "policy", "period", "currency")
_MONEY = ("as_issued", "as_now", "delta", "waived")
# A line is of one customer: what was taken from one is another than what was given to the next.
_Rows: TypeAlias = dict[tuple[str, str], dict[str, Any]]


def _rows(issued: Held, found: Restated, policy_of: PolicyOf, period: str, calculator: str | None) -> _Rows:
    rows: _Rows = {}
    for line, days, days_now in zip(
        issued.lines.to_dict("records"), *days_held(issued, policy_of), strict=True
    ):
        facts = issued.known[line["before"]]
        # An adjustment books all that it does not waive, so what is left between the two was waived, for what it named.
        waived = line["now"] - line["issued"]
        was_waived = waived or (days is not None and days_now != days)
        cause = listed(issued.causes[line["found"]]) if was_waived else ""
        rows[line["customer"], line["subscription"]] = _row(
            line, facts, policy_of, period, line["issued"], line["now"], waived, cause
        ) | _days(days, days_now, None if days is None else days_now - days)
    for pair in found.pairs:
        facts = pair.after or pair.before or {}
        for line in pair.lines.to_dict("records"):
            key = line["customer"], line["subscription"]
            cause = listed(pair.causes) or calculator or ""
            if line["as_now"] == line["last"] and not line["other_days"] and key in rows:
                cause = rows[key]["cause"]  # It rests on other facts, and its money is what it was.
            rows[key] = _row(
                line, facts, policy_of, period, line["as_issued"], line["as_now"], line["waived"], cause
            ) | _days(*(line[f"service_days_{name}"] for name in ("as_issued", "as_now", "waived")))
    return rows


def _leave_open(rows: _Rows, highs: _Rows) -> None:
    """Put the bounds of what is right now in the place of each amount that the facts do not decide; nothing is booked or waived yet."""
    for key, high in highs.items():
        low = rows.get(key) or {**high, "as_now": 0, "days_as_now": None, "cause": ""}
        rows[key] = low
        if (low["as_now"], low["days_as_now"]) == (high["as_now"], high["days_as_now"]):
            continue
        rows[key] = low | {
            "as_now": None, "delta": None, "waived": 0, "as_now_at_least": low["as_now"], "as_now_at_most": high["as_now"],
            "cause": low["cause"] if high["cause"] in low["cause"] else high["cause"], **dict.fromkeys(DAYS),
        }  # fmt: skip


def _add_unclaimed(rows: _Rows, draft: Draft, policy_of: PolicyOf, period: str) -> None:
    """Add what lines would pay on a claim; those that pay nothing else, too. Of a line that is undecided that is not known."""
    for line in draft.lines[(draft.lines["unclaimed"] != 0).to_numpy()].to_dict("records"):
        key = line["customer"], line["subscription"]
        if key not in rows:
            rows[key] = _row(
                line, draft.facts[line["group"]], policy_of, period, 0, 0, 0, ""
            ) | dict.fromkeys(DAYS)
        if rows[key]["as_now"] is not None:
            rows[key]["unclaimed"] = line["unclaimed"]


def _days(
    issued: Fraction | None, now: Fraction | None, waived: Fraction | None
) -> dict[str, Fraction | None]:
    """Return the days of service of a line as a row has them; None where it has none to say."""
    if issued is None or now is None or waived is None:
        return dict.fromkeys(DAYS)
    return dict(zip(DAYS, (issued, now, now - issued - waived, waived), strict=True))


def _row(
    line: Mapping[Any, Any], facts: dict[str, Any], policy_of: PolicyOf, period: str, issued: int, now: int, waived: int,
    cause: str,
) -> dict[str, Any]:  # fmt: skip
    told = {name: facts[name] for name in ("service", "region", "policy")}
    mine = {name: line[name] for name in ("customer", "subscription", "currency")}
    return {
        **mine,
        **told,
        "period": period,
        "as_issued": issued,
        "as_now": now,
        "delta": now - issued - waived,
        "waived": waived,
        "unclaimed": 0,
        "as_now_at_least": now,
        "as_now_at_most": now,
        "taken_back": policy_of(facts["policy"], facts["policy_version"]).credit.clawback,
        "cause": cause,
    }
