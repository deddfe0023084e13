"""Commands that record one action each: an option for every field of the action, all from the one schema."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar, get_args

import click
import msgspec

from ledger.cli.recording import record
from ledger.cli.session import Session, emit_json, json_option
from ledger.domain.actions import kind_of, parse_action
from ledger.domain.events import ACTIONS, External, Planned, Series, WindowRevised
from ledger.errors import NotUnderstood, Refused

__all__ = ["command_of", "incident", "init", "redact", "window"]


@click.command()
@json_option
@click.pass_obj
def init(session: Session, as_json: bool) -> None:
    """Create an empty ledger."""
    from ledger.store.location import shown_url

    ledger, url = session.appender().create(session.ledger_id), shown_url(session.url)
    if as_json:
        emit_json({"ledger": ledger, "url": url})
    else:
        click.echo(f"created {url} ({ledger})")


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
_ARGUMENTS = {"window", "measurement", "entry"}
_HELP = {"fields": "Path of a text, such as body or set.body; may be given more than once."}


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
        name,
        params=parameters,
        callback=_callback(verb),
        help=words,
        short_help=re.split(r"\.\s|\.$|\n\n", words, maxsplit=1)[0],
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
    kinds = _kinds(field.type)
    if name in _ARGUMENTS:
        return [click.Argument([name], metavar="@POSITION|VERSION|REF" if name == "entry" else None)]
    if name == "actor":
        return [
            click.Option(
                [option],
                envvar="LEDGER_ACTOR",
                show_envvar=True,
                required=True,
                help="Who says so, as claimed.",
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
        several = click.Option(
            [option, name],
            multiple=True,
            required=name == "fields",
            help=_HELP.get(name, "May be given more than once."),
        )
        if not field.required or name == "fields":
            return [several]
        # A set is given whole, and may be empty; but not by being forgotten.
        none = click.Option(
            [f"--no-{option[2:]}", f"no_{name}"], is_flag=True, help=f"There is no {option[2:]}."
        )
        return [several, none]
    choices = [word for kind in kinds for word in get_args(kind) if isinstance(word, str)]
    kind = click.INT if int in kinds and str not in kinds else click.STRING
    found: list[click.Parameter] = [
        click.Option(
            [option, name],
            type=kind,
            metavar="|".join(choices) or None,
            required=field.required,
            help=_HELP.get(name),
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
    def run(session: Session, /, key: str | None, as_json: bool, accept_clock: bool, **given: Any) -> None:
        action = {"action": verb, **({} if key is None else {kind_of(verb): key}), **_fields(given)}
        if "series_path" in action:
            from ledger.cli.tables import parse_with_files

            parsed = parse_with_files(action)
        else:
            parsed = parse_action(action)
        record(session, [parsed], accept_clock=accept_clock, as_json=as_json)

    return run


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given as fields of an action; a usage error where one is missing, or contradicts another."""
    fields: dict[str, Any] = {}
    if given.get("body_file") is not None and given.get("body") is not None:
        raise click.UsageError("--body and --body-file are two bodies; give one of them")
    for name, value in given.items():
        if value is None or value == () or name.startswith("no_"):
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
            fields["body"] = _body(value)
        else:
            fields[name] = list(value) if isinstance(value, tuple) else value
    if "set_text" in given and "set" not in fields:
        raise click.UsageError("Missing option '--set' or '--set-json': the field as it should read")
    for name in (name.removeprefix("no_") for name in given if name.startswith("no_")):
        option = _SINGULAR[name]
        if (name in fields) == given[f"no_{name}"]:
            raise click.UsageError(
                f"give --{option} or --no-{option}, one of them: the {name} are said whole, and what is left out is no longer "
                "affected"
            )
        fields.setdefault(name, [])
    return fields


def _body(path: str) -> str:
    """Return the text of a file as the body: UTF-8, with one kind of line end."""
    try:
        with click.open_file(path, "rb") as source:
            raw: bytes = source.read()
    except OSError as error:
        raise NotUnderstood(f"--body-file {path} cannot be read: {error.strerror}; check the path") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(
            f"--body-file {path} is not UTF-8: {error.reason} at byte {error.start + 1}; save it as UTF-8"
        ) from None
    return text.replace("\r\n", "\n").rstrip("\n")


def _pair(pair: str, is_json: bool) -> tuple[str, Any]:
    name, mark, value = pair.partition("=")
    if not mark:
        raise click.UsageError(f"--set {pair!r} is not FIELD=VALUE")
    if not is_json:
        return name.replace("-", "_"), value
    try:
        return name.replace("-", "_"), msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise click.UsageError(f"--set-json {pair!r} is not JSON: {error}") from None


def _redact() -> click.Command:
    cls = ACTIONS["redact"]
    parameters: list[click.Parameter] = [
        click.Option(["--incident", "key"], help="The incident, when the entry is not named by position."),
    ]
    for field in msgspec.structs.fields(cls):
        parameters += _parameters(field)
    words = "Erase texts of an entry from the ledger. Who, when and why stays, and every proof still holds."
    return click.Command(
        "redact", params=[*parameters, *_envelope()], callback=_callback("redact"), help=words
    )


redact = _redact()
