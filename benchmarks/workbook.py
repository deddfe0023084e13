"""How long the workbook of 100,000 lines takes, beside openpyxl's write-only mode writing the same cells as constants.

Data mix: customers of three subscriptions each, 5 services, 4 regions, 3 policies (two in full, one by share), 3 currencies
of 0 and 2 digits, one in twenty valid for a part of the month; four windows over two services and two regions, two of them
known only as bounds; the lines are compared with what they were without the last window. Measured is
`projections.workbook.write_workbook` once the rows are priced. The cells are then read back, every formula by its value, and
openpyxl writes them, with no style, formula, name or protection.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

__all__ = ["main"]


def main(folder: Path, lines: int = 100_000, rounds: int = 2) -> list[dict[str, Any]]:
    """Measure, and return the row of the table."""
    import openpyxl

    given = _given(lines)
    ours, bare = folder / "ours.xlsx", folder / "bare.xlsx"
    ours_best = min(_timed(lambda: _write(ours, given)) for _ in range(rounds))
    book = openpyxl.load_workbook(ours, read_only=True, data_only=True)
    cells = {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book}
    bare_best = min(_timed(lambda: _constants(bare, cells)) for _ in range(rounds))
    count = sum(value is not None for sheet in cells.values() for row in sheet for value in row)
    ratio = ours_best / bare_best
    return [
        {"what": f"workbook of {lines:,} lines", "bound": "<= 1.25 x openpyxl write-only", "ratio": ratio, "ok": ratio <= 1.25,
         "detail": f"{ours_best:.1f} s, openpyxl {bare_best:.1f} s; {count:,} cells, {ours.stat().st_size / 1e6:.0f} MB"}
    ]  # fmt: skip


def _timed(run: Any) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _given(lines: int) -> dict[str, Any]:
    """Return the arguments of the workbook."""
    import numpy as np
    import pandas as pd

    from benchmarks.streaming import POLICIES
    from ledger.domain.period import parse_period
    from ledger.domain.policy import parse_policy
    from ledger.domain.window import Window
    from projections.credits import price, workings
    from projections.subscriptions import read_subscriptions
    from tools.terms import terms

    rng = np.random.default_rng(20_220_314)
    currency = np.array(["EUR", "USD", "JPY"])[rng.integers(0, 3, lines)]
    fee = rng.integers(1, 2_000_000, lines)
    table = pd.DataFrame(
        {
            "customer": [f"customer {at // 3}" for at in range(lines)],
            "subscription": [f"sub-{at:09}" for at in range(lines)],
            "service": np.array(["email", "archive", "gateway", "search", "api"])[rng.integers(0, 5, lines)],
            "region": np.array(["EMEA", "NAM", "APAC", "LATAM"])[rng.integers(0, 4, lines)],
            "policy": np.array(list(POLICIES))[rng.integers(0, 3, lines)],
            "currency": currency,
            "fee": [
                str(amount) if code == "JPY" else f"{amount // 100}.{amount % 100:02}"
                for amount, code in zip(fee.tolist(), currency.tolist(), strict=True)
            ],
            "valid_from": "2021-01-01",
            "valid_to": np.where(rng.random(lines) < 0.05, "2022-03-20", ""),
        }
    )
    month = parse_period("2022-03")
    windows = [
        Window(incident="i", window=f"w-{service}-{region}", service=service, component="*", region=region,
               start=month.start + 1_180_800, end=month.start + 1_209_540, effect="outage",
               share_at_most=share, entries=(f"incident/i v{at}",))
        for at, (service, region, share) in enumerate(
            (("email", "EMEA", "0.2"), ("email", "NAM", None), ("api", "EMEA", "0.5"), ("api", "NAM", None)), 2
        )
    ]  # fmt: skip
    texts = {key: terms(key, windows=how) for key, how in POLICIES.items()}
    policies = {key: [(1, parse_policy(text))] for key, text in texts.items()}
    subscriptions = read_subscriptions(table.to_csv(index=False).encode(), "csv")
    return {
        "priced": workings(subscriptions, windows, policies, "2022-03", month.end),
        "before": price(subscriptions, windows[:-1], policies, "2022-03", month.end),
        "period": "2022-03",
        "as_of": month.end,
        "windows": windows,
        "policies": [(key, 1, policies[key][0][1], text) for key, text in texts.items()],
        "provenance": {"period": "2022-03"},
    }


def _write(path: Path, given: dict[str, Any]) -> None:
    from projections.workbook import write_workbook

    write_workbook(path, **given)


def _constants(path: Path, cells: dict[str, list[list[Any]]]) -> None:
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    for title, rows in cells.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
