"""`ledger sla evaluate`: what any facts come to under any policy, from options or from JSON, without a ledger."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ledger.cli.session import Session, emit_json, json_option
from ledger.errors import LedgerError, NotUnderstood, Refused, nearest

if TYPE_CHECKING:
    from ledger.domain.policy import Policy

__all__ = ["evaluate"]


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
@click.option(
    "--fact",
    "others",
    multiple=True,
    metavar="NAME=JSON",
    help="Any other fact of docs/json.md, such as availability_below=95.",
)
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
            echoed = (
                {"id": found["id"]}
                if type(found) is dict and "id" in found and _is_shown(found["id"])
                else {}
            )
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
    if not _is_shown(facts):
        raise Refused(
            "it is nested too deep, or has half of a surrogate pair, which is not Unicode text; correct it"
        )
    version, policy = terms.for_facts(facts)
    found = answer(policy, facts, session.clock() // 1_000_000, version)
    return {"id": facts["id"], **found} if "id" in facts else found


def _is_shown(value: Any) -> bool:
    """Tell whether a value can be written out again, as an answer repeats an id and names."""
    import json

    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


class _Terms:
    """The policies that are at hand, by key: those of the options, and what facts name."""

    def __init__(self, session: Session, named: tuple[str, ...]) -> None:
        self.session = session
        self.named: dict[str, list[tuple[int | None, Policy]]] = {}
        self.read: dict[str, list[tuple[int | None, Policy]]] = {}
        for name in named:
            for version, policy in self._found(name):
                self.named.setdefault(policy.key, []).append((version, policy))

    def for_facts(self, facts: dict[str, Any]) -> tuple[int | None, Policy]:
        """Return version and policy that facts are asked about."""
        from ledger.domain.policy import parse_policy

        name, text = facts.get("policy"), facts.get("terms")
        if text is not None:
            if beside := [one for one in ("policy", "version") if facts.get(one) is not None]:
                raise Refused(
                    f"terms and {' and '.join(beside)} both say which terms are asked about; leave terms out, or the other"
                )
            if type(text) is not str:
                raise Refused("terms is not text; give the TOML of a policy")
            return None, parse_policy(text)
        if name is not None and type(name) is not str:
            raise Refused(
                f"policy {name!r} is not text; give the path of a TOML file, or the key of a policy"
            )
        if name is None and len(self.named) == 1:
            versions = next(iter(self.named.values()))
        elif type(name) is str and name in self.named:
            versions = self.named[name]
        elif type(name) is str:
            versions = self._found(name)
        else:
            raise Refused(
                f"the facts do not say which of {', '.join(self.named)} is asked about; name one as policy"
                if self.named
                else "the facts name no policy; add policy or terms, or give --policy FILE"
            )
        return self._ruling(versions, facts)

    @staticmethod
    def _ruling(
        versions: list[tuple[int | None, Policy]], facts: dict[str, Any]
    ) -> tuple[int | None, Policy]:
        """Return the version in force; a single one, or one that is asked for, is taken as it is."""
        from ledger.domain.policy import policy_in_force
        from projections.evaluation.requests import period_asked

        numbered = [
            (number if version is None else version, policy)
            for number, (version, policy) in enumerate(versions, 1)
        ]
        wanted = facts.get("version")
        if wanted is not None:
            for version, policy in numbered:
                # True is 1 to Python, and to nobody else.
                if type(wanted) is int and version == wanted:
                    return version, policy
            raise Refused(
                f"version {wanted!r} is not there; there are {', '.join(str(version) for version, _ in numbered)}"
            )
        if len(versions) == 1:
            return versions[0]
        return policy_in_force(numbered, period_asked(numbered[-1][1], facts), facts.get("term_start"))

    def _found(self, name: str) -> list[tuple[int | None, Policy]]:
        if name not in self.read:
            self.read[name] = self._load(name)
        return self.read[name]

    def _load(self, name: str) -> list[tuple[int | None, Policy]]:
        from ledger.domain.policy import parse_policy

        if os.path.isfile(name):
            try:
                with open(name, "rb") as source:
                    content = source.read()
            except OSError as error:
                raise Refused(f"policy {name!r} cannot be read: {error.strerror}; check the file") from None
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
            yield number, json.loads(line, object_pairs_hook=_once, parse_constant=_no_number)
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


def _no_number(name: str) -> NoReturn:
    """Refuse what Python takes for a number and JSON does not."""
    raise ValueError(f"{name} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{max(names, key=names.count)} is given twice")
    return found


class _Said:
    """Facts, each with the option that states it: a fact that is stated twice is refused, as only one of them would count."""

    def __init__(self, where: str = "") -> None:
        self.facts: dict[str, Any] = {}
        self._by: dict[str, str] = {}
        self._where = where

    def say(self, option: str, name: str, value: Any) -> None:
        if name in self.facts:
            earlier = self._by[name]
            raise click.UsageError(
                f"{self._where}{name} is stated twice, by {earlier} and by {option}; leave one out"
                if earlier != option
                else f"{self._where}{name} is stated twice; leave one out"
            )
        self.facts[name], self._by[name] = value, option


def _from_options(periods: tuple[str, ...], given: dict[str, Any]) -> Iterator[tuple[int | None, Any]]:
    said = _Said()
    for name, option in (("windows", "--window"), ("exclusions", "--exclude")):
        if name in given:
            said.say(option, name, [_span(option, text) for text in given[name]])
    for name, prefix in (("downtime", "downtime_"), ("approximately", "approximately_within_")):
        if name in given:
            said.say(f"--{name}", f"{prefix}seconds", _seconds(f"--{name}", given[name]))
    if "outages" in given:
        said.say("--outage", "outages", [_outage(text) for text in given["outages"]])
    for option, name in (
        ("availability", "availability"), ("region", "region"), ("failed", "failed"), ("total", "total"), ("value", "value"),
        ("fee", "base"), ("currency", "currency"), ("as_of", "as_of"),
    ):  # fmt: skip
        if option in given:
            said.say(f"--{option.replace('_', '-')}", name, given[option])
    for text in given.get("others", ()):
        name, value = _named("--fact", text, "--fact 'claimed_at=\"2022-03-20T00:00:00Z\"'")
        said.say("--fact", name, _of_fact(value))
    if periods and "period" in said.facts:
        said.say("--period", "period", periods[0])
    for period in periods or (None,):
        one = dict(said.facts)
        if period is not None:
            start, slash, end = period.partition("/")
            one["period"] = {"start": start, "end": end} if slash else period
        yield None, one


def _of_fact(text: str) -> Any:
    """Return the JSON of a fact; what is none is taken as text, so that quotes within quotes are not needed."""
    import json

    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except ValueError:
        return text
    except RecursionError:
        raise click.UsageError("--fact is nested too deep; state what it means") from None


def _named(option: str, text: str, example: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"{option} {text!r} is not NAME=VALUE; write it like {example}")
    return name, value


def _span(option: str, text: str) -> dict[str, Any]:
    """Return START/END,name=value as an object; without an end it is open."""
    bounds, *rest = text.split(",")
    start, _, end = bounds.partition("/")
    said = _Said(f"{option} {bounds}: ")
    said.say("START", "start", start)
    if end:
        said.say("END", "end", end)
    for part in rest:
        name, value = _named(f"{option} {bounds}:", part, "region=EMEA")
        said.say("NAME=VALUE", name, value == "true" if value in ("true", "false") else value)
    return said.facts


def _seconds(option: str, text: str) -> str:
    """Return the seconds of a duration such as "450 minutes" as a decimal; the space may be left out."""
    from ledger.domain.money import decimal_text
    from ledger.domain.policy.values import parse_duration

    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    found = parse_duration(f"{digits.removesuffix(' ')} {text[len(digits) :]}")
    if found is None:
        raise click.UsageError(f'{option} {text!r} is not a duration; write it like "450 minutes"')
    return decimal_text(found)


def _outage(text: str) -> dict[str, Any]:
    lasted, *rest = text.split(",")
    said = _Said(f"--outage {lasted}: ")
    said.say("DURATION", "seconds", _seconds("--outage", lasted.strip()))
    for part in rest:
        said.say("NAME=VALUE", *_named(f"--outage {lasted}:", part, "share=0.5"))
    return said.facts


def _print(found: dict[str, Any]) -> None:
    """Print an answer for people."""
    version = f" v{found['policy_version']}" if found["policy_version"] is not None else ""
    for warning in found.get("warnings", ()):
        click.echo(f"warning: {warning}", err=True)
    click.echo(f"{found['policy']}{version}, {found['period']} ({found['zone']}): {_verdict(found)}")
    for line in found["why"]:
        click.echo(f"  {line}")
    for one in found["edges"]:
        name = f"{one['availability']}%" if one["availability"] is not None else "the bound"
        click.echo(
            f"  {name} is at {one['downtime_seconds']} s of downtime: {_left(one, found.get('open_bounds', ()))}"
        )
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


def _left(edge: dict[str, Any], opened: Sequence[str]) -> str:
    """Return how far an edge is, in words. opened: which bounds are not reached, so that neither is what they leave."""
    least, most = str(edge["remaining_seconds_at_least"]), str(edge["remaining_seconds_at_most"])
    if least != most:
        low = "more than " if "eligible_downtime_seconds_at_most" in opened else ""
        high = "less than " if "eligible_downtime_seconds_at_least" in opened else ""
        return f"from {low}{least} to {high}{most} s left"
    return f"{least[1:]} s past it" if least.startswith("-") else f"{least} s left"


def _verdict(found: dict[str, Any]) -> str:
    """Return what is paid, in a few words."""
    said = []
    if found["credit"] is not None:
        said.append(f"credit {found['credit']} {found['currency']}")
    elif found["credit_at_least"] is not None:
        said.append(f"credit {_to(found, 'credit', '')} {found['currency']}, undecided")
    elif found["credit_percent"] is not None:
        said.append(f"{found['credit_percent']}%")
    elif found["credit_percent_at_least"] is not None:
        said.append(f"{_to(found, 'credit_percent', '%')}, undecided")
    if found["service_days"] is not None:
        said.append(f"{found['service_days']} days of service")
    elif found["service_days_at_least"] is not None:
        said.append(f"{_to(found, 'service_days', '')} days of service, undecided")
    if found.get("delta") is not None:
        said.append(f"{found['delta']} to what was issued")
    return ", ".join(said) or f"no amount without a {'currency' if found['currency'] is None else 'fee'}"


def _to(found: dict[str, Any], name: str, unit: str) -> str:
    """Return two bounds in words, of which the upper one may be none."""
    least, most = f"{found[f'{name}_at_least']}{unit}", found[f"{name}_at_most"]
    return f"{least} or more" if most is None else f"{least} to {most}{unit}"
