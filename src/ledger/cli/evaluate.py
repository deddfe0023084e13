"""`ledger sla evaluate`: what any facts come to under any policy, from options or from JSON, without a ledger."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.session import Session, emit_json, json_option
from ledger.errors import LedgerError, NotUnderstood, Refused, nearest

if TYPE_CHECKING:
    from ledger.domain.policy import Policy

__all__ = ["evaluate"]

_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?(second|minute|hour|day)s?", re.ASCII)


@click.command()
@click.argument("facts", metavar="[FACTS]", required=False)
@click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="FILE|KEY",
    help="The terms: a TOML file, or the key of a policy of the ledger or the library. Several files may be versions of one.",
)
@click.option(
    "--period",
    "periods",
    multiple=True,
    metavar="P",
    help="2022-03, 2022-Q1, 2022, 2022-03-14 or START/END; may be given often.",
)
@click.option("--region", help="Which region, where windows name several.")
@click.option(
    "--window",
    "windows",
    multiple=True,
    metavar="START/END[,NAME=VALUE…]",
    help="An impact window; without an end it is open. Names: region, effect, share, share_at_most, cohort and so on.",
)
@click.option(
    "--exclude",
    "exclusions",
    multiple=True,
    metavar="START/END[,NAME=VALUE…]",
    help="Excludable time. Names: kind, announced_at, region.",
)
@click.option("--downtime", metavar="DURATION", help='Plain downtime, such as "450 minutes".')
@click.option("--availability", metavar="PERCENT", help="A plain availability in percent, such as 99.5.")
@click.option(
    "--outage", "outages", multiple=True, metavar="DURATION[,share=S]", help="One of several plain outages."
)
@click.option("--failed", help="How many failed, with --total.")
@click.option("--total", help="Of how many.")
@click.option("--value", help="A latency, days or a count, where the policy measures one.")
@click.option("--fee", metavar="AMOUNT", help="What the policy pays a part of, in major units.")
@click.option("--currency", metavar="CODE", help="ISO 4217, such as USD.")
@click.option("--as-of", metavar="T", help="An open window lasts at least until T (default: now).")
@click.option(
    "--approximately",
    metavar="DURATION",
    help='How far approximate times may be off, such as "15 minutes"; the answer is then an interval. Left out: not at all.',
)
@click.option("--fact", "others", multiple=True, metavar="NAME=JSON", help="Any other fact of docs/json.md.")
@json_option
@click.pass_context
def evaluate(
    ctx: click.Context, /, facts: str | None, policies: tuple[str, ...], periods: tuple[str, ...], as_json: bool, **given: Any
) -> None:  # fmt: skip
    """Say what facts come to under a policy: eligible downtime, availability, rule, credit, and why.

    FACTS is a file of JSON, or - for standard input: one object, or one on each line; the answers come in the same order. Without it
    the options state the facts. Where facts are bounds, the answer is an interval, with the one fact that would decide it.
    """
    import json

    terms = _Terms(ctx.obj, policies)
    stated = {name: value for name, value in given.items() if value not in (None, ())}
    if facts is None:
        questions: Iterator[tuple[int | None, Any]] = _from_options(periods, stated)
    elif stated or periods:
        raise click.UsageError("facts come from the options or from FACTS, not from both; leave one out")
    else:
        questions = _from_json(facts)
    failed = False
    for number, found in questions:
        try:
            made = _answered(ctx.obj, terms, found)
        except LedgerError as error:
            failed = True
            echoed = {"id": found["id"]} if type(found) is dict and "id" in found else {}
            named = f" (id {json.dumps(echoed['id'], ensure_ascii=False)})" if echoed else ""
            where = "" if number is None else f"line {number}{named}: "
            for problem in error.told:
                click.echo(f"ledger: {where}{problem}", err=True)
            if as_json:
                emit_json({**echoed, "line": number, "error": str(error), "problems": list(error.problems)})
            continue
        if as_json:
            emit_json(made)
        else:
            _print(made)
    if failed:
        ctx.exit(1)


def _answered(session: Session, terms: _Terms, facts: Any) -> dict[str, Any]:
    from projections.evaluation.answers import answer

    if isinstance(facts, LedgerError):
        raise facts
    if type(facts) is not dict:
        raise Refused("it is not a JSON object; write the facts in braces")
    version, policy = terms.for_facts(facts, session)
    found = answer(policy, facts, session.clock() // 1_000_000, version)
    return {"id": facts["id"], **found} if "id" in facts else found


class _Terms:
    """The policies that are at hand, by key: those of the options, and what facts name."""

    def __init__(self, session: Session, named: tuple[str, ...]) -> None:
        self.session = session
        self.named: dict[str, list[tuple[int | None, Policy]]] = {}
        self.read: dict[str, list[tuple[int | None, Policy]]] = {}
        for name in named:
            for version, policy in self._found(name):
                self.named.setdefault(policy.key, []).append((version, policy))

    def for_facts(self, facts: dict[str, Any], session: Session) -> tuple[int | None, Policy]:
        """Return version and policy that facts are asked about."""
        from ledger.domain.policy import parse_policy

        name, text = facts.get("policy"), facts.get("terms")
        if text is not None:
            if type(text) is not str:
                raise Refused("terms is not text; give the TOML of a policy")
            return None, parse_policy(text)
        if name is None and len(self.named) == 1:
            versions = next(iter(self.named.values()))
        elif type(name) is str and name in self.named:
            versions = self.named[name]
        elif type(name) is str:
            versions = self._found(name)
        else:
            raise Refused(
                "the facts name no policy; add policy or terms, or give --policy FILE"
                if name is None and not self.named
                else f"policy {name!r} does not say which of {', '.join(self.named)} is asked about; name one"
            )
        return self._ruling(versions, facts, session)

    @staticmethod
    def _ruling(
        versions: list[tuple[int | None, Policy]], facts: dict[str, Any], session: Session
    ) -> tuple[int | None, Policy]:
        """Return the version in force; a single one, or one that is asked for, is taken as it is."""
        from ledger.domain.policy import policy_in_force
        from projections.evaluation.requests import question

        numbered = [
            (number if version is None else version, policy)
            for number, (version, policy) in enumerate(versions, 1)
        ]
        wanted = facts.get("version")
        if wanted is not None:
            for version, policy in numbered:
                if version == wanted:
                    return version, policy
            raise Refused(
                f"version {wanted!r} is not there; there are {', '.join(str(version) for version, _ in numbered)}"
            )
        if len(versions) == 1:
            return versions[0]
        period = question(numbered[-1][1], facts, session.clock() // 1_000_000).evidence.period
        term_start = facts.get("term_start")
        if term_start is not None and (
            type(term_start) is not str or not re.fullmatch(r"\d{4}-\d\d-\d\d", term_start)
        ):
            raise Refused(f"term_start {term_start!r} is not a date; write it like 2022-01-01")
        return policy_in_force(numbered, period, term_start)

    def _found(self, name: str) -> list[tuple[int | None, Policy]]:
        if name not in self.read:
            self.read[name] = self._load(name)
        return self.read[name]

    def _load(self, name: str) -> list[tuple[int | None, Policy]]:
        from ledger.domain.policy import parse_policy

        if os.path.isfile(name):
            with open(name, "rb") as source:
                content = source.read()
            try:
                return [(None, parse_policy(content.decode("utf-8-sig").replace("\r\n", "\n")))]
            except UnicodeDecodeError as error:
                raise Refused(
                    f"{name} is not UTF-8: {error.reason} at byte {error.start}; save it as UTF-8"
                ) from None
        published = self._published()
        if name in published:
            return list(published[name])
        from ledger.cli.terms import _library

        library = _library()
        if name in library:
            return [(None, parse_policy(library[name]))]
        raise Refused(
            f"policy {name!r} is neither a file nor a policy of the ledger or the library"
            f"{nearest(name, [*published, *library])}; give the path of a TOML file"
        )

    def _published(self) -> dict[str, list[tuple[int, Policy]]]:
        """Return the policies of the ledger, none where there is no ledger."""
        from ledger.cli.facts import policies
        from ledger.errors import Unavailable

        try:
            return policies(self.session.log(), None)[0]
        except Unavailable:
            return {}


def _from_json(path: str) -> Iterator[tuple[int | None, Any]]:
    """Yield each question with its line; one object over several lines is one question."""
    import json

    if path == "-":
        text = sys.stdin.buffer.read()
    else:
        try:
            with open(path, "rb") as source:
                text = source.read()
        except OSError as error:
            raise NotUnderstood(f"{path} cannot be read: {error.strerror}; check the path") from None
    try:
        whole = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(
            f"the facts are not UTF-8: {error.reason} at byte {error.start}; save them as UTF-8"
        ) from None
    lines = [(number, line) for number, line in enumerate(whole.split("\n"), 1) if line.strip()]
    if not lines:
        raise Refused("there are no facts; give a JSON object, or one on each line")
    if len(lines) > 1 and _is_one(whole):
        lines = [(lines[0][0], whole)]
    for number, line in lines:
        try:
            yield number, json.loads(line, object_pairs_hook=_once)
        except (ValueError, RecursionError) as error:
            yield number, Refused(f"it is not JSON: {error}; write one object per line")


def _is_one(text: str) -> bool:
    """Tell whether a text of several lines is one JSON value."""
    import json

    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{max(names, key=names.count)} is given twice")
    return found


def _from_options(periods: tuple[str, ...], given: dict[str, Any]) -> Iterator[tuple[int | None, Any]]:
    import json

    facts: dict[str, Any] = {}
    for name, option in (("windows", "--window"), ("exclusions", "--exclude")):
        if name in given:
            facts[name] = [_span(option, text) for text in given[name]]
    if "downtime" in given:
        facts.update(_length("--downtime", given["downtime"], "downtime_"))
    if "approximately" in given:
        facts.update(_length("--approximately", given["approximately"], "approximately_within_"))
    if "outages" in given:
        facts["outages"] = [_outage(text) for text in given["outages"]]
    for option, name in (
        ("availability", "availability"), ("region", "region"), ("failed", "failed"), ("total", "total"), ("value", "value"),
        ("fee", "base"), ("currency", "currency"), ("as_of", "as_of"),
    ):  # fmt: skip
        if option in given:
            facts[name] = given[option]
    for text in given.get("others", ()):
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(
                f"--fact {text!r} is not NAME=JSON; write it like --fact 'claimed_at=\"2022-03-20T00:00:00Z\"'"
            )
        try:
            facts[name] = json.loads(value)
        except ValueError:
            # What is no JSON is taken as text, so that quotes within quotes are not needed.
            facts[name] = value
    for period in periods or (None,):
        one = dict(facts)
        if period is not None:
            start, slash, end = period.partition("/")
            one["period"] = {"start": start, "end": end} if slash else period
        yield None, one


def _span(option: str, text: str) -> dict[str, Any]:
    """Return START/END,name=value as an object; without an end it is open."""
    bounds, *rest = text.split(",")
    start, _, end = bounds.partition("/")
    found: dict[str, Any] = {"start": start, **({"end": end} if end else {})}
    for part in rest:
        name, equals, value = part.partition("=")
        if not equals:
            raise click.UsageError(f"{option} {text!r}: {part!r} is not NAME=VALUE")
        found[name] = value == "true" if value in ("true", "false") else value
    return found


def _length(option: str, text: str, prefix: str) -> dict[str, str]:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise click.UsageError(f'{option} {text!r} is not a duration; write it like "450 minutes"')
    return {f"{prefix}{found[2]}s": found[1]}


def _outage(text: str) -> dict[str, Any]:
    lasted, *rest = text.split(",")
    found: dict[str, Any] = dict(_length("--outage", lasted.strip(), ""))
    for part in rest:
        name, _, value = part.partition("=")
        found[name] = value
    return found


def _print(found: dict[str, Any]) -> None:
    """Print an answer for people."""
    version = f" v{found['policy_version']}" if found["policy_version"] is not None else ""
    click.echo(f"{found['policy']}{version}, {found['period']} ({found['zone']}): {_verdict(found)}")
    for line in found["why"]:
        click.echo(f"  {line}")
    for one in found["edges"]:
        name = f"{one['availability']}%" if one["availability"] is not None else "the bound"
        click.echo(f"  {name} is at {one['downtime_seconds']} s of downtime: {_left(one)}")
    if found["termination"] is not None:
        click.echo(f"  right to terminate: {'yes' if found['termination'] else 'no'}")
    claim = found["claim"]
    if claim is not None:
        until = (
            f"to be claimed by {claim['last_day']}: {claim['words']}"
            if claim["last_day"]
            else f"how long there is to claim is not known: {claim['words']}"
        )
        click.echo(f"  {until}")
        if claim["in_time"] is not None:
            click.echo(f"  the claim came {'in time' if claim['in_time'] else 'too late'}")
        if claim["revised_after"]:
            click.echo("  the facts were revised after the time to claim had passed")
    if found["provisional"]:
        click.echo("  provisional: a window is open, or who is in its cohort is not known")
    if found["approximate"]:
        click.echo(
            f"  approximate: times are said to be about, and nobody said how far they are off{_holds(found)}"
        )


def _holds(found: dict[str, Any]) -> str:
    """Return how far approximate times may be off for the answer to stay, in words; nothing where it is not decided."""
    within = found["approximate_holds_within_seconds"]
    if within is not None:
        return f"; the answer stays as it is while each of them is off by up to {within} s"
    return "; however far that is, the answer stays as it is" if found["approximate_windows"] else ""


def _left(edge: dict[str, Any]) -> str:
    """Return how far an edge is, in words."""
    least, most = str(edge["remaining_seconds_at_least"]), str(edge["remaining_seconds_at_most"])
    if least != most:
        return f"from {least} to {most} s left"
    return f"{least[1:]} s past it" if least.startswith("-") else f"{least} s left"


def _verdict(found: dict[str, Any]) -> str:
    """Return what is paid, in a few words."""
    said = []
    if found["credit"] is not None:
        said.append(f"credit {found['credit']} {found['currency']}")
    elif found["credit_at_least"] is not None:
        said.append(
            f"credit {found['credit_at_least']} to {found['credit_at_most']} {found['currency']}, undecided"
        )
    elif found["credit_percent"] is not None:
        said.append(f"{found['credit_percent']}%")
    elif found["credit_percent_at_least"] is not None:
        said.append(f"{found['credit_percent_at_least']}% to {found['credit_percent_at_most']}%, undecided")
    if found["service_days"] is not None:
        said.append(f"{found['service_days']} days of service")
    elif found["service_days_at_least"] is not None:
        said.append(
            f"{found['service_days_at_least']} to {found['service_days_at_most']} days of service, undecided"
        )
    if found.get("delta") is not None:
        said.append(f"{found['delta']} to what was issued")
    return ", ".join(said) or "no amount without a currency"
