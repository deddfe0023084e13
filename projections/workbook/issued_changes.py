"""Changes as they stand between what was issued for a period and what is right now."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from projections.drafts import PolicyOf
from projections.issued import Held
from projections.restated import Restated, days_held
from projections.workbook.cells import listed
from projections.workbook.lines import DAYS, Changes

__all__ = ["changes_since_issue"]


def changes_since_issue(
    issued: Held, found: Restated, policy_of: PolicyOf, period: str, calculator: str | None = None
) -> Changes:
    """Return every line that was issued or is right now, what of it changed, and the entries that made it.

    issued: what stands issued. found: how that differs from what is known now; a line that it does not name is as it last
    was found right, and what was issued beyond that was waived. calculator: names the arithmetic as the cause of what no entry
    made, where it is another one now.
    """
    # A line is of one customer: what was taken from one is another than what was given to the next.
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for line, days, days_now in zip(
        issued.lines.to_dict("records"), *days_held(issued, policy_of), strict=True
    ):
        facts = issued.known[line["before"]]
        # An adjustment books all that it does not waive, so what is left between the two was waived.
        waived = line["now"] - line["issued"]
        rows[line["customer"], line["subscription"]] = _row(
            line, facts, policy_of, period, line["issued"], line["now"], waived, ""
        ) | _days(days, days_now, None if days is None else days_now - days)
    for pair in found.pairs:
        facts = pair.after or pair.before or {}
        for line in pair.lines.to_dict("records"):
            rows[line["customer"], line["subscription"]] = _row(
                line,
                facts,
                policy_of,
                period,
                line["as_issued"],
                line["as_now"],
                line["waived"],
                listed(pair.causes) or calculator or "",
            ) | _days(*(line[f"service_days_{name}"] for name in ("as_issued", "as_now", "waived")))
    money = ("as_issued", "as_now", "delta", "waived")
    of_days = DAYS if any(row["days_as_now"] is not None for row in rows.values()) else ()
    frame = pd.DataFrame(
        {
            name: pd.Series([row[name] for row in rows.values()], dtype=object)
            for name in (*_LABELS, *money, "taken_back", *of_days, "cause")
        }
    )
    return Changes(
        frame.astype({**dict.fromkeys(money, np.int64), "taken_back": bool}), "as issued", "as now"
    )


def _days(
    issued: Fraction | None, now: Fraction | None, waived: Fraction | None
) -> dict[str, Fraction | None]:
    """Return the days of service of a line as a row has them; None where it has none to say."""
    if issued is None or now is None or waived is None:
        return dict.fromkeys(DAYS)
    return dict(zip(DAYS, (issued, now, now - issued - waived, waived), strict=True))


_LABELS = ("customer", "subscription", "service", "region", "policy", "period", "currency")


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
        "taken_back": policy_of(facts["policy"], facts["policy_version"]).credit.clawback,
        "cause": cause,
    }
