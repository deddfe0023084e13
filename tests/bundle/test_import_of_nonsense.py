"""A bundle may be validly signed and hold what no ledger would have recorded: import says where and why, and writes nothing."""

from __future__ import annotations

import json
import random
import re
import tomllib
from collections.abc import Callable
from contextlib import closing
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ledger.cli import main
from ledger.proof.bundle import table_references
from ledger.proof.canonical import canonical
from ledger.proof.checkpoint import Checkpoint, checkpoint_text
from ledger.proof.note import sign_note
from ledger.store.location import open_log
from ledger.store.replayed import unfit
from ledger.store.tree import Frontier, leaf_hash
from tests.bundle.test_same_verdict import COMMITTED, MAIN, SALT, A, B, Said, bundled, rotated
from tools import verify_bundle
from tools.attack import rebuilt, value_mutants
from tools.small_ledger import Desk, make, members_of, settle
from tools.verify_bundle import verdict

SAID = {"actor": COMMITTED}
PLACES = {"components": ["mail"], "regions": ["EMEA"], "services": ["email"]}
WINDOW = {
    "component": "mail", "effect": "outage", "region": "EMEA", "service": "email", "start": "2022-03-01T00:00:00.000000Z",
    "window": "w",
}  # fmt: skip


def of(stream: str, type_: str, **fields: Any) -> Said:
    return stream, type_, {**SAID, **fields}


def corrected(version: int, **fields: Any) -> Said:
    return of(
        "incident/i", "entry.corrected", corrects=version, kind="correction", reason=COMMITTED, set=fields
    )


OPENED = of("incident/i", "incident.opened", status="investigating", title=COMMITTED, **PLACES)
ADDED = of("incident/i", "window.added", **WINDOW)
UPDATED = of("incident/i", "incident.updated", body=COMMITTED)
EXCLUDED = of(
    "exclusion/x", "exclusion.recorded", approved_by=COMMITTED, component="*", end="2022-03-01T02:00:00.000000Z",
    evidence=COMMITTED, kind="force-majeure", region="*", service="email", start="2022-03-01T01:00:00.000000Z",
)  # fmt: skip
TERMS = (
    Path(__file__).parents[2] / "examples" / "email_delivery_2022" / "policies" / "email-standard.toml"
).read_text("utf-8")


def policy(**fields: Any) -> Said:
    said = tomllib.loads(TERMS)
    return of(
        f"policy/{said['policy']}", "policy.published", in_force_from=str(said["in_force_from"]),
        sha256=sha256(TERMS.encode()).hexdigest(), terms=TERMS, **fields,
    )  # fmt: skip


GOOD: list[Said] = [
    OPENED, ADDED, UPDATED,
    of("incident/i", "window.revised", effect="delay", reason=COMMITTED, window="w"),
    of("incident/i", "entry.corrected", corrects=3, kind="correction", reason=COMMITTED, set={"body": COMMITTED}),
    of("incident/j", "incident.opened", internal=True, status="investigating", title=COMMITTED),
    of("incident/j", "entry.published", publishes=1),
    of("incident/j", "incident.linked", relation="related", to="i"),
    EXCLUDED,
    of("claim/c", "claim.filed", at="2022-03-01T00:00:00.000000Z", customer=COMMITTED, incidents=["i"], period="2022-02"),
    of("incident/i", "entry.redacted", entry=3, fields=["body"], reason=COMMITTED),
    (MAIN, "key.published", {**SAID, "vkey": A.vkey}),
    (MAIN, "key.rotated", {**SAID, **rotated(MAIN, 2, A, B)[2]}),
]  # fmt: skip
UNREADABLE: dict[str, tuple[list[Said], int, str]] = {
    "an unknown type": ([OPENED, of("incident/i", "incident.celebrated")], 2, "the unknown type 'incident.celebrated'"),
    "an unknown field": ([OPENED, of("incident/i", "incident.updated", mood="good")], 2, "unknown field `mood`"),
    "a missing field": ([OPENED, of("incident/i", "window.added", window="w")], 2, "missing required field"),
    "no actor": ([("incident/i", "incident.opened", {"status": "investigating", "title": COMMITTED})], 1, "`actor`"),
    "a wrong type": ([of("incident/i", "incident.opened", status=5, title=COMMITTED)], 1, "cannot be read"),
    "a value nobody knows": ([of("incident/i", "incident.opened", status="fine", title=COMMITTED)], 1, "'fine'"),
    "a field at its default": ([OPENED, of("incident/i", "incident.updated", body=COMMITTED, internal=False)], 2, "not spelled"),
    "a plain text": ([OPENED, of("incident/i", "incident.updated", body="Plain.")], 2, "each text as a commitment"),
    "a time that is none": ([OPENED, of("incident/i", "window.added", **{**WINDOW, "start": "soon"})], 2, "start 'soon'"),
    "a name that is none": ([OPENED, of("incident/i", "window.added", **{**WINDOW, "window": "W!"})], 2, "'W!'"),
    "a version that is a word": (
        [OPENED, UPDATED, of("incident/i", "entry.withdrawn", corrects="v2", reason=COMMITTED)], 3, "corrects 'v2' is no version of incident/i",
    ),
    "a version that does not exist": ([OPENED, corrected(9, body=COMMITTED)], 2, "corrects 9 is no version of incident/i by then, which has 1"),
    "no version": ([OPENED, corrected(0, title=COMMITTED)], 2, "corrects 0 is no version"),
    "its own version": ([OPENED, of("incident/i", "entry.withdrawn", corrects=2, reason=COMMITTED)], 2, "corrects 2 is no version"),
    "a later version": (
        [OPENED, of("incident/i", "entry.published", publishes=3), UPDATED], 2, "publishes 3 is no version of incident/i by then",
    ),
    "a correction of a field that is not there": ([OPENED, corrected(1, mood="good")], 2, "set.mood is no field of v1 (incident.opened)"),
    "a correction to another type": ([OPENED, ADDED, corrected(2, start=5)], 3, "set.start 5 does not fit"),
    "a correction to no time": ([OPENED, ADDED, corrected(2, start="soon")], 3, "set.start 'soon'"),
    "a correction to a plain text": ([OPENED, corrected(1, title="Plain.")], 2, "each text as a commitment"),
    "a correction to a text that is none": ([OPENED, corrected(1, title={"sha512": "x"})], 2, "set.title is no commitment to a text"),
    "a correction to nothing": ([OPENED, corrected(1, services=None)], 2, "set.services is null"),
    "a kind of stream nobody knows": ([OPENED, of("weather/x", "incident.updated", body=COMMITTED)], 2, "the kind 'weather'"),
    "an event of another kind": ([OPENED, of("policy/x", "incident.updated", body=COMMITTED)], 2, "no event of a stream of the kind"),
    "a key in an incident": ([OPENED, of("incident/i", "key.published", vkey=A.vkey)], 2, "no event of a stream of the kind"),
    "terms that are none": (
        [of("policy/p", "policy.published", in_force_from="2022-01-01", sha256=sha256(b"nonsense").hexdigest(), terms="nonsense")],
        1, "the policy is not TOML",
    ),
}  # fmt: skip
# What only the rules of order refuse can be taken all the same.
OUT_OF_ORDER: dict[str, tuple[list[Said], int, str]] = {
    "an update before the opening": ([UPDATED], 1, "incident 'i' does not exist; open it first"),
    "opened twice": ([OPENED, OPENED], 2, "is already open"),
    "a window that was never added": (
        [OPENED, of("incident/i", "window.revised", effect="delay", reason=COMMITTED, window="v")], 2, "window 'v' is unknown",
    ),
    "a window that ends before it starts": (
        [OPENED, of("incident/i", "window.added", **WINDOW, end="2022-02-01T00:00:00.000000Z")], 2, "is not after start",
    ),
    "a region that is not affected": ([OPENED, of("incident/i", "window.added", **{**WINDOW, "region": "MARS"})], 2, "region 'MARS'"),
    "an erasure of no text": (
        [OPENED, of("incident/i", "entry.redacted", entry=1, fields=["regions"], reason=COMMITTED)], 2, "'regions' is not a text",
    ),
    "published years later": ([OPENED, of("incident/i", "incident.updated", body=COMMITTED, published_at="2030-01-01T00:00:00.000000Z")],
                              2, "is in the future"),
    "a link to nowhere": ([OPENED, of("incident/i", "incident.linked", relation="related", to="z")], 2, "incident 'z' does not exist by then"),
    "a link to what comes later": (
        [OPENED, of("incident/i", "incident.linked", relation="related", to="j"),
         of("incident/j", "incident.opened", status="investigating", title=COMMITTED)], 2, "incident 'j' does not exist by then",
    ),
    "a policy published years later": ([policy(published_at="2030-01-01T00:00:00.000000Z")], 1, "is in the future"),
    "a policy under a label that is taken": ([policy(ref="p"), policy(ref="p")], 2, "ref 'p' already names v1"),
    "a policy for the house only": ([policy(internal=True)], 1, "internal does not fit"),
    "a policy in a change that was broken off": (
        [policy(change="c"), policy(), policy(change="c")], 3, "change 'c' is interrupted by v2",
    ),
    "an exclusion given up before it was made": ([of("exclusion/x", "exclusion.withdrawn", reason=COMMITTED)], 1, "does not exist"),
    "a claim decided before it was filed": (
        [of("claim/c", "claim.decided", decision="granted", reason=COMMITTED)], 1, "does not exist; file it first",
    ),
}  # fmt: skip
NONSENSE = UNREADABLE | OUT_OF_ORDER


def texts(said: list[Said]) -> dict[int, dict[str, list[str]]]:
    """Return by position the texts of entries that are all told alike, but for those that an entry erases."""
    erased = {
        (stream, data["entry"], field)
        for stream, type_, data in said
        if type_ == "entry.redacted"
        for field in data["fields"]
    }
    versions: dict[str, int] = {}
    found = {}
    for at, (stream, _, data) in enumerate(said, 1):
        versions[stream] = versions.get(stream, 0) + 1
        paths = [name for name, value in data.items() if value == COMMITTED]
        paths += [f"set.{name}" for name, value in data.get("set", {}).items() if value == COMMITTED]
        found[at] = {
            path: [SALT, "Told."] for path in paths if (stream, versions[stream], path) not in erased
        }
    return found


def write(desk: Desk, said: list[Said], signer: Any = A) -> str:
    path = desk.path("nonsense.bundle")
    Path(path).write_bytes(bundled(said, signer, texts=texts(said)))
    return path


def test_what_a_ledger_would_have_recorded_is_taken_and_read(desk: Desk, tmp_path: Path) -> None:
    place = f"sqlite:///{tmp_path / 'x.db'}"
    desk.run("import", "--bundle", write(desk, GOOD, B), "--key", A.vkey, url=place)
    for words in (
        ("verify",), ("incidents",), ("log",), ("notice", "i"), ("notice", "j"), ("replay", "i"), ("blame", "i"), ("state", "i"),
        ("downtime", "--period", "2022-03"), ("views", "rebuild"), ("key", "list"),
    ):  # fmt: skip
        desk.run(*words, url=place, code=0)


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_refused_by_position(desk: Desk, tmp_path: Path, name: str) -> None:
    said, position, why = NONSENSE[name]
    path = write(desk, said)
    assert desk.verdict(Path(path).read_bytes(), "--key", A.vkey) == 0
    place = f"sqlite:///{tmp_path / 'x.db'}"
    refused = desk.run("import", "--bundle", path, "--key", A.vkey, url=place, code=1)
    assert "nothing was imported" in refused.stderr
    stream, type_, _ = said[position - 1]
    assert f"@{position} {stream} v" in refused.stderr
    assert f"({type_}): " in refused.stderr
    assert why in refused.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NONSENSE)
def test_earlier_rules_take_what_can_be_read(desk: Desk, tmp_path: Path, name: str) -> None:
    """As ledgers may hold it from when there were fewer rules; and then no reader fails."""
    place = f"sqlite:///{tmp_path / 'x.db'}"
    said = NONSENSE[name][0]
    words = ("import", "--bundle", write(desk, said), "--key", A.vkey, "--earlier-rules")
    if name in UNREADABLE:
        assert "nothing was imported" in desk.run(*words, url=place, code=1).stderr
        assert list(tmp_path.iterdir()) == []
        return
    desk.run(*words, url=place)
    incidents = {stream.partition("/")[2] for stream, _, _ in said if stream.startswith("incident/")}
    for reading in (
        ("incidents",), ("log",), ("views", "rebuild"), ("downtime", "--period", "2022-03"), ("policy", "list"),
    ):  # fmt: skip
        desk.run(*reading, url=place)
    for verb in ("notice", "replay", "blame", "state"):
        for key in incidents:
            desk.run(verb, key, url=place)


@pytest.mark.postgres
def test_an_empty_ledger_stays_as_it_was(desk: Desk, postgres_url: str) -> None:
    desk.run("init", url=postgres_url)
    path = write(desk, NONSENSE["an unknown field"][0])
    desk.run("import", "--bundle", path, "--key", A.vkey, url=postgres_url, code=1)
    with closing(open_log(postgres_url, writable=False)) as log:
        assert log.head().size == 0
    # And it takes the ledger that was meant.
    desk.run("import", "--bundle", write(desk, GOOD, B), "--key", A.vkey, url=postgres_url)


def test_every_bad_stream_is_named_in_the_order_of_positions(desk: Desk, tmp_path: Path) -> None:
    said = [OPENED, of("claim/c", "claim.withdrawn", reason=COMMITTED), of("incident/j", "incident.updated", body=COMMITTED), ADDED,
            of("incident/i", "incident.celebrated"), of("incident/i", "incident.celebrated")]  # fmt: skip
    refused = desk.run("import", "--bundle", write(desk, said), url=f"sqlite:///{tmp_path / 'x.db'}", code=1)
    places = re.findall(r"@\d+", refused.stderr)
    assert places == ["@2", "@3", "@5"]
    assert "what no ledger of this version would have recorded (3 streams or documents)" in refused.stderr


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("root", "00" * 32, "it rests on the root '0000"),
        ("position", 3, "whose root is"),
        ("position", 900, "it rests on 900 entries"),
    ],
)
def test_a_document_that_rests_on_another_ledger_is_refused(
    tmp_path: Path, name: str, value: object, why: str
) -> None:
    """As `ledger verify` would find it, once it is too late."""
    desk, _ = issued_wrongly(tmp_path, lambda data: data["rests_on"].update({name: value}))
    words = ("import", "--bundle", desk.path("altered.zip"), "--key", A.vkey)
    refused = desk.run(*words, url=f"sqlite:///{tmp_path / 'x.db'}", code=1)
    assert "nothing was imported" in refused.stderr
    assert why in refused.stderr
    assert not (tmp_path / "x.db").exists()


def issued_wrongly(tmp_path: Path, change: Callable[[Any], None]) -> tuple[Desk, bytes]:
    """Return a desk with a bundle, altered.zip, of a ledger that somebody with a key let issue a document as they liked."""
    desk = make(tmp_path)
    settle(desk)
    members = members_of(desk.bundle("--all", "--with", "actor", "--with", "note"))
    frontier, lines = Frontier(), []
    for line in members["entries.jsonl"].splitlines():
        entry = json.loads(line)
        if entry["header"]["type"] == "statement.issued":
            change(entry["data"])
        lines.append(canonical(entry) + b"\n")
        frontier.add(leaf_hash(lines[-1][:-1]))
    text = checkpoint_text(Checkpoint("ledger-bundled", frontier.size, frontier.root()))
    sign = partial(sign_note, vkey=A.vkey, sign=A.private.sign)
    altered = {**members, "entries.jsonl": b"".join(lines), "checkpoint.note": sign(text)}
    content = rebuilt(altered, sign)
    Path(desk.path("altered.zip")).write_bytes(content)
    return desk, content


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("document-totals", lambda data: data["totals"][0].update(amount="999999.00")),
        ("document-lines", lambda data: data["lines"].update(root="00" * 32)),
        ("document-basis", lambda data: data["rests_on"].update(root="00" * 32)),
        ("document-number", lambda data: data.update(number=7)),
        ("document-unreadable", lambda data: data.update(rests_on=None)),
    ],
)
def test_a_bundle_with_a_document_that_does_not_add_up(
    tmp_path: Path, kind: str, change: Callable[[Any], None]
) -> None:
    """The command checks documents as `ledger verify` does; the verifier of one file does not, and says that it does not."""
    desk, content = issued_wrongly(tmp_path, change)
    words = ("verify-bundle", desk.path("altered.zip"), "--key", A.vkey)
    said = json.loads(desk.run(*words, "--json", code=1).stdout)
    assert said["ok"] is False
    assert {one["kind"] for one in said["problems"]} == {kind}
    assert "what was issued does not add up" in desk.run(*words, code=1).stderr
    assert verdict(content, {A.vkey})[0] == 0
    assert "documents" in (verify_bundle.__doc__ or "")


def found_unfit(url: str) -> list[Any]:
    """Return what of a ledger that was recorded action by action would be refused: nothing should be."""
    with closing(open_log(url, writable=False)) as log:
        entries = [one.entry for one in log.entries()]
    return list(unfit(((at, at) for at in range(len(entries))), lambda start, _: entries[start], order=True))


@pytest.mark.parametrize(
    "time", ["2022-02-31T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00.000000Z"]
)
def test_a_time_that_no_clock_shows(time: str) -> None:
    """The format of bundles takes any day from 01 to 31."""
    header = {
        "format": 1,
        "ledger": "x",
        "position": 1,
        "recorded_at": time,
        "stream": OPENED[0],
        "type": OPENED[1],
        "version": 1,
    }
    entry = canonical({"data": OPENED[2], "header": header})
    [found] = unfit([(0, 1)], lambda *_: entry, order=True)
    assert found.why == f"recorded_at {time} is no day that a clock shows"


def test_a_settled_ledger_is_nothing_else(tmp_path: Path) -> None:
    desk = make(tmp_path)
    settle(desk)
    desk.run("period", "close", "2022-02", "--actor", "finance")
    desk.run("period", "reopen", "2022-02", "--actor", "finance", "--reason", "More.")
    assert found_unfit(desk.url) == []
    desk.bundle("--all", "--with", "actor", "--with", "note")
    desk.run(
        "import", "--bundle", desk.path("b.zip"), "--key", desk.vkey(0), url=f"sqlite:///{tmp_path / 'x.db'}"
    )


READERS = (
    ("verify",), ("incidents",), ("log",), ("notice", "emea-1"), ("replay", "emea-1"), ("blame", "emea-1"), ("state", "nam-1"),
    ("downtime", "--period", "2022-03"), ("views", "rebuild"), ("policy", "list"), ("sla", "exclusions"), ("sla", "claims"),
    ("credits", "list"), ("credits", "compute", "--period", "2022-03"), ("key", "list"),
)  # fmt: skip


@pytest.mark.parametrize("order", [True, False])
def test_what_import_takes_no_reader_stumbles_over(tmp_path: Path, order: bool) -> None:
    """Values of entries altered one at a time: refused, or a ledger that every command reads; some of them each time."""
    desk = make(tmp_path)
    settle(desk)
    with closing(open_log(desk.url, writable=False)) as log:
        rows = [(one.entry, one.texts) for one in log.entries()]
        digests = {digest for entry, _ in rows for digest in table_references(entry)}
        tables = [(digest, content) for digest in digests if (content := log.content(digest)) is not None]
    mutants = [
        (at, where, canonical({**said, "data": value}))
        for at, said in enumerate(json.loads(entry) for entry, _ in rows)
        for where, value in value_mutants(said["data"])
        # A table that is not there is found before.
        if "sha256" not in where
    ]
    refused, taken = 0, 0
    for at, where, entry in random.Random(order).sample(mutants, 150):
        altered = [*rows[:at], (entry, rows[at][1]), *rows[at + 1 :]]
        spans = ((number, number) for number in range(len(altered)))
        if any(unfit(spans, lambda start, _, altered=altered: altered[start][0], order=order)):  # type: ignore[misc]
            refused += 1
            continue
        taken += 1
        if taken > 5:
            continue
        place = f"sqlite:///{tmp_path / f'{taken}.db'}"
        frontier = Frontier()
        for made, _ in altered:
            frontier.add(leaf_hash(made))
        with closing(open_log(place)) as log:
            log.restore("ledger-bundled", altered, tables, frontier.root())
        for words in READERS:
            result = CliRunner().invoke(main, ["--ledger", place, *words])
            assert isinstance(result.exception, SystemExit | None), (at, where, words, result.exception)
            assert result.exit_code in (0, 1), (at, where, words, result.output)
    assert refused > 50
    assert taken > 5
