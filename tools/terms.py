"""Terms in policy format 1, as TOML, for tests and benchmarks: `terms("standard")`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["terms"]

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
    edges = list(steps)
    tiers = f'[[tiers]]\navailability_at_least = "{edges[0]}"\ncredit_percent = "0"\n'
    for edge, to in zip(edges, [*edges[1:], ""], strict=True):
        tiers += f'[[tiers]]\navailability_below = "{edge}"\n'
        tiers += f'availability_at_least = "{to}"\n' if to else ""
        tiers += f'credit_percent = "{steps[edge]}"\n'
    named = f'title = "{title}"\n' if title else ""
    above = f'share_above = "{share_above}"\n' if share_above else ""
    counted = ", ".join(f'"{effect}"' for effect in effects)
    return (
        f'format = 1\npolicy = "{policy}"\n{named}in_force_from = {in_force_from}\n'
        f'[period]\nkind = "calendar-month"\nzone = "{zone}"\n'
        f'[counting]\neffects = [{counted}]\nwindows = "{windows}"\n{above}planned = "excluded"\n'
        f'{tiers}[credit]\nof = "fee"\nrounding = "{rounding}"\n'
    )
