"""Changes as they stand between what was issued for a period and what is right now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from projections.issued import Held
from projections.restated import Restated
from projections.workbook.cells import listed
from projections.workbook.lines import Changes

__all__ = ["changes_since_issue"]


def changes_since_issue(issued: Held, found: Restated, period: str) -> Changes:
    """Return every line that was issued or is right now, what of it changed, and the entries that made it.

    issued: what stands issued. found: how that differs from what is known now; a line that it does not name is as it last
    was found right.
    """
    rows: dict[str, dict[str, Any]] = {}
    for line in issued.lines.to_dict("records"):
        facts = issued.known[line["before"]]
        rows[line["subscription"]] = _row(line, facts, period, line["issued"], line["now"], "")
    for pair in found.pairs:
        facts = pair.after or pair.before or {}
        for line in pair.lines.to_dict("records"):
            rows[line["subscription"]] = _row(
                line, facts, period, line["as_issued"], line["as_now"], listed(pair.causes)
            )
    frame = pd.DataFrame(list(rows.values()), columns=[*_LABELS, "as_issued", "as_now", "delta", "cause"])
    return Changes(
        frame.astype(dict.fromkeys(("as_issued", "as_now", "delta"), np.int64)), "as issued", "as now"
    )


_LABELS = ("customer", "subscription", "service", "region", "policy", "period", "currency")


def _row(
    line: Mapping[Any, Any], facts: dict[str, Any], period: str, issued: int, now: int, cause: str
) -> dict[str, Any]:
    told = {name: facts[name] for name in ("service", "region", "policy")}
    mine = {name: line[name] for name in ("customer", "subscription", "currency")}
    return {
        **mine,
        **told,
        "period": period,
        "as_issued": issued,
        "as_now": now,
        "delta": now - issued,
        "cause": cause,
    }
