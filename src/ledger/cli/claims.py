"""Commands for exclusions and claims: record them, list them, and see until when each customer may claim."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ledger.cli.filters import check_period, tell_none_fits
from ledger.cli.session import Session, cut_options, emit_json, json_option, table
from ledger.cli.write import command_of
from ledger.domain.instants import from_seconds, shown
from ledger.errors import Refused

if TYPE_CHECKING:
    from ledger.cli.run import Basis
    from ledger.domain.period import Period
    from ledger.domain.policy import Policy
    from ledger.domain.window import Window
    from projections.deadlines import Place

__all__ = [
    "claim",
    "claims",
    "deadlines",
    "decide_claim",
    "exclude",
    "exclusions",
    "withdraw_claim",
    "withdraw_exclusion",
]

exclude = command_of("exclude", "exclude")
withdraw_exclusion = command_of("withdraw-exclusion", "withdraw-exclusion")
claim = command_of("claim", "claim")
decide_claim = command_of("decide-claim", "decide-claim")
withdraw_claim = command_of("withdraw-claim", "withdraw-claim")

_ERASED = "[erased]"


@click.command()
@cut_options
@json_option
@click.pass_obj
def exclusions(session: Session, published_by: str | None, recorded_by: str | None, as_json: bool) -> None:
    """List the exclusions, withdrawn ones too. Whether one leaves anything out is for each policy to say."""
    from ledger.cli import recorded
    from ledger.domain.claims import ERASED

    texts = recorded.approvals(session.log())
    rows: list[dict[str, Any]] = []
    for one in recorded.exclusions(session.log(), session.cut(published_by, recorded_by)):
        announced = None if one.announced_at is None else from_seconds(one.announced_at)
        rows.append(
            {"exclusion": one.exclusion, "kind": one.kind, "service": one.service, "component": one.component,
             "region": one.region, "start": from_seconds(one.start), "end": from_seconds(one.end),
             "seconds": one.end - one.start, "announced_at": announced,
             "customer": _ERASED if one.customer == ERASED else one.customer, "cohort": one.cohort,
             "approved_by": texts[one.entries[0]][0], "evidence": texts[one.entries[0]][1],
             "withdrawn": one.withdrawn, "entries": list(one.entries)}
        )  # fmt: skip
    if as_json:
        for row in rows:
            emit_json(row)
        return
    table(
        ("exclusion", "kind", "service", "component", "region", "from", "until", "for", "approved by", "evidence", ""),
        (
            (row["exclusion"], row["kind"], row["service"], row["component"], row["region"], shown(row["start"]),
             shown(row["end"]), row["customer"] or (f"cohort {row['cohort']}" if row["cohort"] else "everybody"),
             row["approved_by"], row["evidence"], "withdrawn" if row["withdrawn"] else "")
            for row in rows
        ),
    )  # fmt: skip


@click.command()
@click.option("--period", metavar="YYYY-MM", help="Only claims for this period.")
@click.option("--customer", help="Only claims of this customer.")
@cut_options
@json_option
@click.pass_obj
def claims(
    session: Session, period: str | None, customer: str | None, published_by: str | None, recorded_by: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """List the claims, and what became of them."""
    from ledger.cli import recorded
    from ledger.store.stream import text_or_erased

    every = recorded.claims(session.log(), session.cut(published_by, recorded_by))
    known = {
        "period": {one.period for one in every},
        "customer": {one.customer for one in every if isinstance(one.customer, str)},
    }
    check_period(period, known["period"])
    rows: list[dict[str, Any]] = [
        {"claim": one.claim, "customer": text_or_erased(one.customer), "period": one.period, "at": one.at,
         "incidents": list(one.incidents), "state": one.state, "decided_at": one.decided_at, "entries": list(one.entries)}
        for one in every
        if period in (None, one.period) and customer in (None, one.customer)
    ]  # fmt: skip
    if not rows and not (period is None and customer is None):
        tell_none_fits("claim", known, period=period, customer=customer)
    if as_json:
        for row in rows:
            emit_json(row)
        return
    table(
        ("claim", "customer", "period", "arrived", "for", "state"),
        (
            (row["claim"], row["customer"], row["period"], shown(row["at"]),
             ", ".join(row["incidents"]) or "the whole period", row["state"])
            for row in rows
        ),
    )  # fmt: skip


@click.command()
@click.option("--period", required=True, metavar="YYYY-MM", help="The month, such as 2022-03.")
@click.option("--customer", help="Only this customer.")
@click.option("--subscriptions", "keys", multiple=True, help="Which tables of subscriptions (default: all).")
@cut_options
@click.option("--as-of", metavar="T", help="The present: what is still open (default: the cut, else now).")
@json_option
@click.pass_obj
def deadlines(
    session: Session, period: str, customer: str | None, keys: tuple[str, ...], published_by: str | None,
    recorded_by: str | None, as_of: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Show until when each customer may claim for each incident of a month, and whether they did.

    Only policies that ask for a claim set a deadline. Where the windows of an incident were told, or told anew, after it
    had passed, the entries that did so are named: the customer could not have known in time.
    """
    from ledger.cli import facts, recorded, run
    from projections import deadlines as view

    basis = run.basis(session, period, keys, published_by, recorded_by, as_of)
    subscribed = _subscribed(basis, customer)
    windows = _windows(session, basis, [one.period for one in subscribed])
    places = _places(basis, subscribed)
    incidents = sorted({window.incident for window in windows})
    rows = view.dues(
        places, windows, recorded.claims(session.log(), basis.cut),
        recorded.published_times(session.log(), incidents), period, basis.as_of,
    )  # fmt: skip
    if not rows:
        asked = [] if customer is None else basis.tables
        known = {name for one in asked for name in facts.values_of(one, "customer")}
        if customer is None or customer in known:
            click.echo(
                f"no deadline in {period}: no policy in use asks for a claim, or no incident touches what it covers",
                err=True,
            )
        else:
            tell_none_fits("deadline", {"customer": known}, customer=customer)
    if as_json:
        for due in rows:
            emit_json(view.as_json(due))
        return
    if not rows:
        return
    # Where policies have other periods than months it is said which one is claimed for.
    others = any(due.period != period for due in rows)
    table(
        ("customer", "policy", "service", "region", "incident", *(("period",) if others else ()), "within",
         "last day", "state", "told after it"),
        (
            (due.customer, f"{due.policy} v{due.policy_version}", due.service, due.region, due.incident,
             *((due.period,) if others else ()),
             due.rule, due.last_day,
             ", ".join((due.state, *(f"{one.claim} {one.state}" for one in due.claims))),
             ", ".join(f"{entry.rpartition(' ')[2]} {shown(at)}" for entry, at in due.revised_after))
            for due in rows
        ),
    )  # fmt: skip
    if wronged := [due for due in rows if due.revised_after and due.state in ("missed", "late")]:
        click.echo(
            f"{len(wronged)} deadline{'s' if len(wronged) > 1 else ''} passed before the vendor's own revision was told",
            err=True,
        )


def _subscribed(basis: Basis, customer: str | None) -> list[Place]:
    """Return what each customer of a run subscribes to under terms that ask for a claim, once for each period of these in the month.

    Who subscribes twice to the same, with terms that began on different days, may be under different versions.
    """
    import pandas as pd

    from projections.deadlines import Place

    asking = [
        key
        for key, versions in basis.policies.items()
        if any(policy.claim.how == "on-request" for _, policy in versions)
    ]
    periods: dict[tuple[str, str], list[tuple[int, Policy, Period, str, str]]] = {}
    found: dict[tuple[str, ...], Place] = {}
    for part in (part for one in basis.tables for part in one.parts()):
        chosen = part[part["policy"].isin(asking)]
        if customer is not None:
            chosen = chosen[chosen["customer"] == customer]
        rows = chosen[["customer", "policy", "service", "region", "valid_from", "valid_to"]].drop_duplicates()
        for name, key, service, region, valid_from, valid_to in rows.itertuples(index=False, name=None):
            begins, ends = str(valid_from)[:10], "9999" if pd.isna(valid_to) else str(valid_to)[:10]
            if (key, begins) not in periods:
                periods[key, begins] = _asking(basis, key, begins)
            for version, policy, period, first, past in periods[key, begins]:
                # The last day it is valid is the one before valid_to.
                if begins < past and begins < ends and ends > first:
                    place = Place(str(name), str(key), version, str(service), str(region), policy, period)
                    found.setdefault(
                        (*(str(one) for one in (name, key, service, region, version)), period.label), place
                    )
    return list(found.values())


def _asking(basis: Basis, key: str, term: str) -> list[tuple[int, Policy, Period, str, str]]:
    """Return the periods of a policy in a month whose terms ask for a claim: version, policy, period, and the days of it in the month.

    The days are the first, and the first that is no more.
    """
    from ledger.domain.period import day_after, parse_period
    from ledger.domain.policy import policy_in_force
    from ledger.domain.policy.periods import ruling_at

    versions = basis.policies[key]
    _, ruling = policy_in_force(versions, parse_period(basis.period), term)
    month = parse_period(basis.period, ruling.zone)
    found = []
    at = month.end - 1
    while at >= month.start:
        try:
            version, ruling, period = ruling_at(versions, ruling.period, at, term)
        except Refused:
            break  # Nothing was promised before.
        if ruling.claim.how == "on-request":
            first, past = max(period.first_day, month.first_day), min(day_after(period), day_after(month))
            found.append((version, ruling, period, first, past))
        at = period.start - 1
    return found


def _windows(session: Session, basis: Basis, periods: list[Period]) -> list[Window]:
    """Return the windows of some periods, and read the cohorts that they are limited to."""
    from ledger.cli import run

    if not periods:
        return []
    start, end = min(one.start for one in periods), max(one.end for one in periods)
    windows: list[Window] = session.views().windows(start, end, basis.cut, run.audience(basis.cut))
    basis.cohorts.read(
        sorted({one.cohort for one in windows if one.cohort is not None and not one.withdrawn})
    )
    return windows


def _places(basis: Basis, subscribed: list[Place]) -> list[Place]:
    """Return places with the cohorts that their customers are not in."""
    import msgspec
    import pandas as pd

    outside = _outside(basis, pd.Series([one.customer for one in subscribed], dtype="str"))
    return [
        msgspec.structs.replace(one, not_in=not_in) for one, not_in in zip(subscribed, outside, strict=True)
    ]


def _outside(basis: Basis, customers: Any) -> list[frozenset[str]]:
    """Return for each customer the cohorts, of those that windows of the run are limited to, that do not have them."""
    held = {name: cohort.holds(customers).tolist() for name, cohort in basis.cohorts.known.items()}
    return [
        frozenset(name for name, inside in held.items() if not inside[at]) for at in range(len(customers))
    ]
