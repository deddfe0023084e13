"""Checkpoints that were kept elsewhere count against a bundle as they do against its ledger, key by key and size by size."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from click.testing import CliRunner

from ledger.cli import main
from ledger.store.location import open_log
from tools.small_ledger import Desk

STRANGER = "stranger.key"


def checkpoint(desk: Desk, size: int, key: str) -> str:
    path = desk.path(f"{size}-{key}.checkpoint")
    if not Path(path).exists():
        desk.run("checkpoint", "--recorded-by", f"@{size}", "--key-file", desk.path(key), "-o", path)
    return path


def position_of(desk: Desk, type_: str) -> int:
    """Return where the only entry of a type stands."""
    with closing(open_log(desk.url, writable=False)) as log:
        [position] = [one.position for one in log.entries() if one.type == type_]
    return position


def against_ledger(desk: Desk, path: str, keys: list[str]) -> tuple[int, str]:
    words = [word for key in keys for word in ("--key", key)]
    result = CliRunner().invoke(main, ["--ledger", desk.url, "verify", "--against", path, *words])
    return result.exit_code, result.stdout


def against_bundle(desk: Desk, bundle: bytes, path: str, keys: list[str]) -> int:
    return desk.verdict(bundle, *(word for key in keys for word in ("--key", key)), "--against", path)


def stranger(desk: Desk) -> str:
    """Make a key that the ledger never had, under the name of its own; return the public half."""
    desk.run("init", url=f"sqlite:///{desk.path('elsewhere.db')}")
    desk.run(
        "key", "new", "main", "--actor", "x", "--key-file", desk.path(STRANGER),
        url=f"sqlite:///{desk.path('elsewhere.db')}",
    )  # fmt: skip
    return desk.run("key", "show", "main", url=f"sqlite:///{desk.path('elsewhere.db')}").stdout.strip()


def test_ledger_and_bundle_count_the_same_checkpoints(own_desk: Desk, signs_regardless: None) -> None:
    """Each key under each size, whichever keys are brought: a key counts until the entry that replaced it, and no further."""
    desk = own_desk
    other = stranger(desk)
    whole = desk.bundle("--all", key="next.key")
    first, second = desk.vkey(0), desk.vkey(1)
    replaced = position_of(desk, "key.rotated")
    size = replaced + 1
    counts: dict[tuple[str, bool], set[int]] = {}
    for at in range(1, size + 1):
        for key in ("main.key", "next.key", STRANGER):
            path = checkpoint(desk, at, key)
            for keys in ([first], [second], [first, second], [second, other]):
                by_bundle = against_bundle(desk, whole, path, keys)
                by_ledger, told = against_ledger(desk, path, keys)
                assert by_bundle == by_ledger, (at, key, keys)
                assert (by_ledger == 1) == ("checkpoint-refused" in told)
                if first in keys:
                    counts.setdefault((key, by_bundle == 0), set()).add(at)
    every = {*range(1, size + 1)}
    assert counts["main.key", True] == {at for at in every if at < replaced}
    assert counts["main.key", False] == {at for at in every if at >= replaced}
    assert counts["next.key", True] == every
    assert counts[STRANGER, False] == every


def test_a_replaced_key_on_a_later_checkpoint_is_a_finding(desk: Desk, signs_regardless: None) -> None:
    """In a part of a ledger, too, which has every stream of keys; and named by --key itself, too."""
    replaced = position_of(desk, "key.rotated")
    size = replaced + 1
    path = checkpoint(desk, size, "main.key")
    for words in (("--all",), ("emea-1",), ("--customer", "Aurora Rail")):
        desk.bundle(*words, name="asked.bundle", key="next.key")
        for key in (desk.vkey(0), desk.vkey(1)):
            found = desk.json(
                "verify-bundle",
                desk.path("asked.bundle"),
                "--key",
                desk.vkey(0),
                "--key",
                key,
                "--against",
                path,
                code=1,
            )
            [problem] = found["problems"]
            assert problem["kind"] == "checkpoint-refused"
            assert f"signed it, but was replaced by @{replaced}: compare with" in problem["detail"]


def test_a_revoked_key_counts_from_before_it_is_doubted(own_desk: Desk, signs_regardless: None) -> None:
    """By the time of the last entry under the checkpoint, as the bundle has it."""
    desk = own_desk
    with closing(open_log(desk.url, writable=False)) as log:
        times = {one.position: one.recorded_at for one in log.entries()}
    doubted = 9
    desk.run(
        "key", "revoke", "main", "--vkey", desk.vkey(0), "--doubted-from", times[doubted], "--reason", "Lost.",
        "--actor", "ops",
    )  # fmt: skip
    whole = desk.bundle("--all", key="next.key")
    keys = [desk.vkey(0), desk.vkey(1)]
    for at in range(6, 13):
        path = checkpoint(desk, at, "main.key")
        code = against_bundle(desk, whole, path, keys)
        assert code == against_ledger(desk, path, keys)[0]
        assert code == (1 if at >= doubted else 0), at
