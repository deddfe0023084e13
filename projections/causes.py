"""Causes: which entries made the difference between two readings of the facts, for one line and no other.

One rule for restatements and for comparisons of two readings: an entry is a cause where the line rests on it, then or now,
and what it rests on there differs. The assessments of a line name the entries that they were made from; what is about
another service, region, cohort or customer is in none of them. What a policy reads beside its figures (time that uses up a
limit, earlier periods that give a right to terminate) is a cause where it is about the line's place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
import pandas as pd

from ledger.domain.exclusion import Exclusion
from ledger.domain.measurement import Measurement
from ledger.domain.policy import Policy
from ledger.domain.window import Window, place
from projections.availability import entry_order, is_wide
from projections.cohorts import Cohort
from projections.drafts import AssessedFacts, PolicyOf

__all__ = [
    "NOTHING",
    "Moved",
    "Since",
    "causes_of",
    "looks_back",
    "moved_exclusions",
    "moved_measurements",
    "moved_windows",
    "reaches",
    "told_apart",
]


def told_apart(before: Sequence[str], after: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the entries that only the later of two figures rests on, and those that only the earlier one does."""
    then, now = set(before), set(after)
    return tuple(one for one in after if one not in then), tuple(one for one in before if one not in now)


class Moved(msgspec.Struct, frozen=True):
    """A window, an exclusion or a measurement that is not what it was: the entries that made it so, and its states before and after."""

    entries: tuple[str, ...]
    windows: tuple[Window, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    measurements: tuple[Measurement, ...] = ()

    def touches(self, service: str, region: str, *, any_region: bool = False) -> bool:
        """Tell whether it can change what is made of a service and region."""
        said: tuple[Window | Measurement, ...] = (*self.windows, *self.measurements)
        return any(
            one.service == service and (any_region or place(one.region, one.regions, region) is not None)
            for one in said
        ) or any(
            one.service in ("*", service) and (any_region or one.region in ("*", region))
            for one in self.exclusions
        )

    @property
    def states(self) -> tuple[Window | Exclusion | Measurement, ...]:
        """What it was and is."""
        return (*self.windows, *self.exclusions, *self.measurements)


def moved_windows(
    then: Iterable[Window],
    now: Iterable[Window],
    since: Callable[[str, str], tuple[str, ...]],
    *,
    later: bool,
) -> list[Moved]:
    """Return the windows that differ between two readings.

    since: by incident and window the entries that changed it between them. later: time has passed for open windows.
    """
    before, after = ({(one.incident, one.window): one for one in some} for some in (then, now))
    found = []
    for key in sorted(before.keys() | after.keys()):
        states = tuple(one for one in (before.get(key), after.get(key)) if one is not None)
        still_open = later and any(one.end is None for one in states)
        if len(states) == 2 and states[0] == states[1] and not still_open:
            continue
        found.append(Moved(since(*key) or states[-1].entries, windows=states))
    return found


def moved_exclusions(then: Iterable[Exclusion], now: Iterable[Exclusion]) -> list[Moved]:
    """Return the exclusions that differ between two readings."""
    before, after = ({one.exclusion: one for one in some} for some in (then, now))
    found = []
    for key in sorted(before.keys() | after.keys()):
        states = tuple(one for one in (before.get(key), after.get(key)) if one is not None)
        if len(states) == 2 and states[0] == states[1]:
            continue
        known = set(states[0].entries) if len(states) == 2 else set()
        found.append(Moved(tuple(one for one in states[-1].entries if one not in known), exclusions=states))
    return found


def moved_measurements(
    then: Iterable[Measurement], now: Iterable[Measurement], since: Callable[[str, str], tuple[str, ...]]
) -> list[Moved]:
    """Return the measurements that differ between two readings, the rows of a table together; since: as of windows."""
    before, after = (_by_name(some) for some in (then, now))
    found = []
    for key in sorted(before.keys() | after.keys()):
        was, is_now = before.get(key, ()), after.get(key, ())
        if was != is_now:
            entries = since(*key) or (is_now or was)[-1].entries
            found.append(Moved(entries, measurements=(*was[:1], *is_now[:1])))
    return found


def _by_name(some: Iterable[Measurement]) -> dict[tuple[str, str], tuple[Measurement, ...]]:
    found: dict[tuple[str, str], tuple[Measurement, ...]] = {}
    for one in some:
        key = one.incident, one.measurement
        found[key] = *found.get(key, ()), one
    return found


def _no_documents(_: str) -> Sequence[tuple[str, Mapping[str, bool]]]:
    return ()


class Since(msgspec.Struct, frozen=True):
    """What has become known since a document.

    moved: the windows, exclusions and measurements that are not what they were. streams: by other sources that changed, such as
    "policy/gold", the versions before and now; 0 for none. documents: by the entry of a document all documents about the
    same statement since then, each with the subscriptions it has a line of, and whether the line books an amount. cohorts: by name. new_calculator: the
    arithmetic is another one, so that figures may change where no entry did.
    """

    moved: Sequence[Moved] = ()
    streams: Mapping[str, tuple[int, int]] = {}
    documents: Callable[[str], Sequence[tuple[str, Mapping[str, bool]]]] = _no_documents
    cohorts: Mapping[str, Cohort] = {}
    new_calculator: bool = False

    def versions(self, stream: str) -> list[str]:
        """Return the entries that a source has now and did not have then, such as "policy/gold v2"."""
        old, new = self.streams.get(stream, (0, 0))
        return [f"{stream} v{version}" for version in range(old + 1, new + 1)]


NOTHING = Since()


def causes_of(
    before: AssessedFacts | None,
    after: AssessedFacts | None,
    lines: pd.DataFrame,
    since: Since,
    policy_of: PolicyOf,
) -> list[tuple[str, ...]]:
    """Return the entries that made the difference, for each of some lines that moved from one assessment to another.

    lines: columns customer, subscription, old_claim and claim (entries with commas, or None), same_inputs (whether customer,
    fee and validity are what they were). Of a line that is new or gone its table is the cause, not what its figures rest on.
    """
    other_place = before is None or after is None or _place(before) != _place(after)
    tables = [
        one
        for stream in since.streams
        if stream.startswith("subscriptions/")
        for one in since.versions(stream)
    ]
    compared = before != after and not ((before is None or after is None) and tables)
    of_all: set[str] = set()
    of_some: list[tuple[tuple[str, ...], list[bool]]] = []
    documents: list[tuple[str, Mapping[str, bool]]] = []
    if compared:
        of_all.update(_of_policy(before, after, since))
        of_all.update(_of_cohorts(before, after, since))
        of_some += [
            (one.entries, _theirs(one, lines["customer"], since))
            for one in since.moved
            if _reaches(one, before, after, policy_of)
            and (_rests_on(one, before, after) or _reads_beside(one, before, after, policy_of))
        ]
        documents = _of_documents(before, after, since)
    found = []
    rows = zip(
        lines["subscription"].tolist(),
        lines["old_claim"].tolist(),
        lines["claim"].tolist(),
        lines["same_inputs"].tolist(),
        strict=True,
    )
    for at, (name, old, new, same) in enumerate(rows):
        named = {*of_all, *(entry for entries, theirs in of_some if theirs[at] for entry in entries)}
        named.update(_of_claims(old, new, since))
        said = [(entry, lines_of[name]) for entry, lines_of in documents if name in lines_of]
        # Documents that only said that nothing is booked are told where no other is.
        named.update([entry for entry, books in said if books] or [entry for entry, _ in said])
        if other_place or not same:
            named.update(tables)
        found.append(named)
    if compared and not since.new_calculator and not all(found):
        # Nothing that the line itself rests on: what can reach its place did it.
        near = _near(before, after, since, policy_of)
        found = [named or near for named in found]
    ordered: dict[frozenset[str], tuple[str, ...]] = {}
    causes = []
    for each in map(frozenset, found):
        if each not in ordered:
            ordered[each] = tuple(sorted(each, key=entry_order))
        causes.append(ordered[each])
    return causes


def _place(facts: AssessedFacts) -> tuple[str, ...]:
    """Return what of an assessment its table of subscriptions says."""
    return facts["policy"], facts["service"], facts["region"]


def _both(before: AssessedFacts | None, after: AssessedFacts | None) -> list[AssessedFacts]:
    return [one for one in (before, after) if one is not None]


def _rests_on(one: Moved, before: AssessedFacts | None, after: AssessedFacts | None) -> bool:
    """Tell whether an assessment names a state of what moved among what it was made from."""
    for facts in _both(before, after):
        entries = set(facts["entries"])
        if any(
            state.entries and state.service in ("*", facts["service"]) and entries.issuperset(state.entries)
            for state in one.states
        ):
            return True
    return False


def _reaches(
    one: Moved, before: AssessedFacts | None, after: AssessedFacts | None, policy_of: PolicyOf
) -> bool:
    """Tell whether what moved can change the figures of a place: an assessment names exclusions of other regions, too."""
    return any(
        reaches(one, facts["service"], facts["region"], policy_of(facts["policy"], facts["policy_version"]))
        for facts in _both(before, after)
    )


def reaches(one: Moved, service: str, region: str, policy: Policy) -> bool:
    """Tell whether what moved can change the figures that a policy makes of a service and region for a period.

    It looks at one service, and at its other regions where the scope is wide, or where time there uses up a limit of exclusions.
    """
    return one.touches(service, region, any_region=is_wide(policy) or _uses_up(one, policy))


def looks_back(policy: Policy) -> bool:
    """Tell whether a right to terminate asks for earlier periods: terms that ruled then may have looked at all regions."""
    return any(rule.of_last > 1 for rule in policy.termination)


def _uses_up(one: Moved, policy: Policy) -> bool:
    """Tell whether what moved counts towards a limit of excluded time, which a policy counts over all regions."""
    limited = {kind for rule in policy.exclusions if rule.most is not None for kind in rule.kinds}
    return any(state.kind in limited for state in one.exclusions) or (
        "planned-maintenance" in limited and any(state.planned is not None for state in one.windows)
    )


def _reads_beside(
    one: Moved, before: AssessedFacts | None, after: AssessedFacts | None, policy_of: PolicyOf
) -> bool:
    """Tell whether a policy reads what moved beside the figures that name it: for a limit, or for earlier periods."""
    terminates = (
        before is not None and after is not None and before.get("termination") != after.get("termination")
    )
    for facts in _both(before, after):
        policy = policy_of(facts["policy"], facts["policy_version"])
        if _uses_up(one, policy) or (policy.termination and terminates):
            return True
    return False


def _theirs(one: Moved, customers: pd.Series, since: Since) -> list[bool]:
    """Return for each customer whether what moved is about it: it may be limited to some, and these be known."""
    named = {state.customer for state in one.exclusions}
    if named and None not in named:
        return [customer in named for customer in customers.tolist()]
    limits = {getattr(state, "cohort", None) for state in one.states}
    if None in limits or not all(
        name in since.cohorts and f"cohort/{name}" not in since.streams for name in limits
    ):
        return [True] * len(customers)
    held = [since.cohorts[str(name)].holds(customers).tolist() for name in sorted(limits, key=str)]
    return [any(each) for each in zip(*held, strict=True)]


def _of_policy(before: AssessedFacts | None, after: AssessedFacts | None, since: Since) -> Iterable[str]:
    """Yield the version of a policy that took the place of the one that ruled; others, in force later or never, rule nothing here."""
    if before is None or after is None or before["policy"] != after["policy"]:
        return
    if before["policy_version"] != after["policy_version"]:
        yield from _ruling(after, since)


def _ruling(facts: AssessedFacts, since: Since) -> list[str]:
    """Return the version of a policy that rules, where it was not there before."""
    rules = f"policy/{facts['policy']} v{facts['policy_version']}"
    return [one for one in since.versions(f"policy/{facts['policy']}") if one == rules]


def _of_cohorts(before: AssessedFacts | None, after: AssessedFacts | None, since: Since) -> Iterable[str]:
    """Yield the versions of cohorts that one of the two rests on, and the other does not."""
    fresh, gone = told_apart(
        () if before is None else before["entries"], () if after is None else after["entries"]
    )
    for stream in sorted({one.rpartition(" v")[0] for one in (*fresh, *gone)}):
        if stream.startswith("cohort/"):
            yield from since.versions(stream)


def _of_documents(
    before: AssessedFacts | None, after: AssessedFacts | None, since: Since
) -> list[tuple[str, Mapping[str, bool]]]:
    """Return the documents about other months that changed what counts towards a limit over several."""
    fresh, gone = told_apart(
        () if before is None else before["entries"], () if after is None else after["entries"]
    )
    found: dict[str, Mapping[str, bool]] = {}
    for one in (*fresh, *gone):
        if one.startswith("statement/"):
            found.update(since.documents(one))
    return list(found.items())


def _of_claims(old: str | None, new: str | None, since: Since) -> Iterable[str]:
    """Yield what became of the claims of a line, where it is not paid on the same ones."""
    if old == new:
        return
    said = {
        claim.rpartition(" v")[0]
        for several in (old, new)
        if several is not None
        for claim in several.split(", ")
    }
    for stream in sorted(said):
        yield from since.versions(stream)


def _near(
    before: AssessedFacts | None, after: AssessedFacts | None, since: Since, policy_of: PolicyOf
) -> set[str]:
    """Return what changed and can reach the place of a line, whatever the line says that it rests on."""
    found: set[str] = set()
    for facts in _both(before, after):
        policy = policy_of(facts["policy"], facts["policy_version"])
        wide = is_wide(policy) or looks_back(policy)
        for one in since.moved:
            if one.touches(facts["service"], facts["region"], any_region=wide):
                found.update(one.entries)
        found.update(_ruling(facts, since))
    # An assessment that says nothing else than before may name other entries.
    found = found or {entry for one in since.moved if _rests_on(one, before, after) for entry in one.entries}
    # A cohort that was published before, and is at hand only now.
    fresh, _ = told_apart(
        () if before is None else before["entries"], () if after is None else after["entries"]
    )
    found = found or {one for one in fresh if one.startswith("cohort/")}
    # What is due in no month any more, or in another one, says no version that made it so.
    return found or {
        one for facts in _both(before, after) for one in since.versions(f"policy/{facts['policy']}")
    }
