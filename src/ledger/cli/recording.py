"""Recording from the command line: one way for every verb, from the actions to what is said about them.

Until the commit anything may fail, and nothing was stored; from the commit on nothing may look like a refusal. So an
interrupt waits while a commit is under way, and whatever keeps the receipts from being shown afterwards is told as what
it is, with what was stored (exit code 3).
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.session import Session, emit_json
from ledger.errors import LedgerError, Unavailable

if TYPE_CHECKING:
    from ledger.append import Appender, Receipt
    from ledger.domain.actions import Action
    from ledger.store.log import SealedLog

__all__ = [
    "NotShown", "append_and_print", "appended", "print_receipt", "record", "telling", "warn_of_claimants",
]  # fmt: skip


class NotShown(Unavailable):
    """Everything was stored, but what came of it could not be said."""


class _Interrupts:
    """Holds an interrupt (Ctrl-C) back from the moment a commit begins until somebody asks whether there was one."""

    def __init__(self) -> None:
        self._before: Any = None
        self._noted = False

    def hold(self) -> None:
        """Note an interrupt from here on, instead of ending."""
        # Only the main thread may say what a signal does, and only it is interrupted; a job in the background is not at all.
        if (
            self._before is None
            and threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) not in (None, signal.SIG_IGN)
        ):
            self._before = signal.signal(signal.SIGINT, self._note)

    def release(self) -> bool:
        """Let an interrupt end the program again; return whether one was held back."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None
        noted, self._noted = self._noted, False
        return noted

    def _note(self, *_: object) -> None:
        self._noted = True


_interrupts = _Interrupts()


def appended(appender: Appender, actions: Sequence[Action], *, accept_clock: bool = False) -> list[Receipt]:
    """Record all actions, or none; what is said about the receipts belongs into `telling`.

    Raises what `Appender.append` raises, and Unavailable for an interrupt: in both cases nothing was stored.
    """
    appender.sealed.before_commit = _interrupts.hold
    try:
        return appender.append(actions, accept_clock=accept_clock)
    except KeyboardInterrupt:
        raise Unavailable("interrupted; nothing was stored") from None
    except BaseException:
        # The refusal says all there is to say.
        _interrupts.release()
        raise


@contextmanager
def telling(receipts: Sequence[Receipt]) -> Iterator[None]:
    """Say inside what was recorded; NotShown, with what was stored, where that fails or is interrupted."""
    try:
        if _interrupts.release():
            raise KeyboardInterrupt
        yield
    except BrokenPipeError:
        raise  # Whoever read the receipts has seen enough of them.
    except (KeyboardInterrupt, OSError, LedgerError) as error:
        raise NotShown(f"{_stored(receipts)}, but {_why(error)}") from None
    except Exception as error:
        error.add_note(_stored(receipts))
        raise


def _stored(receipts: Sequence[Receipt]) -> str:
    new = [receipt.position for receipt in receipts if not receipt.replayed]
    if not new:
        return "everything had been recorded before"
    which = f"@{new[0]}" if len(new) == 1 else f"@{new[0]} to @{new[-1]}"
    return f"everything was stored ({which}), so do not send it again"


def _why(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "an interrupt came before all of it was shown"
    return str(getattr(error, "strerror", None) or error)


def append_and_print(
    appender: Appender, actions: Sequence[Action], *, accept_clock: bool = False, as_json: bool = False
) -> list[Receipt]:
    """Record all actions, or none, and print a receipt for each."""
    from ledger.domain.events import ClaimFiled

    if any(isinstance(one.event, ClaimFiled) for one in actions):
        from ledger.cli.claim_periods import refuse_ambiguous

        refuse_ambiguous(appender.sealed, actions)
    receipts = appended(appender, actions, accept_clock=accept_clock)
    with telling(receipts):
        for receipt in receipts:
            print_receipt(receipt, as_json)
    return receipts


def warn_of_claimants(log: SealedLog, actions: Sequence[Action]) -> None:
    """Warn of customers who claim and whom no table of subscriptions knows: they may be some that are to come."""
    from ledger.domain.events import ClaimFiled

    customers = [str(one.event.customer) for one in actions if isinstance(one.event, ClaimFiled)]
    if customers:
        from ledger.cli import facts

        facts.warn_of_claimants(log, dict.fromkeys(customers))


def record(
    session: Session, actions: Sequence[Action], *, accept_clock: bool = False, as_json: bool = False
) -> list[Receipt]:
    """Record all actions of a command, or none, and print a receipt for each; see `appended` and `telling`."""
    with session.recording() as appender:
        receipts = append_and_print(appender, actions, accept_clock=accept_clock, as_json=as_json)
        with telling(receipts):
            warn_of_claimants(appender.sealed, actions)
        return receipts


def print_receipt(receipt: Receipt, as_json: bool) -> None:
    """Print a receipt on standard output, and its warnings on standard error."""
    if as_json:
        emit_json(receipt.as_json())
    else:
        word = "already recorded" if receipt.replayed else "recorded"
        click.echo(
            f"{word} @{receipt.position}  {receipt.stream} v{receipt.version}  {receipt.type}  {receipt.recorded_at}"
        )
    for warning in receipt.warnings:
        click.echo(f"warning: {warning}", err=True)
