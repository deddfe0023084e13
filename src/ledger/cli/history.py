"""Commands that tell how a notice came to read as it does: diff, blame, replay, state."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.proof import signing
from ledger.cli.read import read_incident
from ledger.cli.session import Session, cut_options, emit_json, json_option, say
from ledger.errors import NotUnderstood, Refused, counted, nearest

if TYPE_CHECKING:
    import pandas as pd

    from ledger.domain.exclusion import Exclusion
    from ledger.domain.measurement import Measurement
    from ledger.domain.policy import Policy
    from ledger.domain.window import Window
    from ledger.store.stream import Entry
    from projections.changes import Changes
    from projections.cohorts import Cohort
    from projections.consequences import Consequences, Stage
    from projections.reading import Reading
    from projections.replay import Audience, Cut

__all__ = ["blame", "diff", "replay", "state"]

_LIKE_A_TIME = re.compile(r"\d{4}-\d")
_INTERNAL = click.option(
    "--internal", is_flag=True, help="Also what is known and not said: entries that are not public."
)


def _pricing_options(command: Any) -> Any:
    for option in (
        click.option(
            "--policy", "policies", multiple=True, metavar="KEY|FILE",
            help="What it comes to under this published policy, or the one in a TOML file (default: those that the "
            "published subscriptions name, else all published ones).",
        ),
        click.option("--amounts", is_flag=True, help="Also the credits of the published subscriptions, in money."),
        click.option(
            "--with-others", is_flag=True,
            help="Count the windows of other incidents beside them, as ledger credits does (default: this incident alone).",
        ),
        click.option(
            "--as-of", metavar="T",
            help="An open window lasts at least until T (default: what the later side looks to, else now).",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


# ---- diff -------------------------------------------------------------------------------------------------------


@click.command()
@click.argument("key")
@click.argument("a")
@click.argument("b", required=False)
@_INTERNAL
@_pricing_options
@json_option
@click.pass_obj
def diff(
    session: Session, key: str, a: str, b: str | None, internal: bool, policies: tuple[str, ...], amounts: bool,
    with_others: bool, as_of: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Show what changed in the notice of incident KEY between A and B (default: as it stands).

    A and B are each a ref, v5 or @812 (the ledger up to that entry), a revision r3, a time (what had been published by
    then), or a checkpoint file. Words, fields, windows, and what that did to downtime and credits.
    """
    from projections import changes as view
    from projections.consequences_compared import difference, difference_text
    from projections.reading import Reader

    audience: Audience = "house" if internal else "public"
    entries = read_incident(session, key)
    sides = [_moment(session, entries, word, internal) for word in (a, b)]
    reader = Reader(entries)
    before, after = (reader.at(cut, audience) for cut in sides)
    numbers = [
        side.notice.revision for side in (before, after)
    ]  # refuses a moment before the first statement
    found = view.changes(before, after)
    # The terms are a lens, not part of the notice: those published by now, whatever moments are compared.
    pricing = _Pricing(session, policies, amounts, with_others, None)
    until = max(session.as_of(cut, as_of) for cut in sides)
    priced = pricing.both(before, after, until, audience)
    if as_json:
        emit_json(
            {
                "incident": entries[0].key,
                "before": _side_json(a, before.cut, numbers[0]),
                "after": _side_json(b, after.cut, numbers[1]),
                **view.as_json(found),
                **difference(*priced),
                "with_others": with_others,
            }
        )
        return
    say(f"{entries[0].key}  from {_side(a, numbers[0])} to {_side(b, numbers[1])}")
    moved = difference_text(*priced)
    # Who names a policy asks what it comes to, also where that is the same as before.
    money = difference_text(*priced, unchanged=True) if policies or amounts else moved
    lines = view.as_text(found, before, after)
    head = [""] if lines else [] if moved else ["nothing changed"]
    for line in [*head, *lines, *_spaced(money, pricing.heading)]:
        say(line)


def _spaced(lines: Sequence[str], heading: str) -> list[str]:
    return ["", heading, *(f"  {line}" for line in lines)] if lines else []


def _moment(session: Session, entries: Sequence[Entry], word: str | None, internal: bool) -> Cut:
    """Return the cut that a word names; None: everything."""
    from ledger.domain.instants import parse_instant
    from projections.naming import moment
    from projections.replay import Cut

    if word is None:
        return Cut()
    if word.startswith("@"):
        return session.cut(None, word)
    if (found := moment(entries, word)) is not None:
        return found
    if os.path.isfile(word):
        from ledger.cli.proof import own_checkpoint, read_file

        return Cut(None, own_checkpoint(session, f"the moment {word}", read_file("the moment", word)).size)
    try:
        instant = parse_instant(word)
    except ValueError as error:
        refs = [entry.event.ref for entry in entries if entry.event.ref is not None]
        like_a_time = _LIKE_A_TIME.match(word)
        why = f"; as a time it {error}" if like_a_time else ""
        # A time that cannot be read is no request, here as in every option that takes one.
        raise (NotUnderstood if like_a_time else Refused)(
            f"{word!r} names no moment of {entries[0].stream}{nearest(word, refs)}{why}; use a ref, v5 for a version, r3 for "
            "a revision, @812 for a position, a time such as 2022-03-30T16:52:00Z, or a checkpoint file"
        ) from None
    if internal:
        raise click.UsageError(
            f"{word} is a time of publication, and what is internal has none; leave out --internal, or name an entry"
        )
    return Cut(instant, None)


def _side(word: str | None, revision: int) -> str:
    named = "now" if word is None else word
    return named if named == f"r{revision}" else f"{named} (r{revision})"


def _side_json(word: str | None, cut: Cut, revision: int) -> dict[str, Any]:
    return {
        "named": word, "revision": revision, "published_by": cut.published_by, "recorded_by": cut.recorded_by,
    }  # fmt: skip


class _Pricing:
    """Under which policies the windows of an incident are counted, beside which others, and for whom."""

    def __init__(
        self, session: Session, policies: tuple[str, ...], amounts: bool, with_others: bool, upto: int | None
    ) -> None:
        from ledger.cli import facts

        self.session = session
        self.upto = upto
        self.with_others = with_others
        self.policies = self._policies(policies)
        self.subscriptions = self._subscriptions() if amounts else None
        self._cohorts = facts.Cohorts(session.log(), upto)
        # What was counted last, and out of what: revisions that change words alone come to the same.
        self._counted: list[tuple[Sequence[Window], Any, Consequences]] = []
        self.heading = "Downtime and credits, " + (
            "with the windows of other incidents" if with_others else "of this incident alone"
        )

    def _policies(self, given: tuple[str, ...]) -> dict[str, list[tuple[int, Policy]]]:
        from ledger.cli import facts

        published, _ = facts.policies(self.session.log(), self.upto)
        if not given:
            used = facts.policies_used(self.session.log(), self.upto) & published.keys()
            return {key: published[key] for key in sorted(used or published)}
        found: dict[str, list[tuple[int, Policy]]] = {}
        for word in given:
            if word in published:
                found[word] = published[word]
            else:
                policy = self._from_file(word, list(published))
                # What is not published has no version; 0 says so.
                found[policy.key] = [(0, policy)]
        return found

    @staticmethod
    def _from_file(word: str, known: list[str]) -> Policy:
        from ledger.cli.proof import read_file
        from ledger.domain.policy import parse_policy
        from ledger.errors import nearest

        if not os.path.isfile(word):
            raise Refused(
                f"--policy {word!r} is neither a published policy{nearest(word, known)} nor a file; see ledger policy list"
            )
        try:
            return parse_policy(read_file("--policy", word).decode("utf-8-sig").replace("\r\n", "\n"))
        except UnicodeDecodeError as error:
            raise Refused(
                f"--policy {word} is not UTF-8: {error.reason} at byte {error.start + 1}; save it as UTF-8"
            ) from None

    def _subscriptions(self) -> pd.DataFrame:
        from ledger.cli import facts

        frame, _ = facts.subscriptions(self.session.log(), self.upto, ())
        return frame

    def others(
        self, incident: str, periods: Sequence[str], cut: Cut, audience: Audience = "public"
    ) -> list[Window]:
        """Return the windows of other incidents that count beside those of one, in the months given."""
        if not self.with_others or not periods:
            return []
        from ledger.domain.period import parse_period
        from projections.views import open_views

        # A day more on both sides holds the months of every zone.
        start, end = parse_period(periods[0]).start - 86_400, parse_period(periods[-1]).end + 86_400
        views = open_views(self.session.log())
        return [one for one in views.windows(start, end, cut, audience) if one.incident != incident]

    def cohorts(self, windows: Iterable[Window]) -> Mapping[str, Cohort]:
        """Return who is in the cohorts that windows are limited to; it matters for amounts only."""
        if self.subscriptions is not None:
            self._cohorts.read(sorted({one.cohort for one in windows if one.cohort and not one.withdrawn}))
        return self._cohorts.known

    def exclusions(self) -> list[Exclusion]:
        """Return what the ledger knows to be excluded, where some policy asks for it."""
        from ledger.cli import recorded
        from projections.replay import Cut

        rules = [
            rule for versions in self.policies.values() for _, one in versions for rule in one.exclusions
        ]
        if all(rule.own_plan_only for rule in rules):
            return []
        return recorded.exclusions(self.session.log(), Cut(None, self.upto))

    def measurements(
        self, incident: str, cut: Cut, audience: Audience, periods: Sequence[str] | None = None
    ) -> list[Measurement]:
        """Return what was measured, where some policy reads it: of one incident, or with the others of all.

        periods: the months that are asked about; None: any.
        """
        from ledger.cli import recorded, run

        every = [policy for versions in self.policies.values() for _, policy in versions]
        reads = {of for policy in every for one in policy.commitments for of in one.measure.reads}
        if not reads:
            return []

        spans = None if periods is None else [run.looked_at(self.policies, label) for label in periods]

        def wanted(one: Measurement) -> bool:
            return (
                one.of in reads
                and (self.with_others or one.incident == incident)
                and (spans is None or any(one.start < end and one.end > start for start, end in spans))
            )

        found = recorded.measurements(self.session.log(), cut, audience, wanted)
        return [one for one in found if wanted(one)]

    def both(
        self, before: Reading, after: Reading, as_of: str, audience: Audience = "public"
    ) -> tuple[Consequences, Consequences]:
        """Return what the windows of two readings come to, for the same months and places and to the same instant.

        Time that passed in between is no change of the notice.
        """
        from msgspec.structs import replace

        from projections.consequences import consequences, periods_touched, places_touched

        windows = after.windows if after.windows is before.windows else [*before.windows, *after.windows]
        periods, places = periods_touched(windows, as_of, self.policies), places_touched(windows)
        others = self.others(after.reader.key, periods, after.cut, audience)
        cohorts, exclusions = self.cohorts([*windows, *others]), self.exclusions()

        # Where no window is open it does not matter until when open ones lasted.
        is_open = any(one.end is None for one in (*windows, *others))

        def made(side: Reading) -> Consequences:
            measurements = self.measurements(side.reader.key, side.cut, audience, periods)
            asked = (periods, places, as_of if is_open else None, others, measurements)
            for of, by, result in self._counted:
                if of is side.windows and by == asked:
                    return replace(result, as_of=as_of)
            result = consequences(
                side.windows, self.policies, as_of, periods=periods, places=places, others=others,
                subscriptions=self.subscriptions, cohorts=cohorts, measurements=measurements, exclusions=exclusions,
            )  # fmt: skip
            self._counted = [*self._counted[-1:], (side.windows, asked, result)]
            return result

        return made(before), made(after)


# ---- blame ------------------------------------------------------------------------------------------------------


@click.command()
@click.argument("key")
@cut_options
@json_option
@click.pass_obj
def blame(
    session: Session, key: str, published_by: str | None, recorded_by: str | None, as_json: bool
) -> None:
    """Show which entry wrote each line and each field of the notice of incident KEY: who, when and why."""
    from projections import blame as view

    entries = read_incident(session, key)
    cut = session.cut(published_by, recorded_by)
    found = view.blame(entries, cut)
    if as_json:
        for row in view.as_json(found, entries, cut):
            emit_json(row)
        return
    for line in view.as_text(found, entries, cut):
        say(line)


# ---- replay -----------------------------------------------------------------------------------------------------


@click.command()
@click.argument("key")
@cut_options
@click.option(
    "--step",
    is_flag=True,
    help="Walk with keys, in a terminal: n or the right arrow forward, p or left back, q to end.",
)
@_pricing_options
@click.option(
    "--html",
    metavar="FILE",
    help="Write it as one page to be opened in a browser, which checks its own hashes and proofs there.",
)
@click.option(
    "--checkpoint",
    "checkpoint_file",
    metavar="FILE",
    help="With --html: prove against this checkpoint (default: one made now).",
)
@signing
@json_option
@click.pass_obj
def replay(
    session: Session, key: str, published_by: str | None, recorded_by: str | None, step: bool,
    policies: tuple[str, ...], amounts: bool, with_others: bool, as_of: str | None, html: str | None,
    checkpoint_file: str | None, key_file: str | None, sign_command: str | None, vkey: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Tell the notice of incident KEY revision by revision, in the order they were recorded, each with what changed.

    With --html an auditor gets it as one file that asks nobody for anything: proofs, and the texts that fit them, are in it.
    """
    from projections.consequences import stages

    if step:
        _can_step(html, as_json)
    entries = read_incident(session, key)
    cut = session.cut(published_by, recorded_by)
    proof = {
        "checkpoint_file": checkpoint_file, "key_file": key_file, "sign_command": sign_command, "vkey": vkey
    }  # fmt: skip
    if html is not None:
        _page(
            session,
            entries,
            cut,
            html,
            proof,
            lambda upto: _Pricing(session, policies, amounts, with_others, upto),
            as_of,
            as_json,
        )
        return
    if any(proof.values()):
        raise click.UsageError("a checkpoint and what signs it belong to a page; add --html FILE")
    found = stages(entries, cut)
    if not found:
        from projections.notice import notice

        notice(entries, cut)  # says why there is nothing to tell
    pricing = _Pricing(session, policies, amounts, with_others, cut.recorded_by)
    told = _Walk(session, entries, found, pricing, as_of)
    if as_json:
        for at in range(len(found)):
            emit_json(told.json(at))
    elif step:
        _walk(len(found), lambda at: told.text(at, whole=True))
    else:
        for at in range(len(found)):
            for line in [*([""] if at else []), *told.text(at)]:
                say(line)


def _can_step(html: str | None, as_json: bool) -> None:
    """Refuse to walk where there is nobody to press a key, and beside what is not a walk."""
    if html is not None:
        raise click.UsageError("--step walks in the terminal, and --html writes a page; leave one out")
    if as_json:
        raise click.UsageError("--step walks in the terminal, and --json is for programs; leave one out")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError(
            "--step walks with keys, and this is no terminal (input or output is a file or a pipe); leave it out to "
            "have every revision at once"
        )


def _page(
    session: Session, entries: Sequence[Entry], cut: Cut, file: str, proof: dict[str, Any],
    pricing_at: Callable[[int], _Pricing], as_of: str | None, as_json: bool,
) -> None:  # fmt: skip
    from ledger.cli.page import write_page
    from ledger.cli.session import instant
    from projections.page import Terms

    def terms_at(upto: int) -> Terms:
        pricing = pricing_at(upto)
        return Terms(
            pricing.policies,
            pricing.subscriptions,
            partial(pricing.others, entries[0].key) if pricing.with_others else None,
            None if as_of is None else instant("--as-of", as_of),
            pricing.cohorts,
            lambda at: pricing.measurements(entries[0].key, at, "public"),
            pricing.exclusions(),
        )

    written = write_page(session, entries, cut, file, terms_at, **proof)
    if as_json:
        emit_json(written)
    else:
        click.echo(f"wrote {file}  ({counted(written['size'], 'entry')}, root {written['root']})")
    if not written["signed"]:
        click.echo("not signed: whose ledger this is will not show (--key-file, --sign-command)", err=True)


class _Walk:
    """The revisions of a notice, each with what it changed; made when it is asked for."""

    def __init__(
        self, session: Session, entries: Sequence[Entry], found: Sequence[Stage], pricing: _Pricing,
        as_of: str | None,
    ) -> None:  # fmt: skip
        from ledger.cli.session import instant

        self.session = session
        self.entries = entries
        self.stages = found
        self.pricing = pricing
        self.as_of = None if as_of is None else instant("--as-of", as_of)

    def _sides(self, at: int) -> tuple[Reading, Reading, Changes]:
        from projections.changes import changes, nothing

        before, after = self.stages[at - 1].reading if at else nothing(), self.stages[at].reading
        return before, after, changes(before, after)

    def _priced(self, at: int, before: Reading, after: Reading) -> tuple[Consequences, Consequences]:
        return self.pricing.both(before, after, self.as_of or self.stages[at].as_of)

    def json(self, at: int) -> dict[str, Any]:
        """Return a revision for programs (contract in docs/json.md)."""
        from projections.changes import as_json
        from projections.consequences_compared import difference

        stage = self.stages[at]
        before, after, found = self._sides(at)
        return {
            "incident": self.entries[0].key,
            "revision": stage.revision,
            "status": stage.notice.status,
            "title": stage.notice.title,
            "published_by": stage.cut.published_by,
            "recorded_by": stage.cut.recorded_by,
            **as_json(found),
            **difference(*self._priced(at, before, after)),
            "with_others": self.pricing.with_others,
        }

    def text(self, at: int, *, whole: bool = False) -> list[str]:
        """Return a revision for people; whole: with the notice as it then read."""
        from projections.changes import as_text
        from projections.consequences_compared import difference_text
        from projections.notice import as_text as notice_text

        stage = self.stages[at]
        before, after, found = self._sides(at)
        head = (
            f"r{stage.revision} ({at + 1} of {len(self.stages)})  {stage.notice.status}  {stage.notice.title}"
        )
        lines = as_text(found, before, after)
        lines += _spaced(difference_text(*self._priced(at, before, after)), self.pricing.heading)
        lines = [head, "-" * len(head), *lines]
        return [*lines, "", *notice_text(stage.notice).splitlines()] if whole else lines


_FORWARD = ("n", " ", "\r", "\n", "\x1b[C", "\x1b[B", "\x1bOC", "\x1bOB", "\x1b[6~", "j", "l")
_BACK = ("p", "\x1b[D", "\x1b[A", "\x1bOD", "\x1bOA", "\x1b[5~", "k", "h")
_FIRST = ("g", "\x1b[H", "\x1bOH", "\x1b[1~")
_LAST = ("G", "\x1b[F", "\x1bOF", "\x1b[4~")
_END = ("q", "Q", "\x1b", "\x03", "\x04")


def _walk(number: int, text: Callable[[int], Sequence[str]]) -> None:
    """Show one of `number` pages at a time; keys turn them."""
    at = 0
    while True:
        click.clear()
        for line in text(at):
            say(line)
        say("")
        say(f"{at + 1} of {number}  n/-> forward  p/<- back  g first  G last  q end")
        at_key = _key()
        if at_key in _END:
            return
        at = _turned(at, number, at_key)


def _turned(at: int, number: int, key: str) -> int:
    """Return the page a key leads to."""
    if key in _FORWARD:
        return min(at + 1, number - 1)
    if key in _BACK:
        return max(at - 1, 0)
    if key in _FIRST:
        return 0
    return number - 1 if key in _LAST else at


def _key() -> str:
    """Return the key that was pressed; a closed terminal and an interrupt end the walk."""
    try:
        return click.getchar() or "q"
    except (EOFError, KeyboardInterrupt):
        return "q"


# ---- state ------------------------------------------------------------------------------------------------------


@click.command()
@click.argument("key")
@cut_options
@_INTERNAL
@json_option
@click.pass_obj
def state(
    session: Session,
    key: str,
    published_by: str | None,
    recorded_by: str | None,
    internal: bool,
    as_json: bool,
) -> None:
    """Show what the entries of incident KEY add up to, field by field, now or then."""
    from projections import state as view

    if internal and published_by is not None:
        raise click.UsageError(
            "--published-by asks what the public knew, --internal what it did not; leave one out"
        )
    found = view.state(
        read_incident(session, key), session.cut(published_by, recorded_by), "house" if internal else "public"
    )
    if as_json:
        emit_json(found)
    else:
        say(view.as_text(found), nl=False)
