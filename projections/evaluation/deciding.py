"""Which one fact would decide, where the facts leave an interval: each open fact is closed both ways, and it is tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from ledger.domain.interval import intersect, length
from ledger.domain.policy.model import Policy
from ledger.domain.window import Window, reach, share_bounds
from projections.evaluation.evidence import Evidence
from projections.evaluation.open_facts import open_facts, with_window
from projections.evaluation.outcome import Outcome, outcome

__all__ = ["Vague", "vague_times", "what_decides"]


class Vague(msgspec.Struct, frozen=True):
    """How far approximate times may be off, each of them, for an answer to stay as it is: whole seconds.

    together: all such windows at once. alone: each window, while the others are as stated. None: however far.
    """

    together: int | None
    alone: tuple[tuple[Window, int | None], ...]


def vague_times(
    policy: Policy, evidence: Evidence, made: Outcome, decided: Callable[[Outcome], bool]
) -> Vague | None:
    """Return how far the times may be off that are approximate without a tolerance; None where there are none, or nothing is decided.

    Bounds that are wider hold those that are narrower, so the last distance that leaves one answer is found by halving.
    """
    if not any(result.figure.approximate for result in made.results) or not decided(made):
        return None
    start, end = evidence.span
    places = [
        place_of
        for place_of, window in enumerate(evidence.windows)
        if window.is_vague and not window.withdrawn and window.service == evidence.service
    ]
    moments = [
        moment
        for place_of in places
        for moment in (evidence.windows[place_of].start, evidence.windows[place_of].end)
        if moment is not None
    ]
    # Off by this a window is nothing at least, and everything at most.
    farthest = max(max([end, *moments]) - start, end - min([start, *moments]))

    def within(off: Sequence[int], low: int) -> int | None:
        def holds(seconds: int) -> bool:
            widened = evidence
            for place_of in off:
                other = msgspec.structs.replace(
                    widened.windows[place_of], start_within_seconds=seconds, end_within_seconds=seconds
                )
                widened = with_window(widened, place_of, other)
            return decided(outcome(policy, widened))

        if holds(farthest):
            return None
        high = farthest
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if holds(middle) else (low, middle)
        return low

    together = within(places, 0)
    # One window alone may be off as far as it may together with others, and farther.
    alone = [(evidence.windows[at], None if together is None else within([at], together)) for at in places]
    return Vague(
        together,
        tuple(
            (window, seconds)
            for window, seconds in alone
            if seconds is not None or reach(window, start, end, evidence.as_of).stated is not None
        ),
    )


def what_decides(
    policy: Policy,
    evidence: Evidence,
    made: Outcome,
    decided: Callable[[Outcome], bool],
    chosen: str | None,
    vague: Vague | None = None,
) -> str | None:
    """Return the one fact that would decide an outcome, in words; None only where it is decided.

    What rests on approximate times near the edge of a tier is decided by the times as they are stated; which times those are,
    and how far off the edge is, is said all the same.

    decided: tells whether an outcome leaves one answer. vague: how far approximate times may be off.
    """
    if decided(made):
        return _near_an_edge(evidence, made) or _near_another_amount(evidence, made, vague)
    found = list(open_facts(policy, evidence))
    for words, one, other in found:
        if decided(outcome(policy, one)) and decided(outcome(policy, other)):
            return words
    if policy.stacking.commitments == "choose-one" and chosen is None and len(policy.commitments) > 1:
        if any(decided(_only(made, place)) for place in range(len(made.results))):
            return "which of the commitments the customer chooses"
    for result in made.results:
        if result.figure.decided and len(result.choices) > 1:
            return (
                f"how the contract is to be read at this {result.figure.commitment.tiers_of}, which no tier holds, or more than one: "
                f"{' or '.join(choice.tier.words for choice in result.choices)}"
            )
    if found:
        return f"no single fact: {'; '.join(words for words, _, _ in found)} are open together"
    # Shares that are known, of whom is not.
    parts = [
        f"{one.incident}/{one.window}"
        for one in evidence.windows
        if not one.withdrawn and one.service == evidence.service and share_bounds(one)[0] < 1
    ]
    if len(parts) > 1:
        return f"no single fact: how far what was affected of windows {', '.join(parts)} is the same"
    return "no single fact of those that were stated"


def _near_an_edge(evidence: Evidence, made: Outcome) -> str | None:
    """Return which approximate times would lead to another tier; None where no edge is near.

    How far such times are off was not said. An edge is near a window that is no further from it than the window counts for.
    """
    found = []
    for result in made.results:
        one, tier = result.figure, result.choices[0].tier
        if not one.approximate or not one.decided or len(result.choices) != 1 or tier.of == "value":
            continue
        more = tier.seconds_to_worse(one.eligible_least, one.period_seconds)
        less = tier.seconds_past_better(one.eligible_least, one.period_seconds)
        for window in evidence.windows:
            if window.withdrawn or not window.is_vague:
                continue
            stated = reach(window, *evidence.span, evidence.as_of).stated
            counts = 0 if stated is None else length(intersect(one.intervals, [stated]))
            edges = [
                *([f"{_seconds(more)} more of eligible downtime leads to the next tier"] if more is not None and more <= counts else []),
                *([f"{_seconds(less)} less leads to a better one"] if less is not None and less <= counts else []),
            ]  # fmt: skip
            if edges:
                found.append(
                    f"the exact times of window {window.incident}/{window.window}, which are approximate: {', '.join(edges)}"
                )
    return "; ".join(dict.fromkeys(found)) or None


def _near_another_amount(evidence: Evidence, made: Outcome, vague: Vague | None) -> str | None:
    """Return which approximate times would lead to another answer without any edge of a tier, as what is paid follows them."""
    found = [
        f"the exact times of window {window.incident}/{window.window}, which are approximate: "
        f"the answer stays as it is while they are off by up to {_seconds(within)}"
        for window, within in (() if vague is None else vague.alone)
        if within is not None and within < _counts(evidence, made, window)
    ]
    return "; ".join(found) or None


def _counts(evidence: Evidence, made: Outcome, window: Window) -> int:
    """Return for how many seconds a window counts at most, of all commitments."""
    stated = reach(window, *evidence.span, evidence.as_of).stated
    if stated is None:
        return 0
    return max(length(intersect(result.figure.intervals, [stated])) for result in made.results)


def _seconds(count: int) -> str:
    return f"{count} second{'' if count == 1 else 's'}"


def _only(made: Outcome, place: int) -> Outcome:
    policy = msgspec.structs.replace(made.policy, commitments=(made.policy.commitments[place],))
    return msgspec.structs.replace(made, policy=policy, results=(made.results[place],))
