"""Commands for signing keys: new, publish, rotate, revoke, show, list. The private key never enters the ledger."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.publish import _publishing
from ledger.cli.recording import record
from ledger.cli.session import Session, cut_options, emit_json, json_option, table
from ledger.domain.actions import parse_action
from ledger.domain.keys import (
    KeyUse,
    check_replaces,
    key_uses,
    parse_vkey,
    present_key,
    rotation_message,
    spell_vkey,
)
from ledger.errors import Refused, nearest

if TYPE_CHECKING:
    from ledger.store.stream import Entry
    from projections.replay import Cut

__all__ = ["key"]


@click.group()
def key() -> None:
    """Make, publish, rotate and revoke signing keys."""


@key.command("new")
@click.argument("key")
@click.option("--key-file", metavar="FILE", help="Where the private key goes, mode 0600 (default: KEY.key).")
@click.option("--name", help="The name in the vkey, which says who signs (default: the id of the ledger).")
@_publishing
@click.pass_obj
def new(
    session: Session,
    /,
    key: str,
    key_file: str | None,
    name: str | None,
    as_json: bool,
    accept_clock: bool,
    **given: Any,
) -> None:
    """Make an Ed25519 key, write the private half to a file, and publish the public half as KEY."""
    from ledger.proof.signers import make_key_file

    path = key_file or f"{key}.key"
    if os.path.exists(path):
        raise Refused(
            f"{path} exists already, and a key is never overwritten; name another file, or publish the key in it: "
            f"ledger key publish {key} --key-file {path}"
        )
    name = name or session.log().head().ledger
    # Asked with a key that stands for the one to come: a private key whose public half is refused helps nobody.
    if failures := session.appender().check([_publish_action(key, _sample(name), given)]):
        raise failures[0][1]
    made = make_key_file(path, name, session.seeds())
    with _kept_if_recorded(session, key, path, made.vkey):
        click.echo(f"the private key is in {path}; keep a copy where nobody else can read it", err=True)
        _append(session, _publish_action(key, made.vkey, given), as_json, accept_clock)


def _sample(name: str) -> str:
    vkey = spell_vkey(name, b"\x02" * 32)
    try:
        parse_vkey(vkey)
    except ValueError:
        raise Refused(
            f"--name {name!r} cannot stand in a vkey; use up to 200 visible ASCII characters without spaces, quotes, "
            "backslashes and +"
        ) from None
    return vkey


@key.command("publish")
@click.argument("key")
@click.option(
    "--key-file", metavar="FILE", help="The private key in a file; only its public half is published."
)
@click.option("--vkey", help="The public key, NAME+ID+KEY, when the private one is not in a file.")
@_publishing
@click.pass_obj
def publish(
    session: Session,
    /,
    key: str,
    key_file: str | None,
    vkey: str | None,
    as_json: bool,
    accept_clock: bool,
    **given: Any,
) -> None:
    """Publish a key that exists already as KEY."""
    _append(
        session,
        _publish_action(key, _public("--key-file", key_file, "--vkey", vkey), given),
        as_json,
        accept_clock,
    )


@key.command("rotate")
@click.argument("key")
@click.option(
    "--key-file", metavar="OLD", help="The private key that is replaced; it signs for the next one."
)
@click.option(
    "--sign-command", metavar="CMD",
    help="Signs instead: gets the message on standard input, prints the signature in base64.",
)  # fmt: skip
@click.option("--new-key-file", metavar="NEW", help="The next private key; made when there is no such file.")
@click.option(
    "--new-vkey", metavar="VKEY", help="The next public key, when the private one is not in a file."
)
@_publishing
@click.pass_obj
def rotate(
    session: Session, /, key: str, key_file: str | None, sign_command: str | None, new_key_file: str | None,
    new_vkey: str | None, as_json: bool, accept_clock: bool, **given: Any,
) -> None:  # fmt: skip
    """Replace the present key of KEY by another one; the replaced key signs that."""
    _one_of("--key-file", key_file, "--sign-command", sign_command)
    _one_of("--new-key-file", new_key_file, "--new-vkey", new_vkey)
    from ledger.proof.signers import command_signature, read_key_file

    entries = _known(session, key)
    # Sent again after a lost answer, it has to be the same action: as it was decided before it was stored.
    again = [
        one.version
        for one in entries
        if one.idempotency_key and one.idempotency_key == given["idempotency_key"]
    ]
    before = entries[: again[0] - 1] if again else entries
    uses = key_uses((one.version, one.event) for one in before)
    present = present_key(uses)
    signer = None if key_file is None else read_key_file(key_file)
    replaces = signer.vkey if signer is not None else present.vkey if present is not None else ""
    check_replaces(uses, key, replaces)
    made = None if new_key_file is None or os.path.exists(new_key_file) else new_key_file
    vkey = _next(session, new_key_file, new_vkey, parse_vkey(replaces).name)
    with _kept_if_recorded(session, key, made, vkey):
        message = rotation_message(
            ledger=session.log().head().ledger,
            stream=f"key/{key}",
            version=len(before) + 1,
            replaces=replaces,
            vkey=vkey,
        )
        signature = (
            signer.sign(message) if signer is not None else command_signature(str(sign_command), message)
        )
        if made is not None:
            click.echo(
                f"the next private key is in {made}; keep a copy where nobody else can read it", err=True
            )
        action = {
            "action": "rotate-key", "key": key, "replaces": replaces, "vkey": vkey,
            "signature": b64encode(signature).decode("ascii"), **_given(given),
        }  # fmt: skip
        _append(session, parse_action(action), as_json, accept_clock)


@contextmanager
def _kept_if_recorded(session: Session, key: str, path: str | None, vkey: str) -> Iterator[None]:
    """Remove a private key that was just made where the ledger did not take it: the next try would use it without a word.

    path: None where the file was there before. Where the ledger cannot be asked, the file stays: it may be in use.
    """
    from ledger.errors import LedgerError

    try:
        yield
    except BaseException:
        with suppress(LedgerError):
            if path is not None and vkey not in {use.vkey for use in _uses(session, key)}:
                os.unlink(path)
                click.echo(f"nothing was recorded, and {path} was removed again", err=True)
        raise


def _uses(session: Session, key: str) -> list[KeyUse]:
    from ledger.store.stream import read_stream

    return key_uses((one.version, one.event) for one in read_stream(session.log(), f"key/{key}"))


def _next(session: Session, path: str | None, vkey: str | None, name: str) -> str:
    """Return the vkey that comes next, from an option or a file; the file is made when it is not there."""
    from ledger.proof.signers import make_key_file

    if path is None or os.path.exists(path):
        return _public("--new-key-file", path, "--new-vkey", vkey)
    made = make_key_file(path, name, session.seeds())
    return made.vkey


@key.command("revoke")
@click.argument("key")
@click.option("--vkey", required=True, help="Which key of KEY was lost or stolen.")
@click.option(
    "--doubted-from", metavar="T", help="Since when its signatures are doubted (not given: all of them)."
)
@_publishing
@click.pass_obj
def revoke(session: Session, /, key: str, as_json: bool, accept_clock: bool, **given: Any) -> None:
    """Say that a key was lost or stolen, and why. Revoking the key in use ends KEY."""
    _append(
        session, parse_action({"action": "revoke-key", "key": key, **_given(given)}), as_json, accept_clock
    )


@key.command("show")
@click.argument("key", required=False)
@cut_options
@json_option
@click.pass_obj
def show(
    session: Session, key: str | None, published_by: str | None, recorded_by: str | None, as_json: bool
) -> None:
    """Show the key in use of KEY, or of the only key there is; under a cut, the one that was in use then."""
    keys = [key] if key is not None else [name.partition("/")[2] for name in session.log().streams("key/")]
    if len(keys) != 1:
        raise Refused(
            f"there are {len(keys)} keys ({', '.join(keys)}); say which"
            if keys
            else "no key was published; see ledger key new"
        )
    rows = _rows(_known(session, keys[0]), session.cut(published_by, recorded_by))
    shown = [row for row in rows if row["until_position"] is None]
    if not shown:
        why = "was revoked" if rows else "was not there yet"
        raise Refused(f"key {keys[0]!r} {why}, so none is in use; see ledger key list")
    if as_json:
        emit_json(shown[0])
        return
    click.echo(shown[0]["vkey"])
    click.echo(f"in use since @{shown[0]['position']} ({shown[0]['recorded_at']})", err=True)


@key.command("list")
@cut_options
@json_option
@click.pass_obj
def list_(session: Session, published_by: str | None, recorded_by: str | None, as_json: bool) -> None:
    """List all keys that ever signed, with the positions from and until which they did."""
    from ledger.store.stream import read_stream

    cut = session.cut(published_by, recorded_by)
    rows = [
        row for name in session.log().streams("key/") for row in _rows(read_stream(session.log(), name), cut)
    ]
    if as_json:
        for row in rows:
            emit_json(row)
        return
    table(
        ("key", "state", "from", "until", "doubted from", "vkey"),
        (
            (row["key"], row["state"], f"@{row['position']}",
             "" if row["until_position"] is None else f"@{row['until_position']}",
             "" if row["state"] != "revoked" else row["doubted_from"] or "all", row["vkey"])
            for row in rows
        ),
        whole=5,
    )  # fmt: skip


def _rows(entries: list[Entry], cut: Cut) -> list[dict[str, Any]]:
    """Return the keys of a stream within a cut, as programs get them (contract in docs/json.md)."""
    at = {entry.version: entry for entry in entries}
    within = [
        entry
        for entry in entries
        if (cut.recorded_by is None or entry.position <= cut.recorded_by)
        and (cut.published_by is None or (entry.published_at or "~") <= cut.published_by)
    ]
    return [_row(use, at) for use in key_uses((entry.version, entry.event) for entry in within)]


def _row(use: KeyUse, at: dict[int, Entry]) -> dict[str, Any]:
    parts, entry = parse_vkey(use.vkey), at[use.version]
    return {
        "key": entry.key,
        "state": use.state,
        "vkey": use.vkey,
        "name": parts.name,
        "id": parts.id,
        "algorithm": "ed25519",
        "version": use.version,
        "position": entry.position,
        "recorded_at": entry.recorded_at,
        "until_position": None if use.until is None else at[use.until].position,
        "doubted_from": use.doubted_from,
    }


def _known(session: Session, key: str) -> list[Entry]:
    from ledger.store.stream import read_stream

    entries = read_stream(session.log(), f"key/{key}")
    if not entries:
        known = [name.partition("/")[2] for name in session.log().streams("key/")]
        raise Refused(f"key {key!r} does not exist{nearest(key, known)}; see ledger key list")
    return entries


def _one_of(first: str, one: str | None, second: str, other: str | None) -> None:
    if (one is None) == (other is None):
        raise click.UsageError(f"give {first} or {second}, one of them")


def _public(file_option: str, path: str | None, vkey_option: str, vkey: str | None) -> str:
    from ledger.proof.signers import read_key_file

    _one_of(file_option, path, vkey_option, vkey)
    return read_key_file(path).vkey if path is not None else str(vkey)


def _given(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def _publish_action(key: str, vkey: str, given: dict[str, Any]) -> Any:
    return parse_action({"action": "publish-key", "key": key, "vkey": vkey, **_given(given)})


def _append(session: Session, action: Any, as_json: bool, accept_clock: bool) -> None:
    record(session, [action], accept_clock=accept_clock, as_json=as_json)
