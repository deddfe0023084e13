"""Claims whose period would be two, or had not begun: refused when they are filed, as nobody could say later what was meant."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from ledger.domain.events import ClaimFiled
from ledger.errors import LedgerError, Refused

if TYPE_CHECKING:
    from ledger.domain.actions import Action
    from ledger.domain.policy import Policy
    from ledger.store.log import SealedLog

__all__ = ["refuse_ambiguous", "refuse_early"]

# No zone is further ahead of UTC.
_FIRST_ZONE_SECONDS = 14 * 3_600


def refuse_ambiguous(log: SealedLog, actions: Sequence[Action]) -> None:
    """Refuse claims for the whole of a period where their label names two periods of one policy of their customer.

    That can only be where versions of a policy have different kinds of periods. A claim that names incidents is about these, in
    whichever period. What was recorded before, and is sent again, is answered; where no table can be read nothing is refused.
    """
    claims = [(at, event) for at, event in _new_claims(log, actions) if not event.incidents]
    mixed = _mixed(log) if claims else {}
    terms = _terms(log, {str(event.customer) for _, event in claims}, set(mixed)) if mixed else {}
    failures: list[tuple[int, LedgerError]] = []
    for at, event in claims:
        for key, term in sorted(terms.get(str(event.customer), ())):
            if (sentence := _two_periods(mixed[key], event.period, term)) is not None:
                because = f"period {event.period!r} names {sentence} of policy {key!r}; name the incidents that are claimed for"
                failures.append((at, Refused(because)))
                break
    _refuse(failures, actions)


def refuse_early(log: SealedLog, actions: Sequence[Action]) -> None:
    """Refuse claims that arrived before their period had begun, which would count as in time: one of the two is a slip.

    A label may name periods of several policies, of which the one that begins first counts. What was recorded before, and is sent
    again, is answered.
    """
    from ledger.domain.instants import seconds
    from ledger.domain.period import parse_period
    from ledger.domain.policy.periods import label_is_month, period_named

    claims = _new_claims(log, actions)
    rules = (
        {policy.period for versions in _policies(log).values() for _, policy in versions} if claims else set()
    )
    failures: list[tuple[int, LedgerError]] = []
    for at, event in claims:
        begins = [period.start for rule in rules if (period := period_named(rule, event.period)) is not None]
        try:
            arrived = seconds(event.at)
            if label_is_month(event.period):
                begins.append(parse_period(event.period).start - _FIRST_ZONE_SECONDS)
        except (ValueError, Refused):
            continue  # What is no time, or no period, is refused where it is decided.
        if begins and arrived < min(begins):
            because = (
                f"at {event.at} is before the period {event.period} has begun, for which nothing can be claimed yet; correct the "
                "time or the period"
            )
            failures.append((at, Refused(because)))
    _refuse(failures, actions)


def _new_claims(log: SealedLog, actions: Sequence[Action]) -> list[tuple[int, ClaimFiled]]:
    """Return the claims among some actions that were not recorded before, each with its place."""
    claims = [
        (at, one.event, one.idempotency_key)
        for at, one in enumerate(actions)
        if isinstance(one.event, ClaimFiled)
    ]
    known = log.by_keys([key for *_, key in claims if key is not None])
    return [(at, event) for at, event, key in claims if key not in known]


def _refuse(failures: list[tuple[int, LedgerError]], actions: Sequence[Action]) -> None:
    """Raise what was found: of several actions each sentence with its place."""
    from ledger.append import BatchRefused

    if failures:
        raise BatchRefused(failures) if len(actions) > 1 else failures[0][1]


def _policies(log: SealedLog) -> dict[str, list[tuple[int, Policy]]]:
    """Return by key every version of every policy."""
    from ledger.domain.events import PolicyPublished
    from ledger.store.stream import read_stream

    return {
        stream.partition("/")[2]: [
            (one.version, _parsed(one.event.terms))
            for one in read_stream(log, stream)
            if isinstance(one.event, PolicyPublished)
        ]
        for stream in log.streams("policy/", limit=100_000)
    }


def _mixed(log: SealedLog) -> dict[str, list[tuple[int, Policy]]]:
    """Return the versions of the policies that are claimed for and have more than one kind of period."""
    return {
        key: versions
        for key, versions in _policies(log).items()
        if len({policy.period for _, policy in versions}) > 1
        and any(policy.claim.how == "on-request" for _, policy in versions)
    }


@lru_cache(maxsize=256)
def _parsed(terms: str) -> Policy:
    """Read terms, once for all claims of a batch."""
    from ledger.domain.policy import parse_policy

    return parse_policy(terms, stored=True)


def _terms(log: SealedLog, customers: set[str], keys: set[str]) -> dict[str, set[tuple[str, str]]]:
    """Return by customer the policies, of some, that it subscribes to, each with the first day of its term."""
    from ledger.cli import facts

    found: dict[str, set[tuple[str, str]]] = {}
    if not log.streams("subscriptions/", limit=1):
        return found
    try:
        for part in (part for table in facts.tables(log, None, ()) for part in table.parts()):
            rows = part[part["customer"].isin(customers) & part["policy"].isin(keys)]
            for name, key, begins in rows[["customer", "policy", "valid_from"]].itertuples(
                index=False, name=None
            ):
                found.setdefault(str(name), set()).add((str(key), str(begins)[:10]))
    except (LedgerError, OSError, ValueError):
        return {}
    return found


def _two_periods(versions: Sequence[tuple[int, Policy]], label: str, term: str) -> str | None:
    """Return in words the periods of a policy that a label names for a term, None where that is at most one."""
    from ledger.domain.period import day_after, day_of
    from ledger.domain.policy.periods import period_named, ruling_period

    found: dict[tuple[int, int], str] = {}
    for rule in dict.fromkeys(policy.period for _, policy in versions):
        period = period_named(rule, label)
        if period is None:
            continue
        try:
            ruled = ruling_period(versions, day_of(period.zone, period.end - 1)[:7], term)
        except Refused:
            continue
        # Only what a run would price can be claimed for.
        if ruled is not None and ruled[1].claim.how == "on-request" and ruled[2] == period:
            found[period.start, period.end] = f"{period.first_day} to {day_after(period)}"
    return (
        f"two periods ({' and '.join(found.values())}, each without its last day)" if len(found) > 1 else None
    )
