"""Small terms as TOML, for tests and benchmarks: `terms("standard")` in policy format 1, `terms_2("standard")` in format 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["terms", "terms_2"]

_STEPS = {"99.9": "10"}


def terms(
    policy: str,
    steps: Mapping[str, str] = _STEPS,
    *,
    title: str = "",
    effects: Sequence[str] = ("outage",),
    windows: str = "full",
    share_above: str = "",
    zone: str = "UTC",
    rounding: str = "half-up",
    in_force_from: str = "2022-01-01",
) -> str:
    """Return terms that pay nothing from the first edge of `steps` up, and below each edge its percentage.

    policy: the key. steps: percent of the fee by edge in percent, best edge first. share_above: for windows "above-share".
    """
    named = f'title = "{title}"\n' if title else ""
    above = f'share_above = "{share_above}"\n' if share_above else ""
    return (
        f'format = 1\npolicy = "{policy}"\n{named}in_force_from = {in_force_from}\n'
        f'[period]\nkind = "calendar-month"\nzone = "{zone}"\n'
        f'[counting]\neffects = {_list(effects)}\nwindows = "{windows}"\n{above}planned = "excluded"\n'
        f'{_tiers(steps)}[credit]\nof = "fee"\nrounding = "{rounding}"\n'
    )


def terms_2(
    policy: str,
    steps: Mapping[str, str] = _STEPS,
    *,
    title: str = "",
    effects: Sequence[str] = ("outage",),
    excluded: Sequence[str] = (),
    in_force_from: str = "2022-01-01",
    tiers: str = "",
    more: str = "",
) -> str:
    """Return the same in format 2, of a calendar month in UTC that counts time.

    excluded: kinds of one rule of exclusions. tiers: the tables of the tiers, where they are no percentages of `steps`. more: what
    follows `rounding` in `[credit]`, which is the last table.
    """
    named = f'title = "{title}"\n' if title else ""
    rule = f"[[exclusions]]\nkinds = {_list(excluded)}\n" if excluded else ""
    return (
        f'format = 2\npolicy = "{policy}"\n{named}in_force_from = {in_force_from}\n'
        '[period]\nkind = "calendar-month"\nzone = "UTC"\n[measure]\nof = "time"\n'
        f'[counting]\neffects = {_list(effects)}\n{rule}{tiers or _tiers(steps)}[credit]\nrounding = "half-up"\n{more}'
    )


def _tiers(steps: Mapping[str, str]) -> str:
    edges = list(steps)
    found = f'[[tiers]]\navailability_at_least = "{edges[0]}"\ncredit_percent = "0"\n'
    for edge, to in zip(edges, [*edges[1:], ""], strict=True):
        found += f'[[tiers]]\navailability_below = "{edge}"\n'
        found += f'availability_at_least = "{to}"\n' if to else ""
        found += f'credit_percent = "{steps[edge]}"\n'
    return found


def _list(words: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"
