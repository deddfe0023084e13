"""Commands that append: the verbs, and batches of JSON lines. All of them build the same actions."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import click
import msgspec

from ledger.cli.session import Session, emit_json, json_option
from ledger.domain.actions import KINDS, Action, decode_action, kind_of, parse_action
from ledger.domain.events import ACTIONS, External, Planned, Series, WindowRevised
from ledger.errors import LedgerError, Refused

if TYPE_CHECKING:
    from ledger.append import Appender, Receipt

__all__ = ["append", "command_of", "incident", "init", "redact", "window"]


@click.command()
@json_option
@click.pass_obj
def init(session: Session, as_json: bool) -> None:
    """Create an empty ledger."""
    ledger = session.appender().create(session.ledger_id)
    if as_json:
        emit_json({"ledger": ledger, "url": session.url})
    else:
        click.echo(f"created {session.url} ({ledger})")


@click.command()
@click.argument("file", metavar="FILE|-")
@click.option("--each", is_flag=True, help="Commit line by line, and say where it stopped.")
@click.option(
    "--accept-clock", is_flag=True, help="Record right after the last entry although the clock is behind it."
)
@json_option
@click.pass_obj
def append(session: Session, file: str, each: bool, accept_clock: bool, as_json: bool) -> None:
    """Record the actions of FILE (JSON lines; - reads standard input), all of them or none."""
    lines, folder = _lines(file)
    with session.recording() as appender:
        (_append_each if each else _append_all)(appender, lines, folder, accept_clock, as_json)


def _append_each(
    appender: Appender, lines: list[tuple[int, bytes]], folder: str, accept_clock: bool, as_json: bool
) -> None:
    for number, line in lines:
        try:
            receipt = appender.append([_parsed(line, folder)], accept_clock=accept_clock)[0]
        except LedgerError as error:
            done = f"stopped at line {number}; the lines before it are recorded"
            stopped = LedgerError(str(error), (*(f"line {number}: {one}" for one in error.problems), done))
            stopped.exit_code = error.exit_code
            raise stopped from None
        _print_receipt(receipt, as_json)


def _append_all(
    appender: Appender, lines: list[tuple[int, bytes]], folder: str, accept_clock: bool, as_json: bool
) -> None:
    actions: list[Action] = []
    numbers: list[int] = []
    problems: list[tuple[int, str]] = []
    unread: set[str] = set()
    for number, line in lines:
        try:
            actions.append(_parsed(line, folder))
            numbers.append(number)
        except Refused as error:
            problems += [(number, problem) for problem in error.problems]
            unread |= _streams(line)
    if problems:
        # Every bad line is reported at once; what follows a line that could not be read cannot be judged.
        kept = [at for at, action in enumerate(actions) if action.stream not in unread]
        failures = appender.check([actions[at] for at in kept])
        problems += [(numbers[kept[index]], problem) for index, one in failures for problem in one.problems]
    else:
        try:
            receipts = appender.append(actions, accept_clock=accept_clock)
        except Refused as error:
            failures = getattr(error, "failures", [(0, error)])
            problems += [(numbers[index], problem) for index, one in failures for problem in one.problems]
        else:
            for receipt in receipts:
                _print_receipt(receipt, as_json)
            return
    told = [f"line {number}: {problem}" for number, problem in sorted(problems)]
    raise Refused("the batch was refused", (*told, "nothing was stored"))


def _streams(line: bytes) -> set[str]:
    """Return the stream a line that was refused is about, as far as it can be told."""
    try:
        given = decode_action(line)
    except Refused:
        return set()
    # A redaction names its stream by any kind; other actions have fields that are called like one.
    verb = given.get("action")
    kinds = (kind_of(verb),) if verb in ACTIONS and verb != "redact" else KINDS
    return {f"{kind}/{given[kind]}" for kind in kinds if kind in given}


def _lines(file: str) -> tuple[list[tuple[int, bytes]], str]:
    if file == "-":
        raw, folder = sys.stdin.buffer.read(), os.getcwd()
    else:
        try:
            with open(file, "rb") as source:
                raw = source.read()
        except OSError as error:
            raise click.UsageError(f"{file} cannot be read: {error.strerror}") from None
        folder = os.path.dirname(os.path.abspath(file))
    # Editors on Windows put a byte order mark before the first line; no JSON text begins with one (RFC 8259, 8.1).
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    return [(number, line) for number, line in enumerate(raw.split(b"\n"), 1) if line.strip()], folder


def _parsed(line: bytes, folder: str) -> Action:
    if b'"publish-' in line or b'"series' in line or b'"issue-' in line:
        from ledger.cli.tables import parse_with_files

        return parse_with_files(line, folder)
    return parse_action(line)


def _print_receipt(receipt: Receipt, as_json: bool) -> None:
    if as_json:
        emit_json(receipt.as_json())
    else:
        word = "already recorded" if receipt.replayed else "recorded"
        click.echo(
            f"{word} @{receipt.position}  {receipt.stream} v{receipt.version}  {receipt.type}  {receipt.recorded_at}"
        )
    for warning in receipt.warnings:
        click.echo(f"warning: {warning}", err=True)


class _Verbs(click.Group):
    """A group whose commands are made from the actions' schema, each when it is called."""

    verbs: ClassVar[dict[str, str]]

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return command_of(cmd_name, self.verbs[cmd_name]) if cmd_name in self.verbs else None


class _IncidentVerbs(_Verbs):
    verbs: ClassVar[dict[str, str]] = {
        verb: verb
        for verb in ACTIONS
        if kind_of(verb) == "incident" and not verb.endswith("-window") and verb != "redact"
    }


class _WindowVerbs(_Verbs):
    verbs: ClassVar[dict[str, str]] = {
        "add": "add-window",
        "revise": "revise-window",
        "withdraw": "withdraw-window",
    }


@click.group(cls=_IncidentVerbs)
def incident() -> None:
    """Record one action on an incident: ledger incident VERB KEY …"""


@click.group(cls=_WindowVerbs)
def window() -> None:
    """Record one action on an impact window: ledger window VERB KEY WINDOW …"""


_SINGULAR = {
    "services": "service",
    "components": "component",
    "regions": "region",
    "fields": "field",
    "incidents": "incident",
}
_ARGUMENTS = {"window", "measurement"}


def command_of(name: str, verb: str) -> click.Command:
    """Return the command of a verb: an option for each field of its event, checked by the one schema."""
    cls = ACTIONS[verb]
    parameters: list[click.Parameter] = [click.Argument(["key"], metavar=kind_of(verb).upper())]
    for field in msgspec.structs.fields(cls):
        parameters += _parameters(field)
    if cls is WindowRevised:
        parameters.append(
            click.Option(
                ["--clear"], multiple=True, metavar="FIELD", help="Take a field away (end: open again)."
            )
        )
    parameters += _envelope()
    words = (cls.__doc__ or "").strip()
    return click.Command(
        name, params=parameters, callback=_callback(verb), help=words, short_help=words.split(". ")[0]
    )


def _envelope() -> list[click.Parameter]:
    return [
        click.Option(["--idempotency-key"], help="The same key with the same content is recorded once."),
        click.Option(["--expected-version"], type=int, help="Refuse unless the stream has this version."),
        click.Option(
            ["--accept-clock"], is_flag=True, help="Record although the clock is behind the last entry."
        ),
        click.Option(["--json", "as_json"], is_flag=True, help="Print the receipt as JSON."),
    ]


def _parameters(field: msgspec.structs.FieldInfo) -> list[click.Parameter]:
    name, option = field.name, "--" + _SINGULAR.get(field.name, field.name).replace("_", "-")
    need = " (required)" if field.required else ""
    kinds = _kinds(field.type)
    if name in _ARGUMENTS:
        return [click.Argument([name])]
    if name == "actor":
        return [
            click.Option(
                [option], envvar="LEDGER_ACTOR", show_envvar=True, help="Who says so, as claimed (required)."
            )
        ]
    if name == "set":
        return [
            click.Option(
                ["--set", "set_text"],
                multiple=True,
                metavar="FIELD=TEXT",
                help="The field as it should read.",
            ),
            click.Option(
                ["--set-json", "set_json"], multiple=True, metavar="FIELD=JSON", help="The same, as JSON."
            ),
        ]
    if Planned in kinds:
        return [
            click.Option(
                [option], nargs=3, metavar="ANNOUNCED START END", help="When announced and scheduled."
            )
        ]
    if External in kinds:
        return [click.Option([option], metavar="SYSTEM:ID", help="The same fact in another system.")]
    if Series in kinds:
        return [
            click.Option(
                ["--series", "series_path"], metavar="FILE", help="A series, CSV or Parquet, kept by digest."
            )
        ]
    if bool in kinds:
        return [click.Option([f"{option}/--no-{option[2:]}"], default=None)]
    if field.type == tuple[str, ...]:
        return [click.Option([option, name], multiple=True, help=f"May be given more than once{need}.")]
    choices = [word for kind in kinds for word in get_args(kind) if isinstance(word, str)]
    kind = click.INT if int in kinds and str not in kinds else click.STRING
    found: list[click.Parameter] = [
        click.Option(
            [option, name], type=kind, metavar="|".join(choices) or None, help=need.strip(" ()") or None
        )
    ]
    if name == "body":
        found.append(click.Option(["--body-file"], metavar="FILE|-", help="Read the body from a file."))
    return found


def _kinds(kind: Any) -> tuple[Any, ...]:
    # A union's parts; a Literal and a plain type are one part.
    from types import UnionType
    from typing import Union, get_origin

    if get_origin(kind) in (Union, UnionType):
        return tuple(part for inner in get_args(kind) for part in _kinds(inner))
    return (kind,)


def _callback(verb: str) -> Callable[..., None]:
    @click.pass_obj
    def run(session: Session, /, key: str, as_json: bool, accept_clock: bool, **given: Any) -> None:
        action = {"action": verb, kind_of(verb): key, **_fields(given)}
        if verb == "set-affected":
            # The sets are given whole: what is not named is not affected.
            action = {"services": [], "components": [], "regions": [], **action}
        if "series_path" in action:
            from ledger.cli.tables import parse_with_files

            parsed = parse_with_files(msgspec.json.encode(action), os.getcwd())
        else:
            parsed = parse_action(action)
        _print_receipt(session.appender().append([parsed], accept_clock=accept_clock)[0], as_json)

    return run


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given as fields of an action."""
    fields: dict[str, Any] = {}
    for name, value in given.items():
        if value is None or value == ():
            continue
        if name == "external":
            system, _, external = value.partition(":")
            fields[name] = {"system": system, "id": external}
        elif name == "planned":
            fields[name] = dict(zip(("announced_at", "scheduled_start", "scheduled_end"), value, strict=True))
        elif name in ("set_text", "set_json"):
            fields.setdefault("set", {}).update(_pair(pair, name == "set_json") for pair in value)
        elif name == "clear":
            fields.update(dict.fromkeys(field.replace("-", "_") for field in value))
        elif name == "body_file":
            with click.open_file(value, encoding="utf-8") as source:
                fields["body"] = source.read().rstrip("\n")
        else:
            fields[name] = list(value) if isinstance(value, tuple) else value
    return fields


def _pair(pair: str, is_json: bool) -> tuple[str, Any]:
    name, mark, value = pair.partition("=")
    if not mark:
        raise click.UsageError(f"--set {pair!r} is not FIELD=VALUE")
    if not is_json:
        return name.replace("-", "_"), value
    try:
        return name.replace("-", "_"), msgspec.json.decode(value)
    except msgspec.DecodeError as error:
        raise click.UsageError(f"--set-json {pair!r} is not JSON: {error}") from None


@click.command()
@click.argument("entry", metavar="@POSITION|VERSION|REF")
@click.option("--incident", help="The incident, when the entry is not named by position.")
@click.option(
    "--field", "fields", multiple=True, required=True, help="Path of a text, such as body or set.body."
)
@click.option("--reason", required=True, help="Why it is erased.")
@click.option(
    "--actor", envvar="LEDGER_ACTOR", show_envvar=True, required=True, help="Who says so, as claimed."
)
@click.option("--idempotency-key", help="The same key with the same content is recorded once.")
@json_option
@click.pass_obj
def redact(
    session: Session, entry: str, incident: str | None, fields: tuple[str, ...], reason: str, actor: str,
    idempotency_key: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Erase texts of an entry from the ledger. Who, when and why stays, and every proof still holds."""
    given: dict[str, Any] = {
        "action": "redact",
        "entry": entry,
        "fields": list(fields),
        "reason": reason,
        "actor": actor,
    }
    if incident is not None:
        given["incident"] = incident
    if idempotency_key is not None:
        given["idempotency_key"] = idempotency_key
    parsed = parse_action(given)
    with session.recording() as appender:
        _print_receipt(appender.append([parsed])[0], as_json)
