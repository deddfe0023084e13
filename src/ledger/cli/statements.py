"""Commands for issued credits: issue a statement, list documents, show one, and compute it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NoReturn

import click
import msgspec

from ledger.cli.filters import check_period, tell_none_fits
from ledger.cli.not_due import not_due_words, say_not_due
from ledger.cli.not_issued import say_not_issued
from ledger.cli.publish import _publishing
from ledger.cli.recording import appended, print_receipt, telling
from ledger.cli.session import Session, cut_options, emit_json, json_option, table
from ledger.errors import Refused, Unavailable, counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ledger.append import Receipt
    from ledger.cli.documents import Reading
    from ledger.cli.not_due import NotDue
    from projections.drafts import Draft, IssuerChoice

__all__ = [
    "choice_options",
    "dates",
    "days_words",
    "is_over",
    "issue",
    "list_",
    "record",
    "refuse_unfinished",
    "show",
]

_SHOWN = 50


def choice_options(command: Any) -> Any:
    """Add how facts that are still open are to count."""
    for option in (
        click.option(
            "--undecided", type=click.Choice(["least", "most"]),
            help="Take this end of the bounds where the facts decide no amount and the policy does not say (not given: refused).",
        ),
        click.option("--provisional", is_flag=True, help="Count open windows as they stand where the policy does not say, and a month that is not over (not given: refused)."),
        click.option("--decided-on", metavar="DATE", help="When it was decided (default: today, in UTC)."),
        click.option(
            "--accounting-date", metavar="DATE",
            help="The date in the books (default: the last day of the earliest month that is open).",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def dates(
    session: Session, period: str, decided_on: str | None, accounting_date: str | None
) -> dict[str, str]:
    """Return the dates of a document, each as it was given or as it follows."""
    from ledger.cli import recorded
    from ledger.domain.documents import accounting_date as earliest_open
    from ledger.domain.period import days, parse_period

    last_day = days(parse_period(period))[-1].label
    return {
        "period": period,
        "decided_on": decided_on or session.now()[:10],
        "accounting_date": accounting_date or earliest_open(last_day, recorded.closed_months(session.log())),
    }


def record(
    session: Session, action: dict[str, Any], content: Callable[[], bytes], *, accept_clock: bool
) -> Receipt:
    """Issue a document and return its receipt; the same action sent again answers as before."""
    from ledger.cli.tables import said_of_lines
    from ledger.domain.actions import parse_action

    text = content()
    given = {**action, **said_of_lines(text)}
    return appended(session.appender(), [parse_action(given, content=text)], accept_clock=accept_clock)[0]


def _again(session: Session, verb: str, series: str, key: str | None, period: str) -> dict[str, Any] | None:
    """Return the fields of the document that was issued with an idempotency key for this period, if there is one.

    Salts are random, so the same request makes other lines; what was issued is what is sent again.
    """
    from ledger.domain.events import ACTIONS
    from ledger.store.entry import split_entry

    stored = None if key is None else session.log().by_keys([key]).get(key)
    if stored is None or stored.stream != f"statement/{series}" or stored.type != ACTIONS[verb].TYPE:
        return None
    fields: dict[str, Any] = msgspec.json.decode(split_entry(stored.entry))
    if fields["period"] != period:
        return None
    return {
        name: value
        for name, value in fields.items()
        if not (isinstance(value, dict) and set(value) == {"sha256"})
    }


def send_again(session: Session, action: dict[str, Any], asked: dict[str, Any]) -> Receipt | None:
    """Return the first receipt of a document that was issued with the same idempotency key, None where none was.

    action: verb, series, period and the texts. asked: what else was asked for in so many words, such as the dates; where it
    is not what was issued, the key is refused.
    """
    from ledger.domain.actions import parse_action

    series, key = str(action["statement"]), action.get("idempotency_key")
    known = _again(session, action["action"], series, key, str(action["period"]))
    if known is None:
        return None
    for name, value in asked.items():
        issued = known.get(name, known["rests_on"].get(name))
        if value not in (None, False) and value != issued:
            raise Refused(
                f"idempotency_key {key!r} already stands in statement/{series} with other content ({name} {issued!r}, not "
                f"{value!r}); use a new key"
            )
    known.pop("ref", None)
    return appended(session.appender(), [parse_action({**known, **action})])[0]


@click.command()
@click.option("--period", required=True, metavar="YYYY-MM", help="The month, such as 2022-03.")
@click.option(
    "--series", default="main", show_default=True, help="The series of documents; each is numbered by itself."
)
@click.option("--subscriptions", "keys", multiple=True, help="Which tables of subscriptions (default: all).")
@choice_options
@cut_options
@click.option(
    "--as-of", metavar="T", help="An open window lasts at least until T (default: the cut, else now)."
)
@_publishing
@click.pass_obj
def issue(
    session: Session, /, period: str, series: str, keys: tuple[str, ...], undecided: Literal["least", "most"] | None,
    provisional: bool, decided_on: str | None, accounting_date: str | None, published_by: str | None,
    recorded_by: str | None, as_of: str | None, as_json: bool, accept_clock: bool, **given: Any,
) -> None:  # fmt: skip
    """Issue the credits of a month as a statement: numbered in its series, and never edited.

    Every line is kept with a salt, so that one customer's can be proven without showing the others. What changes later is
    an adjustment (ledger credits restate). Facts that are still open are refused, unless the policy, or who issues, says how
    they count.
    """
    from ledger.cli import run
    from ledger.cli.documents import check_month, drafted, read_facts, said_to_rest_on, sources_of
    from ledger.domain.documents import check_begun, latest_date
    from projections.drafts import IssuerChoice, statement_text

    action = {"action": "issue-statement", "statement": series, "period": period, **_texts(given)}
    asked = {
        "decided_on": decided_on,
        "accounting_date": accounting_date,
        "undecided": undecided,
        "provisional": provisional,
    }
    if (receipt := send_again(session, action, asked)) is not None:
        with telling([receipt]):
            print_receipt(receipt, as_json)
        return
    check_month(period)
    check_begun(period, latest_date(session.now()))
    _refuse_twice(session, series, period)
    choice = IssuerChoice(undecided, provisional)
    reading = read_facts(session, run.basis(session, period, keys, published_by, recorded_by, as_of))
    refuse_unfinished(reading, choice)
    draft = drafted(session, reading, choice)
    if not len(draft.lines):
        _refuse_empty(period, reading.basis.not_due)
    _warn_of_claims(draft)
    say_not_due(period, reading.basis.not_due)
    sources = sources_of(session, reading, draft, {one["policy"] for one in draft.facts})
    action |= dates(session, period, decided_on, accounting_date)
    action["rests_on"] = said_to_rest_on(reading, choice, draft, sources, over=is_over(reading))
    receipt = record(
        session, action, lambda: statement_text(draft, session.salt_source()), accept_clock=accept_clock
    )
    told(session, series, receipt, as_json)


def _texts(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def _refuse_twice(session: Session, series: str, period: str) -> None:
    """Say at once what the ledger would refuse in the end, before a million lines are priced."""
    from ledger.cli import facts
    from ledger.cli.documents import documents_in
    from ledger.domain.events import StatementIssued

    for document, _ in documents_in(session, series):
        if isinstance(document.event, StatementIssued) and document.event.period == period:
            position = session.log().head().size
            say_not_issued(session, period, facts.policies(session.log(), position)[0], position)
            raise Refused(
                f"period {period!r} was already issued in series {series!r} as number {document.number}; what has changed "
                "since is an adjustment: ledger credits restate"
            )


def refuse_unfinished(reading: Reading, choice: IssuerChoice) -> None:
    """Refuse to count a month that is not over, unless it was chosen to count what is open as it stands."""
    from ledger.domain.instants import shown

    if not choice.provisional and not is_over(reading):
        basis = reading.basis
        raise Refused(
            f"period {basis.period!r} is not over everywhere ({shown(basis.as_of)}), so its downtime may still grow; wait, or "
            "issue with --provisional to count it as it stands"
        )


def is_over(reading: Reading) -> bool:
    """Tell whether the month of a reading was over in the zones of all policies by the time it is read as of."""
    from ledger.cli import run

    return run.is_over(reading.basis)


def _refuse_empty(period: str, waiting: Iterable[NotDue]) -> NoReturn:
    """Say why a month has nothing to issue: nobody is subscribed, or the periods of all policies end in other months."""
    if said := not_due_words(waiting):
        raise Refused(
            f"no period of a policy ends in {period}, so there is nothing to issue: {said}; issue the month in which it ends"
        )
    raise Refused(f"no subscription is valid in {period}, so there is nothing to issue")


def _warn_of_claims(draft: Draft) -> None:
    from projections.service_days import any_of

    days = draft.lines["service_days_unclaimed"].to_numpy(dtype=object)
    unclaimed = int(((draft.lines["unclaimed"] != 0).to_numpy() | any_of(days)).sum())
    if unclaimed:
        click.echo(
            f"note: {unclaimed:,} line{'s' if unclaimed > 1 else ''} would be credited on a claim, and none was granted "
            "(ledger sla deadlines, ledger sla claims)",
            err=True,
        )


def told(session: Session, series: str, receipt: Receipt, as_json: bool) -> None:
    """Print what was issued."""
    from ledger.cli.documents import documents_in, row_of

    with telling([receipt]):
        found = next(pair for pair in documents_in(session, series) if pair[0].version == receipt.version)
        row = row_of(series, *found)
        if as_json:
            emit_json({**row, "receipt": receipt.as_json()})
            return
        print_receipt(receipt, as_json=False)
        click.echo(
            f"{row['kind']} {series} number {row['number']} for {row['period']}, booked {row['accounting_date']}"
        )
        _print_totals(row)


def _print_totals(row: dict[str, Any]) -> None:
    if not row["totals"]:
        click.echo("no line changes its amount")
        return
    if row["service_days"] is not None:
        click.echo(days_words(row["service_days"]))
    waived = any(one["waived"] is not None for one in row["totals"])
    table(
        ("currency", "lines", "amount", *(("waived",) if waived else ())),
        (
            (one["currency"], f"{one['lines']:,}", one["amount"], *((one["waived"] or "",) if waived else ()))
            for one in row["totals"]
        ),
        right=(1, 2, 3) if waived else (1, 2),
    )


def days_words(total: dict[str, Any]) -> str:
    """Return the sum of days of service in words."""
    waived = "" if total["waived"] in (None, "0") else f", {total['waived']} waived"
    return f"{total['days']} days of service in {counted(total['lines'], 'line')}{waived}"


def _amounts_of(row: dict[str, Any]) -> str:
    days = row["service_days"]
    said = [
        *(f"{one['amount']} {one['currency']}" for one in row["totals"]),
        *([] if days is None else [f"{days['days']} days of service"]),
    ]
    return ", ".join(said) or "none"


@click.command("list")
@click.option("--series", help="Only this series.")
@click.option("--period", metavar="YYYY-MM", help="Only documents about this period.")
@json_option
@click.pass_obj
def list_(session: Session, series: str | None, period: str | None, as_json: bool) -> None:
    """List the documents that were issued, series by series."""
    from ledger.cli.documents import documents_in, row_of, series_named

    every = [
        (name, document, entry)
        for name in series_named(session, series)
        for document, entry in documents_in(session, name)
    ]
    known = {document.event.period for _, document, _ in every}
    check_period(period, known)
    rows = [
        row_of(name, document, entry)
        for name, document, entry in every
        if period in (None, document.event.period)
    ]
    if not rows and period is not None:
        tell_none_fits("document", {"period": known}, period=period)
    if as_json:
        for row in rows:
            emit_json(row)
        return
    table(
        ("series", "number", "what", "period", "decided", "booked", "lines", "amounts"),
        (
            (row["series"], str(row["number"]), row["kind"] if row["adjusts"] is None else f"adjusts {row['adjusts']}",
             row["period"], row["decided_on"], row["accounting_date"], f"{row['lines']:,}",
             _amounts_of(row))
            for row in rows
        ),
        right=(1, 6),
    )  # fmt: skip


@click.command()
@click.argument("number", type=int)
@click.option("--series", default="main", show_default=True, help="The series of the document.")
@click.option("--customer", help="Only the lines of this customer.")
@click.option("--recompute", is_flag=True, help="Compute it again from what it rests on, and compare.")
@json_option
@click.pass_context
def show(
    ctx: click.Context, /, number: int, series: str, customer: str | None, recompute: bool, as_json: bool
) -> None:
    """Show document NUMBER of a series, or with --recompute whether it comes out the same again.

    Exit code 1: it does not; the lines that differ are named, and why; or its lines were altered. 3: something it rests on is not at hand.
    """
    from ledger.cli.documents import chain_of, documents_in, row_of
    from ledger.store.lines import KeptLines

    if recompute and customer is not None:
        raise click.UsageError("--recompute compares all lines of a document; leave --customer out")
    session: Session = ctx.obj
    chain = chain_of(session, series, lambda one: one.number == number, f"number {number}").upto(number)
    entry = next(entry for one, entry in documents_in(session, series) if one.number == number)
    row = row_of(series, chain.last, entry)
    if recompute:
        from ledger.cli.recomputing import recomputed

        found = recomputed(session, chain)
        if as_json:
            emit_json({**row, "recomputed": found.as_json()})
        else:
            found.tell(click.echo)
        if found.differences:
            ctx.exit(1)
        return
    kept = KeptLines(session.log(), chain.last.event.lines)
    kept.whole()  # what is shown as issued was issued
    assessments = kept.assessments()
    lines, known = [], set()
    for leaf in kept.leaves():
        line = msgspec.json.decode(leaf)["line"]
        if customer in (None, line["customer"]):
            lines.append(line)
        elif not lines:
            known.add(line["customer"])
    if not lines and customer is not None:
        tell_none_fits("line", {"customer": known}, customer=customer)
    if as_json:
        emit_json({**row, "details": {"assessments": assessments, "lines": lines}})
        return
    click.echo(
        f"{row['kind']} {series} number {number} for {row['period']}"
        + (f", adjusts {row['adjusts']}" if row["adjusts"] is not None else "")
    )
    click.echo(
        f"decided {row['decided_on']}, booked {row['accounting_date']}, recorded {row['recorded_at']} @{row['position']}"
    )
    rests = row["rests_on"]
    click.echo(f"rests on @{rests['position']}, root {rests['root']}, calculator {rests['calculator']}")
    for said in _open_facts(rests):
        click.echo(said)
    if row["causes"]:
        click.echo(f"because of {', '.join(row['causes'])}")
    _print_totals(row)
    if lines:
        _print_lines(lines, assessments)


def _open_facts(rests: dict[str, Any]) -> list[str]:
    """Return in words how facts counted that were open, and who said so."""
    found = [
        f"open facts: {_counts(one)}, as {one['stream']} v{one['version']} says"
        for one in rests["policies_say"]
    ]
    if rests["undecided"] is not None or rests["provisional"]:
        found.append(f"open facts: {_counts(rests)}, as who issued it chose")
    return found


def _counts(said: dict[str, Any]) -> str:
    undecided = said.get("undecided")
    return " and ".join(
        [
            *([] if undecided is None else [f"the {undecided} where amounts are undecided"]),
            *(["open windows as they stood"] if said.get("provisional") else []),
        ]
    )


# What a line may say beside its amounts, in words.
_ALSO = {
    "waived": "{} waived",
    "unclaimed": "{} on a claim",
    "undecided": "the {} of its bounds",
    "service_days_waived": "{} days waived",
    "service_days_unclaimed": "{} days on a claim",
}
_DAYS = {
    "days issued": "service_days_as_issued",
    "days now": "service_days_as_now",
    "days of service": "service_days",
}


def _print_lines(lines: list[dict[str, Any]], assessments: list[dict[str, Any]]) -> None:
    adjusts = any("as_issued" in line for line in lines)
    in_days = any("service_days" in line for line in lines)
    of_days = (*(("days issued", "days now") if adjusts else ()), "days of service") if in_days else ()
    headings = (
        "customer",
        "subscription",
        *(("as issued", "as now") if adjusts else ()),
        "amount",
        *of_days,
        "",
        "why",
    )

    def cells(line: dict[str, Any]) -> tuple[str, ...]:
        one = assessments[line["assessment"]]
        facts = one.get("after", one) or one["before"]
        money = (line["as_issued"], line["as_now"]) if adjusts else ()
        also = ", ".join(
            said.format(line[name]) for name, said in _ALSO.items() if line.get(name) is not None
        )
        why = "no longer subscribed" if one.get("after", one) is None else facts["rule"]
        return (
            line["customer"],
            line["subscription"],
            *money,
            f"{line['amount']} {line['currency']}",
            *(line.get(_DAYS[name], "") for name in of_days),
            also,
            why,
        )

    right = range(2, len(headings) - 2)
    table(headings, (cells(line) for line in lines[:_SHOWN]), right=right)
    if len(lines) > _SHOWN:
        click.echo(
            f"and {len(lines) - _SHOWN:,} more lines; --json has all, --customer those of one customer"
        )


def at_hand(action: Callable[[], Any]) -> Any:
    """Return what an input of a document gives; what was changed since is not at hand."""
    try:
        return action()
    except Unavailable:
        raise
    except Refused as error:
        raise Unavailable(f"an input of the document is not at hand: {error}") from None


def choice_of(rests_on: Any) -> IssuerChoice:
    """Return how open facts counted in a document."""
    from projections.drafts import IssuerChoice

    return IssuerChoice(rests_on.undecided, rests_on.provisional)
