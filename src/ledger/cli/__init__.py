"""The command line: parse, call, print. A command's module is imported when the command is called."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

import click

from ledger.cli.output import guard_output
from ledger.errors import LedgerError, NotUnderstood, Unavailable

__all__ = ["main"]

# name -> (module, attribute, one line of help); the help stands here so that listing imports nothing.
COMMANDS = {
    "init": ("write", "init", "Create an empty ledger."),
    "append": ("batch", "append", "Record actions from JSON lines, all or none."),
    "incident": ("write", "incident", "Record one action on an incident."),
    "window": ("write", "window", "Record one action on an impact window."),
    "redact": ("write", "redact", "Erase texts of an entry; every proof stays."),
    "policy": ("publish", "policy", "Publish and show the terms of SLAs."),
    "subscriptions": ("publish", "subscriptions", "Publish what customers pay for."),
    "cohort": ("publish", "cohort", "Publish a named set of customers."),
    "key": ("key", "key", "Make, publish, rotate and revoke signing keys."),
    "incidents": ("read", "incidents", "List the incidents."),
    "notice": ("read", "notice", "Show the public notice of an incident."),
    "log": ("read", "log", "Show every entry, with both times, who and why."),
    "show": ("read", "show", "Show one entry."),
    "diff": ("history", "diff", "Show what changed in a notice between two moments, and what it came to."),
    "blame": ("history", "blame", "Show which entry wrote each line and field of a notice."),
    "replay": ("history", "replay", "Tell a notice revision by revision."),
    "state": ("history", "state", "Show what the entries of an incident add up to."),
    "downtime": ("finance", "downtime", "Show the downtime of a period."),
    "credits": ("finance", "credits", "Compute, export, issue and restate SLA credits."),
    "sla": ("sla", "sla", "Exclude time, claim credits, and see until when."),
    "period": ("books", "period", "Close and reopen the books of a month."),
    "verify": ("verify", "verify", "Re-read everything and say what is wrong."),
    "checkpoint": ("proof", "checkpoint", "Write size and root as a signed note, to be kept elsewhere."),
    "prove": ("proof", "prove", "Prove that an entry is in the ledger, or that nothing was changed."),
    "verify-proof": ("proof", "verify_proof", "Check a proof without any ledger."),
    "bundle": ("bundle", "bundle", "Write an incident, a customer's part or all into one file to keep."),
    "verify-bundle": ("bundle", "verify_bundle", "Check a bundle without any ledger."),
    "import": ("bundle", "import_", "Write the ledger of a bundle where there is none yet."),
    "views": ("views", "views", "Show or rebuild the views for lists and reports."),
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"ledger.cli.{module}"), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from ledger.errors import nearest

            raise click.UsageError(
                f"no command {args[0]!r}{nearest(args[0], COMMANDS)}; see ledger --help", ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, _, words) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except LedgerError as error:
            _tell(error.told)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            _tell(("interrupted",))
            ctx.exit(Unavailable.exit_code)
        except BrokenPipeError:
            # The reader of our output has gone; there is nobody to tell.
            sys.stderr.close()
            ctx.exit(0)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line. A program of its own ends in a sentence whatever happens; in a test what is wrong is raised."""
        alone = guard_output()
        try:
            _check_unicode(args[0] if args else kwargs.get("args"))
            return super().main(*args, **kwargs)
        except LedgerError as error:
            _tell(error.told)
            sys.exit(error.exit_code)
        except Exception as error:
            if not alone or os.environ.get("LEDGER_TRACEBACK"):
                raise
            _tell(
                (
                    *getattr(error, "__notes__", ()),
                    f"{type(error).__name__}: {error}; this is a mistake of the program, not of yours: report it with what "
                    "LEDGER_TRACEBACK=1 in the environment shows",
                )
            )
            sys.exit(Unavailable.exit_code)


def _check_unicode(words: Sequence[str] | None) -> None:
    """Refuse bytes that are no text before any command meets them; Python hands them over as halves of surrogate pairs."""
    settings = {name: os.environ[name] for name in ("LEDGER_URL", "LEDGER_ACTOR") if name in os.environ}
    given = [
        *(("an argument", word) for word in (sys.argv[1:] if words is None else words)),
        *settings.items(),
    ]
    for what, word in given:
        try:
            word.encode()
        except UnicodeEncodeError as error:
            raise NotUnderstood(
                f"{what} {word!r} is not UTF-8 text at character {error.start + 1}; write it in UTF-8"
            ) from None


def _tell(problems: Iterable[str]) -> None:
    with suppress(OSError):
        for problem in problems:
            click.echo(f"ledger: {problem}", err=True)


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--ledger", "url", envvar="LEDGER_URL", default="sqlite:///ledger.db", show_default=True,
              help="Where the ledger is: sqlite:///FILE or postgresql://… (environment: LEDGER_URL).")  # fmt: skip
@click.version_option(package_name="incident-sla-ledger", prog_name="ledger")
@click.pass_context
def main(ctx: click.Context, url: str) -> None:
    """Incident ledger: record what happened, read what was said, price what is owed, prove nothing was altered."""
    from ledger.cli.session import Session

    session = ctx.obj if isinstance(ctx.obj, Session) else Session()
    session.url = url
    ctx.obj = session
    ctx.call_on_close(session.close)
