"""The group of commands about service levels; the module of a command is imported when it is called."""

from __future__ import annotations

from importlib import import_module

import click

__all__ = ["sla"]

# name -> (module, attribute, one line of help); the help stands here so that listing imports nothing.
VERBS = {
    "evaluate": ("evaluate", "evaluate", "Say what any facts come to under any policy, without a ledger."),
    "exclude": (
        "claims",
        "exclude",
        "Record time that policies may leave out, who approved it, on what evidence.",
    ),
    "withdraw-exclusion": ("claims", "withdraw_exclusion", "Take an exclusion back."),
    "exclusions": ("claims", "exclusions", "List the exclusions."),
    "claim": ("claims", "claim", "Record that a customer claimed credit."),
    "decide-claim": ("claims", "decide_claim", "Grant or refuse a claim."),
    "withdraw-claim": ("claims", "withdraw_claim", "Record that a claim was taken back."),
    "claims": ("claims", "claims", "List the claims."),
    "deadlines": (
        "claims",
        "deadlines",
        "Show until when each customer may claim, and what was revised after that.",
    ),
}


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module, attribute, _ = VERBS[cmd_name]
        command: click.Command = getattr(import_module(f"ledger.cli.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, _, words) in VERBS.items()])


@click.group(cls=_Verbs)
def sla() -> None:
    """Exclude time, claim credits, and see until when."""
