"""The command line as operations call it, in the folder of a test."""

from __future__ import annotations

from click.testing import CliRunner, Result

from ledger.cli import main

__all__ = ["done", "ledger"]


def ledger(*words: str, at: str = "ledger.db", stdin: bytes | None = None) -> Result:
    """Run a command on the ledger of a file. An error that is no sentence of the ledger's fails the test."""
    return CliRunner().invoke(
        main, ["--ledger", f"sqlite:///{at}", *words], input=stdin, env={"LEDGER_ACTOR": "ops"}, catch_exceptions=False
    )  # fmt: skip


def done(*words: str, at: str = "ledger.db") -> str:
    """Return what a command prints that succeeds."""
    result = ledger(*words, at=at)
    assert result.exit_code == 0, result.output
    return result.stdout
