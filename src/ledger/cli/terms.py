"""Commands on the terms of an SLA that need no ledger: lint, schema, library."""

from __future__ import annotations

import sys
from importlib import resources
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.session import emit_json, json_option, table
from ledger.errors import NotUnderstood, Refused, Unavailable, nearest

if TYPE_CHECKING:
    from ledger.domain.policy.lint import Finding

__all__ = ["findings_of", "library", "lint", "schema"]


@click.command()
@click.argument("files", metavar="FILE|-...", nargs=-1, required=True)
@click.option("--strict", is_flag=True, help="Exit code 1 for warnings, too.")
@json_option
@click.pass_context
def lint(ctx: click.Context, files: tuple[str, ...], strict: bool, as_json: bool) -> None:
    """Find what is doubtful in policies: gaps, overlaps, promises that pay, tiers nobody reaches, examples that contradict.

    Exit code 0: nothing, or warnings only; 1: an error, or with --strict a warning.
    """
    from ledger.cli.proof import read_file

    bad = False
    for path in files:
        try:
            text = read_file("FILE", path).decode("utf-8-sig")
        except Unavailable as error:
            raise NotUnderstood(str(error)) from None
        except UnicodeDecodeError as error:
            raise Refused(
                f"{path} is not UTF-8: {error.reason} at byte {error.start}; save it as UTF-8"
            ) from None
        key, found = findings_of(text)
        bad |= any(one.level == "error" or strict for one in found)
        if as_json:
            emit_json({"file": path, "policy": key, "findings": found})
            continue
        for one in found:
            where = f" [{one.commitment}]" if one.commitment else ""
            click.echo(f"{path}: {one.level}: {one.kind}{where}: {one.sentence}")
        if not found:
            click.echo(f"{path}: nothing found")
    if bad:
        ctx.exit(1)


def findings_of(text: str) -> tuple[str | None, list[Finding]]:
    """Return the key of a policy, None where it cannot be read, and what is doubtful in it, also in what it pays and in its examples."""
    from ledger.domain.policy.lint import Finding
    from ledger.domain.policy.lint import lint as findings

    policy, found = findings(text)
    if policy is None:
        return None, found
    from projections.doubts import doubts

    found += doubts(policy)
    if policy.examples:
        from projections.evaluation.examples import contradictions

        found += [
            Finding("example-contradicts", "error", sentence)
            for example in policy.examples
            for sentence in contradictions(policy, example)
        ]
    return policy.key, found


@click.command()
def schema() -> None:
    """Print the JSON Schema of policy format 2, for editors and other tools."""
    import json

    from ledger.domain.policy.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=1, ensure_ascii=False))


@click.command()
@click.argument("name", required=False)
@json_option
def library(name: str | None, as_json: bool) -> None:
    """List ready policies of public SLAs with their source, or print the one called NAME.

    They are starting points: compare them with the contract you signed, and set in_force_from to its first day.
    """
    texts = _library()
    if name is not None:
        if name not in texts:
            raise Refused(
                f"the library has no policy {name!r}{nearest(name, texts)}; see ledger policy library"
            )
        if as_json:
            emit_json({"policy": name, "terms": texts[name]})
        else:
            sys.stdout.write(texts[name])
        return
    rows = [_row(key, text) for key, text in texts.items()]
    if as_json:
        for row in rows:
            emit_json(row)
        return
    table(
        ("policy", "title", "state", "source"),
        ([row["policy"], row["title"], row["state"], row["source"]] for row in rows),
    )


def _row(key: str, text: str) -> dict[str, Any]:
    from ledger.domain.policy import parse_policy

    policy = parse_policy(text)
    source = policy.source
    if source is None:
        raise TypeError(f"the policy {key} of the library names no source")
    return {
        "policy": key, "title": policy.title, "state": source.state, "source": source.name, "address": source.address,
        "note": source.note, "sha256": policy.sha256,
    }  # fmt: skip


def _library() -> dict[str, str]:
    """Return the text of each policy of the library by its key."""
    files = resources.files("ledger") / "policies"
    return {
        file.name.removesuffix(".toml"): file.read_text(encoding="utf-8")
        for file in sorted(files.iterdir(), key=lambda one: one.name)
        if file.name.endswith(".toml")
    }
