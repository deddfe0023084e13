"""Which one fact would decide, where the facts leave an interval: each open fact is closed both ways, and it is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from ledger.domain.interval import intersect, length
from ledger.domain.policy.model import Policy
from ledger.domain.window import Window, reach, share_bounds
from projections.evaluation.evidence import Evidence
from projections.evaluation.open_facts import Open, open_facts
from projections.evaluation.outcome import Outcome, Result, outcome, outcome_beside

__all__ = ["Vague", "vague_times", "what_decides"]


class Vague(msgspec.Struct, frozen=True):
    """How far approximate times may be off, each of them, for an answer to stay as it is: whole seconds.

    together: all such windows at once. alone: each window, while the others are as stated. None: however far.
    """

    together: int | None
    alone: tuple[tuple[Window, int | None], ...]


def vague_times(evidence: Evidence, made: Outcome, decided: Callable[[Outcome], bool]) -> Vague | None:
    """Return how far the times may be off that are approximate without a tolerance; None where there are none, or nothing is decided.

    Bounds that are wider hold those that are narrower, so the last distance that leaves one answer is found by halving, and what
    holds for several windows holds for each of them.
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

    def holds(off: Sequence[int], seconds: int) -> bool:
        windows = list(evidence.windows)
        for at in off:
            windows[at] = msgspec.structs.replace(
                windows[at], start_within_seconds=seconds, end_within_seconds=seconds
            )
        widened = msgspec.structs.replace(evidence, windows=tuple(windows))
        return decided(outcome_beside(made, widened, frozenset(windows[at].incident for at in off)))

    def last(off: Sequence[int], low: int, likely: int | None = None) -> int:
        """Return the last distance from `low` on that leaves one answer, where not every one does."""
        high = farthest
        for guess in () if likely is None else (likely, likely + 1):
            if low < guess < high:
                low, high = (guess, high) if holds(off, guess) else (low, guess)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if holds(off, middle) else (low, middle)
        return low

    def any_distance(off: Sequence[int]) -> list[int]:
        """Return those that alone may be off however far: what several may together, each of them may."""
        if not off or holds(off, farthest):
            return list(off)
        half = len(off) // 2
        return [*any_distance(off[:half]), *any_distance(off[half:])] if half else []

    together = None if holds(places, farthest) else last(places, 0)
    found: dict[int, int | None] = dict.fromkeys(places if together is None else any_distance(places))
    likely = None
    for at in places:
        if at not in found and together is not None:
            # One window alone may be off as far as it may together with others, and farther; as far as the one before it, mostly.
            likely = found[at] = last([at], together, likely)
    alone = [(evidence.windows[at], found[at]) for at in places]
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
    for words, one, other in _that_may_decide(found, made, evidence, decided):
        if all(decided(_closed(made, evidence, way)) for way in (one, other)):
            return words
    if policy.stacking.commitments == "choose-one" and chosen is None:
        if any(decided(_only(made, place)) for place in range(len(made.results))):
            return "which of the commitments the customer chooses"
    if policy.stacking.incidents == "choose-one":
        if any(decided(msgspec.structs.replace(made, incidents=(one,))) for one in made.incidents):
            names = [name for name, results in made.incidents if _pays(results)]
            return f"which of the incidents the customer chooses, {' or '.join(names)}: a choice, which no fact decides"
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
        if not one.withdrawn
        and one.service == evidence.service
        and reach(one, *evidence.span, evidence.as_of).most is not None
        and share_bounds(one)[0] < 1
    ]
    if len(parts) > 1:
        return f"no single fact: how far what was affected of windows {', '.join(parts)} is the same"
    return "no single fact of those that were stated"


def _that_may_decide(
    facts: Sequence[Open], made: Outcome, evidence: Evidence, decided: Callable[[Outcome], bool]
) -> Iterator[Open]:
    """Yield the facts of which each alone may decide, in their order: where several do not together, none of them does."""
    if len(facts) <= 1:
        yield from facts
        return
    together = _together(facts, evidence)
    if together is None or decided(_closed(made, evidence, together)):
        half = len(facts) // 2
        yield from _that_may_decide(facts[:half], made, evidence, decided)
        yield from _that_may_decide(facts[half:], made, evidence, decided)


def _together(facts: Sequence[Open], evidence: Evidence) -> Evidence | None:
    """Return evidence in which several facts are closed at their least; None where they are not each about a window of its own."""
    windows = list(evidence.windows)
    for _, closed, _ in facts:
        changed = [
            at for at, pair in enumerate(zip(evidence.windows, closed.windows, strict=True)) if pair[0] is not pair[1]
        ]  # fmt: skip
        if len(changed) != 1 or windows[changed[0]] is not evidence.windows[changed[0]]:
            return None
        windows[changed[0]] = closed.windows[changed[0]]
    return msgspec.structs.replace(evidence, windows=tuple(windows))


def _closed(made: Outcome, evidence: Evidence, closed: Evidence) -> Outcome:
    """Return the outcome of evidence with one open fact closed; made: of the evidence as it is."""
    if msgspec.structs.replace(closed, windows=evidence.windows) != evidence:
        return outcome(made.policy, closed)
    pairs = zip(evidence.windows, closed.windows, strict=True)
    changed = {one.incident for one, other in pairs if one is not other}
    return outcome_beside(made, closed, frozenset(changed))


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


def _pays(results: Sequence[Result]) -> bool:
    """Tell whether any tier that is left pays anything."""
    return any(choice.tier.remedy.pays for result in results for choice in result.choices)


def _only(made: Outcome, place: int) -> Outcome:
    """Return what one commitment alone makes of the facts, of each incident where these pay one by one."""
    incidents = tuple((name, (results[place],)) for name, results in made.incidents)
    return msgspec.structs.replace(made, results=(made.results[place],), incidents=incidents)
