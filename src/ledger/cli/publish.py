"""Commands that publish policies, subscriptions and cohorts, and show them."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.recording import record, telling
from ledger.cli.session import Session, emit_json, json_option, table
from ledger.cli.tables import parse_with_files
from ledger.cli.terms import findings_of, library, lint, schema
from ledger.domain.events import CohortPublished, PolicyPublished, SubscriptionsPublished
from ledger.errors import LedgerError, nearest

if TYPE_CHECKING:
    from ledger.domain.policy import Policy

__all__ = ["cohort", "policy", "subscriptions"]


def _publishing(command: Any, *, always: bool = True) -> Any:
    """Add the options of a command that records; always: it does so each time, and has to know who says so."""
    for option in (
        click.option(
            "--actor",
            envvar="LEDGER_ACTOR",
            show_envvar=True,
            required=always,
            help="Who says so, as claimed.",
        ),
        click.option("--reason", help="Why, public."),
        click.option("--note", help="Why, never public."),
        click.option("--source", help="URL or ticket."),
        click.option(
            "--published-at", metavar="T", help="When it was made public (default: when it is recorded)."
        ),
        click.option("--idempotency-key", help="The same key with the same content is recorded once."),
        click.option("--expected-version", type=int, help="Refuse unless the stream has this version."),
        click.option(
            "--accept-clock", is_flag=True, help="Record although the clock is behind the last entry."
        ),
        json_option,
    ):
        command = option(command)
    return command


def _publish(session: Session, given: dict[str, Any], *, as_json: bool, accept_clock: bool) -> None:
    parsed = parse_with_files(
        {name: value for name, value in given.items() if value is not None and value is not False}
    )
    (receipt,) = receipts = record(session, [parsed], accept_clock=accept_clock, as_json=as_json)
    with telling(receipts):
        if isinstance(parsed.event, SubscriptionsPublished):
            _warn_of_names(session, receipt.stream.partition("/")[2])
        elif isinstance(parsed.event, CohortPublished):
            _warn_of_customers(session, receipt.stream.partition("/")[2])
        elif isinstance(parsed.event, PolicyPublished):
            _warn_of_contradictions(parsed.event.terms)


def _warn_of_contradictions(terms: str) -> None:
    """Say on standard error what the linter calls an error: terms may be a true copy of a contract that contradicts itself."""
    for one in findings_of(terms)[1]:
        if one.level == "error":
            click.echo(
                f"warning: {one.kind}: {one.sentence}; see ledger policy lint, and publish a next version if it is a mistake",
                err=True,
            )


def _warn_of_customers(session: Session, key: str) -> None:
    """Say on standard error which customers of a cohort no table of subscriptions knows: a typo there pays nothing."""
    from ledger.cli import facts
    from projections.cohorts import Seen

    cohorts = facts.Cohorts(session.log(), None)
    cohorts.read([key])
    seen = [Seen(one) for one in cohorts.known.values()]
    # Before there are subscriptions, or while a table of them is away, there is nothing to compare with; a run of credits
    # says it then.
    with suppress(LedgerError):
        for published in facts.tables(session.log(), None, ()):
            for part in published.parts():
                for one in seen:
                    one.add(part)
        facts.warn_of_strangers(seen)


def _warn_of_names(session: Session, key: str) -> None:
    """Say which policies, services and regions a published table names that are not known."""
    from ledger.cli import facts

    policies: Counter[str] = Counter()
    places: Counter[tuple[str, str]] = Counter()
    billed: Counter[tuple[str, str]] = Counter()
    for published in facts.tables(session.log(), None, (key,)):
        for part in published.parts():
            policies.update(part["policy"].tolist())
            billed.update(zip(part["policy"].tolist(), part["currency"].tolist(), strict=True))
            places += facts.places_of(part)
    known = facts.policies(session.log(), None)[0]
    for name, number in policies.items():
        if name not in known:
            click.echo(
                f"warning: policy {name!r} of {number:,} subscription{'s' if number > 1 else ''} is not published{nearest(name, known)}; "
                "publish it before credits are computed",
                err=True,
            )
    _warn_of_currencies(known, billed)
    facts.warn_of_places(session.log(), places)


def _warn_of_currencies(known: dict[str, list[tuple[int, Policy]]], billed: Counter[tuple[str, str]]) -> None:
    """Say which subscriptions are billed in a currency of which the present terms of their policy name no sum.

    billed: subscriptions by policy and currency.
    """
    from ledger.domain.policy.model import sum_in, tables_of_sums

    for (name, currency), number in sorted(billed.items()):
        if name not in known:
            continue
        version, terms = known[name][-1]
        missing = [
            where
            for where, sums in tables_of_sums(terms.limits, terms.commitments)
            if sums and sum_in(sums, currency) is None
        ]
        if terms.currencies and currency not in terms.currencies:
            missing = ["currencies"]
        if missing:
            click.echo(
                f"warning: {number:,} subscription{'s are' if number > 1 else ' is'} billed in {currency}, which policy {name!r} "
                f"v{version} does not name in {' and '.join(missing)}; publish terms that name it, or no credits can be computed",
                err=True,
            )


@click.group()
def policy() -> None:
    """Publish, show and check the terms of SLAs."""


for _command in (lint, schema, library):
    policy.add_command(_command)


@policy.command("publish")
@click.argument("path", metavar="FILE")
@_publishing
@click.pass_obj
def policy_publish(session: Session, /, path: str, as_json: bool, accept_clock: bool, **given: Any) -> None:
    """Publish the terms in FILE (TOML) as the next version of the policy they name."""
    action = {"action": "publish-policy", "path": path, **given}
    _publish(session, action, as_json=as_json, accept_clock=accept_clock)


@policy.command("list")
@json_option
@click.pass_obj
def policy_list(session: Session, as_json: bool) -> None:
    """List the policies and their versions."""
    from ledger.cli.facts import policies

    rows = [
        {"policy": key, "version": version, "in_force_from": one.in_force_from, "zone": one.zone, "title": one.title,
         "sha256": one.sha256}
        for key, versions in sorted(policies(session.log(), None)[0].items())
        for version, one in versions
    ]  # fmt: skip
    if as_json:
        for row in rows:
            emit_json(row)
    else:
        table(("policy", "version", "in force from", "zone", "title"),
              ((row["policy"], f"v{row['version']}", row["in_force_from"], row["zone"], row["title"]) for row in rows))  # type: ignore[misc]  # fmt: skip


@policy.command("show")
@click.argument("key")
@click.option("--version", type=int, help="Which version; the latest if not given.")
@json_option
@click.pass_obj
def policy_show(session: Session, key: str, version: int | None, as_json: bool) -> None:
    """Print the terms of policy KEY exactly as they were published."""
    from ledger.domain.events import PolicyPublished
    from ledger.errors import Refused
    from ledger.store.stream import read_stream

    found = [
        one for one in read_stream(session.log(), f"policy/{key}") if isinstance(one.event, PolicyPublished)
    ]
    chosen = [one for one in found if version is None or one.version == version]
    if not chosen:
        versions = ", ".join(f"v{one.version}" for one in found) or "none"
        raise Refused(f"policy {key!r} has no such version; it has {versions}")
    event = chosen[-1].event
    if not isinstance(event, PolicyPublished):
        raise TypeError(event.TYPE)
    if as_json:
        emit_json(
            {"policy": key, "version": chosen[-1].version, "sha256": event.sha256, "terms": event.terms}
        )
    else:
        click.echo(event.terms, nl=not event.terms.endswith("\n"))


def _table_group(kind: str, words: str, columns: str) -> click.Group:
    @click.group(help=words)
    def group() -> None:
        pass

    @group.command(
        "publish",
        help=f"Publish the table in FILE (CSV or Parquet); it replaces the earlier one of KEY.\n\n{columns}",
    )
    @click.argument("key")
    @click.argument("path", metavar="FILE")
    @click.option(
        "--by-location", is_flag=True, help="Leave the table where it is; keep its digest and place only."
    )
    @_publishing
    @click.pass_obj
    def publish(
        session: Session,
        /,
        key: str,
        path: str,
        by_location: bool,
        as_json: bool,
        accept_clock: bool,
        **given: Any,
    ) -> None:
        action = {"action": f"publish-{kind}", kind: key, "path": path, "by_location": by_location, **given}
        _publish(session, action, as_json=as_json, accept_clock=accept_clock)

    return group


subscriptions = _table_group(
    "subscriptions",
    "Publish what customers pay for.",
    "Columns: customer, subscription, service, region, policy, currency, fee, valid_from, valid_to. valid_from is the first day, "
    "valid_to the first one on which it is no longer valid (empty: it goes on).",
)
cohort = _table_group(
    "cohort",
    "Publish a named set of customers.",
    "The only column is customer, as the subscriptions spell it; a window limited to the cohort KEY is credited to them only.",
)
