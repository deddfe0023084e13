"""The command that restates: what is issued against what is known now, as a proposal or as an adjustment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import click
import msgspec

from ledger.cli import run
from ledger.cli.not_due import counted_not_due, say_not_due
from ledger.cli.not_issued import say_not_issued
from ledger.cli.publish import _publishing
from ledger.cli.recording import print_receipt, telling
from ledger.cli.session import Session, cut_options, emit_json, table
from ledger.cli.since import WHOLE, calculator_words, changed_sources, policies_of, since_last, tables_now
from ledger.cli.statements import (
    choice_options,
    dates,
    days_words,
    is_over,
    record,
    refuse_unfinished,
    send_again,
    told,
)
from ledger.domain.money import format_money
from ledger.errors import Refused, counted

if TYPE_CHECKING:
    from ledger.cli.documents import Reading
    from projections.drafts import Draft, IssuerChoice
    from projections.issued import Chain, Held
    from projections.replay import Cut

__all__ = ["Proposal", "propose", "restate"]

_SHOWN = 50


def _maybe_publishing(command: Any) -> Any:
    return _publishing(command, always=False)


class Proposal(msgspec.Struct):
    """What an adjustment would say, and what it would rest on. whole: every line was looked at."""

    chain: Any
    reading: Any
    draft: Any
    found: Any
    sources: dict[str, tuple[int, str | None]]
    whole: bool


@click.command()
@click.argument("number", type=int, required=False)
@click.option("--period", metavar="YYYY-MM", help="Instead of NUMBER: the period whose statement is meant.")
@click.option("--series", default="main", show_default=True, help="The series of the statement.")
@click.option(
    "--issue", "issues", is_flag=True, help="Record the adjustment; without it, it is only proposed."
)
@click.option("--whole", is_flag=True, help="Look at every line, also where nothing that moved can reach it.")
@choice_options
@cut_options
@click.option(
    "--as-of", metavar="T", help="An open window lasts at least until T (default: the cut, else now)."
)
@_maybe_publishing
@click.pass_obj
def restate(
    session: Session, /, number: int | None, period: str | None, series: str, issues: bool, whole: bool,
    undecided: Literal["least", "most"] | None, provisional: bool, decided_on: str | None, accounting_date: str | None,
    published_by: str | None, recorded_by: str | None, as_of: str | None, as_json: bool, accept_clock: bool, **given: Any,
) -> None:  # fmt: skip
    """Compare what is issued for a period with what is known now, and propose an adjustment; --issue records it.

    NUMBER is the statement, or any document about it. Each line that changes shows what was issued, what is right now, the
    difference, and the entries that made it. What the policy does not take back is waived. Only lines that something which
    moved can reach are computed; with other tables, policies, cohorts or claims that is all of them.
    """
    from ledger.cli.documents import chain_of
    from projections.drafts import IssuerChoice

    if (number is None) == (period is None):
        raise click.UsageError("name either the number of a statement or, with --period, its period")
    if issues and given["actor"] is None:
        raise click.UsageError("--issue records who says so; add --actor, or set LEDGER_ACTOR")
    chain = chain_of(
        session, series,
        (lambda one: one.number == number) if period is None else (lambda one: one.event.period == period),
        f"number {number}" if period is None else f"period {period!r}",
    )  # fmt: skip
    action: dict[str, Any] = {
        "action": "issue-adjustment", "statement": series, "period": chain.statement.event.period,
        **{name: value for name, value in given.items() if value is not None},
    }  # fmt: skip
    if issues:
        asked = {"decided_on": decided_on, "accounting_date": accounting_date, "undecided": undecided,
                 "provisional": provisional, "adjusts": chain.statement.number}  # fmt: skip
        if (receipt := send_again(session, action, asked)) is not None:
            with telling([receipt]):
                print_receipt(receipt, as_json)
            return
    # What is still open counts as it did in the last document, unless it is said otherwise.
    before = chain.last.event.rests_on
    choice = IssuerChoice(undecided or before.undecided, provisional or before.provisional)
    made = propose(session, chain, choice, session.cut(published_by, recorded_by), as_of, whole=whole)
    _say_not_due(session, chain, made)
    basis = made.reading.basis
    say_not_issued(session, basis.period, basis.policies, basis.size)
    _warn_of_erased(made)
    if issues:
        _issue(
            session,
            action,
            made,
            choice,
            dates(session, action["period"], decided_on, accounting_date),
            as_json=as_json,
            accept_clock=accept_clock,
        )
    else:
        _tell(made, as_json)


def _say_not_due(session: Session, chain: Chain, made: Proposal) -> None:
    """Say which subscriptions of the statement's tables have no row in its month; counted already where all were priced."""
    basis = made.reading.basis
    say_not_due(
        basis.period,
        basis.not_due
        if made.whole
        else counted_not_due(basis.policies, basis.period, lambda: tables_now(session, chain, basis.size)),
    )


def _warn_of_erased(made: Proposal) -> None:
    """Say which granted claims count for nobody any more because their customer was erased, where that is what changes a line."""
    causes = {entry.rpartition(" v")[0] for entry in made.found.causes}
    gone = [
        one.claim
        for one in made.reading.claims
        if one.state == "granted" and not isinstance(one.customer, str) and f"claim/{one.claim}" in causes
    ]
    if gone:
        click.echo(
            f"warning: the customer of {', '.join(gone)} was erased, so what was granted counts for nobody and its lines are restated as "
            "unclaimed; where the credit is to stay, file the claim anew and grant it first",
            err=True,
        )


def _issue(
    session: Session,
    action: dict[str, Any],
    made: Proposal,
    choice: IssuerChoice,
    when: dict[str, str],
    *,
    as_json: bool,
    accept_clock: bool,
) -> None:
    from ledger.cli.documents import said_to_rest_on
    from projections.restated import adjustment_text

    chain: Chain = made.chain
    if not made.found.pairs:
        raise Refused(
            f"nothing has changed since number {chain.last.number}, so there is nothing to adjust; what would change "
            "shows without --issue"
        )
    action |= when | {
        "adjusts": chain.statement.number, "follows": chain.last.number,
        "rests_on": said_to_rest_on(
            made.reading, choice, made.draft, made.sources, over=is_over(made.reading),
            kept=None if made.whole else chain.last.event.rests_on,
        ),
        "causes": [_source(one) for one in made.found.causes],
    }  # fmt: skip
    receipt = record(
        session, action, lambda: adjustment_text(made.found, session.salt_source()), accept_clock=accept_clock
    )
    told(session, chain.series, receipt, as_json)


def _source(entry: str) -> dict[str, Any]:
    stream, _, version = entry.rpartition(" v")
    return {"stream": stream, "version": int(version)}


# ---- what changed ----------------------------------------------------------------------------------------


def propose(
    session: Session, chain: Chain, choice: IssuerChoice, cut: Cut, as_of: str | None, *, whole: bool = False
) -> Proposal:
    """Return what an adjustment of a statement would say. Raises Refused where facts are open and not chosen."""
    from ledger.cli.documents import read_facts, sources_of
    from projections.drafts import nothing_drafted
    from projections.issued import held
    from projections.restated import Restated, reached, restated

    last = chain.last.event
    position = session.log().head().size if cut.recorded_by is None else cut.recorded_by
    if position < last.rests_on.position:
        raise Refused(
            f"position @{position} is before @{last.rests_on.position}, which number {chain.last.number} rests on; restate "
            "from what is known now"
        )
    basis = run.basis(
        session,
        last.period,
        (),
        cut.published_by,
        f"@{position}",
        session.as_of(cut, as_of),
        subscribed=lambda: tables_now(session, chain, position),
    )
    reading = read_facts(session, basis)
    refuse_unfinished(reading, choice)
    before = {one.stream: one.version for one in last.rests_on.sources}
    changed = changed_sources(session, chain, before, reading, position)
    since = since_last(session, chain, reading, changed)
    if whole or _all_of_it(chain, choice, changed):
        reading.basis.tables = tables_now(session, chain, position)
        draft = _drafted(session, reading, choice)
        issued = held(session.log(), chain)
        found = restated(issued, draft, reading.policy_of, since)
        in_use = {one["policy"] for one in draft.facts}
        return Proposal(chain, reading, draft, found, sources_of(session, reading, draft, in_use), True)
    issued = held(session.log(), chain, reached(since.moved, reading.policy_of))
    if len(issued.lines):
        draft = _drafted(session, reading, choice, issued)
        found = restated(issued, draft, reading.policy_of, since)
    else:
        draft, found = nothing_drafted(), Restated([], 0)
    # The tables, policies, cohorts and claims are those of the last document; only what moved may differ.
    kept = {
        one.stream: (one.version, one.sha256)
        for one in last.rests_on.sources
        if one.stream.partition("/")[0] in WHOLE
    }
    return Proposal(
        chain,
        reading,
        draft,
        found,
        {**kept, **sources_of(session, reading, draft, policies_of(chain))},
        False,
    )


def _drafted(session: Session, reading: Reading, choice: IssuerChoice, issued: Held | None = None) -> Draft:
    from ledger.cli.documents import drafted

    return drafted(session, reading, choice, None if issued is None else _subscriptions(issued))


def _subscriptions(issued: Held) -> Any:
    """Return the subscriptions that lines were issued for, as a table to price."""
    from projections.subscriptions import table_of

    lines = issued.lines
    facts = [issued.known[at] for at in lines["before"].tolist()]
    fees = [
        format_money(fee, currency)
        for fee, currency in zip(lines["fee"].tolist(), lines["currency"].tolist(), strict=True)
    ]
    columns: dict[str, list[str | None]] = {
        **{
            # An end that is not there is null, which a column of texts keeps as not a number.
            name: lines[name].astype(object).where(lines[name].notna(), None).tolist()
            for name in ("customer", "subscription", "currency", "valid_from", "valid_to")
        },
        **{name: [one[name] for one in facts] for name in ("service", "region", "policy")},
        "fee": list(fees),
    }
    return table_of(columns, lambda row: f"line {row + 1}")


def _all_of_it(chain: Chain, choice: IssuerChoice, changed: dict[str, tuple[int, int]]) -> bool:
    """Tell whether any line may come out otherwise, whatever moved."""
    last = chain.last.event.rests_on

    def tables(document: Any) -> list[Any]:
        return [one for one in document.event.rests_on.sources if one.stream.startswith("subscriptions/")]

    return (
        bool(changed)
        or calculator_words(chain) is not None
        or choice.undecided != last.undecided
        # A line that was in another region in one of the documents would be looked for in the wrong place.
        or any(tables(one) != tables(chain.statement) for one in chain.documents)
    )


# ---- in words --------------------------------------------------------------------------------------------


def _tell(made: Proposal, as_json: bool) -> None:
    found = made.found
    rows = [row for pair in found.pairs for row in _rows(pair)]
    totals, days = _sums(rows)
    if as_json:
        emit_json(
            {"series": made.chain.series, "adjusts": made.chain.statement.number, "follows": made.chain.last.number,
             "period": made.chain.statement.event.period, "size": made.reading.basis.size, "root": made.reading.basis.root,
             "as_of": made.reading.basis.as_of, "lines_computed": found.lines, "whole": made.whole,
             "causes": found.causes, "totals": totals, "service_days": days, "lines": rows,
             "assessments": [{"before": one.before, "after": one.after, "causes": list(one.causes)} for one in found.pairs]}
        )  # fmt: skip
        return
    if not found.pairs:
        click.echo(f"nothing has changed since number {made.chain.last.number}")
        return
    click.echo(
        f"{counted(len(rows), 'line')} and {counted(len(found.pairs), 'assessment')} change after number {made.chain.last.number}; "
        f"{found.lines:,} were computed"
    )
    calculator = calculator_words(made.chain)
    unnamed = calculator if any(len(pair.lines) and not pair.causes for pair in found.pairs) else None
    causes = [*found.causes, *([unnamed] if unnamed else [])]
    click.echo(f"because of {', '.join(causes) or calculator or 'how open facts are counted, by choice'}")
    if rows:
        of_days = ("days issued", "days now", "days") if days is not None else ()
        table(
            ("customer", "subscription", "as issued", "as now", "delta", *of_days, "what", "because of"),
            (
                (row["customer"], row["subscription"], row["as_issued"], row["as_now"], f"{row['amount']} {row['currency']}",
                 *(row.get(name, "") for name in ("service_days_as_issued", "service_days_as_now", "service_days") if of_days),
                 row["memo"], ", ".join(row["causes"]) or calculator or "")
                for row in rows[:_SHOWN]
            ),
            right=range(2, 5 + len(of_days)),
        )  # fmt: skip
    if len(rows) > _SHOWN:
        click.echo(f"and {counted(len(rows) - _SHOWN, 'more line')}; --json has all")
    for one in totals:
        click.echo(f"{one['amount']} {one['currency']} in {counted(one['lines'], 'line')}" + (
            f", {one['waived']} waived" if one["waived"] is not None else ""
        ))  # fmt: skip
    if days is not None:
        click.echo(days_words(days))
    click.echo("nothing was recorded; --issue records it", err=True)


def _rows(pair: Any) -> list[dict[str, Any]]:
    from projections.drafts import lines_of

    found = []
    for line in lines_of(pair.lines):
        line.pop("assessment")
        # Days are booked beside money: where no money is, they say what the line is.
        booked = line["amount"] if line["amount"].strip("0.") else line.get("service_days", "0")
        memo = (
            "debit memo"
            if booked.startswith("-")
            else "credit memo"
            if booked.strip("0.")
            else _unbooked(line)
        )
        found.append({**line, "memo": memo, "causes": list(pair.causes)})
    return found


def _unbooked(line: dict[str, Any]) -> str:
    """Return what a line is that books nothing."""
    return "waived" if "waived" in line or "service_days_waived" in line else "moved"


def _sums(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Return what lines would add up to as a document says it: money by currency, and days of service or None."""
    from ledger.cli.documents import days_as_json, totals_as_json
    from ledger.store.lines import Money, Sums

    sums = Sums()
    for number, row in enumerate(rows, 1):
        sums.add(number, msgspec.convert({"assessment": 0, **row}, Money))
    days = sums.service_days()
    return totals_as_json(sums.totals()), None if days is None else days_as_json(days)
