"""The commands for keys: files that only their owner may read, commands that sign, and nothing private in any output."""

from __future__ import annotations

import json
import shlex
import stat
import sys
from base64 import b64decode
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ledger.cli import main
from ledger.cli.session import Session
from ledger.errors import Unavailable
from ledger.proof.signers import command_signature, make_key_file, read_key_file

# The key of golang.org/x/mod/sumdb/note's tests: a seed of 32 zero bytes.
_ENOCH = "PRIVATE+KEY+EnochRoot+af0cfe78+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
_ENOCH_VKEY = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"

# Stands for a security module: it keeps the key in a place of its own and signs what comes in.
_MODULE = """
import sys
from base64 import b64encode
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
message = sys.stdin.buffer.read()
assert message.startswith(b"incident-sla-ledger/key.rotated/v1\\x00"), message
print(b64encode(Ed25519PrivateKey.from_private_bytes(bytes(32)).sign(message)).decode())
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    _run("init")
    return tmp_path


def _run(*words: str, session: Session | None = None) -> Result:
    result = CliRunner(env={"LEDGER_ACTOR": "ops", "LEDGER_URL": None}).invoke(main, words, obj=session)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def _private(path: Path) -> Path:
    path.write_text(_ENOCH + "\n")
    path.chmod(0o600)
    return path


def test_a_key_file_is_for_its_owner_alone_whatever_the_umask(folder: Path) -> None:
    import os

    before = os.umask(0)
    try:
        assert _run("key", "new", "main").exit_code == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "main.key").stat().st_mode) == 0o600


def test_the_private_half_stands_in_its_file_and_nowhere_else(folder: Path) -> None:
    done = _run("key", "new", "main")
    line = (folder / "main.key").read_text().strip()
    encoded = line.split("+", 4)[4]
    seed = b64decode(encoded)[1:]
    assert len(seed) == 32
    others = b"".join(one.read_bytes() for one in folder.iterdir() if one.name != "main.key")
    for needle in (b"PRIVATE+KEY", encoded.encode(), seed, seed.hex().encode()):
        assert needle not in others
        assert needle not in done.output.encode()


def test_two_keys_made_are_two_keys(folder: Path) -> None:
    """The seed comes from the operating system when no test gives another."""
    for name in ("one", "two"):
        assert _run("key", "new", name).exit_code == 0
    listed = [json.loads(line) for line in _run("key", "list", "--json").stdout.splitlines()]
    assert len({row["vkey"] for row in listed}) == 2


def test_a_file_of_another_tool_is_read(folder: Path) -> None:
    _private(folder / "enoch.key")
    assert _run("key", "publish", "main", "--key-file", "enoch.key").exit_code == 0
    assert _run("key", "show").stdout == _ENOCH_VKEY + "\n"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_file_that_others_may_read_is_not_used(folder: Path, mode: int) -> None:
    _private(folder / "enoch.key").chmod(mode)
    done = _run("key", "publish", "main", "--key-file", "enoch.key")
    assert done.exit_code == 3
    assert done.stderr == (
        f"ledger: the key file enoch.key has mode {mode:04o}, so others may read it; run chmod 600, and make a new key if "
        "anybody may have\n"
    )


@pytest.mark.parametrize("at", range(len(_ENOCH)))
def test_a_key_file_cut_or_changed_anywhere_is_refused_and_not_repeated(tmp_path: Path, at: int) -> None:
    path = tmp_path / "k"
    for text in (_ENOCH[:at], _ENOCH[:at] + ("x" if _ENOCH[at] != "x" else "y") + _ENOCH[at + 1 :]):
        path.write_text(text)
        path.chmod(0o600)
        with pytest.raises(Unavailable) as refused:
            read_key_file(str(path))
        assert "AAAA" not in str(refused.value)


def test_a_key_file_that_is_not_there_or_not_text_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be read: No such file"):
        read_key_file(str(tmp_path / "none"))
    path = tmp_path / "binary"
    path.write_bytes(b"\xff\x00" * 40)
    path.chmod(0o600)
    with pytest.raises(Unavailable, match="holds no Ed25519 key"):
        read_key_file(str(path))
    with pytest.raises(Unavailable, match="cannot be written"):
        make_key_file(str(tmp_path / "no" / "folder"), "n", bytes(32))


def test_a_refused_key_leaves_no_file_behind(folder: Path) -> None:
    assert _run("key", "new", "main").exit_code == 0
    assert _run("key", "new", "main", "--key-file", "again.key").exit_code == 1
    assert _run("key", "new", "second", "--name", "two words").exit_code == 1
    assert (
        _run("key", "rotate", "main", "--key-file", "main.key", "--new-key-file", "next.key").exit_code == 0
    )
    assert (
        _run("key", "rotate", "main", "--key-file", "main.key", "--new-key-file", "more.key").exit_code == 1
    )
    assert sorted(one.name for one in folder.glob("*.key")) == ["main.key", "next.key"]


def test_a_command_signs_for_a_key_that_is_in_no_file(folder: Path) -> None:
    """Given a key behind a command, when it is rotated to a key in a file, then the ledger verifies."""
    (folder / "module.py").write_text(_MODULE)
    command = shlex.join([sys.executable, "module.py"])
    assert _run("key", "publish", "main", "--vkey", _ENOCH_VKEY).exit_code == 0
    again = (
        "key",
        "rotate",
        "main",
        "--sign-command",
        command,
        "--new-key-file",
        "next.key",
        "--idempotency-key",
        "r",
    )
    assert _run(*again).exit_code == 0
    assert _run(*again).stdout.startswith("already recorded @2  key/main v2  key.rotated")
    assert _run("key", "show").stdout.startswith("EnochRoot+")
    assert _run("verify").exit_code == 0


def test_a_rotation_into_a_module_needs_its_public_key_only(folder: Path) -> None:
    """And back out of it with a signature of its own; the name stays."""
    assert _run("key", "new", "main", "--name", "EnochRoot").exit_code == 0
    assert _run("key", "rotate", "main", "--key-file", "main.key", "--new-vkey", _ENOCH_VKEY).exit_code == 0
    assert _run("key", "show").stdout == _ENOCH_VKEY + "\n"


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("no-such-program", "cannot be run"),
        ("", "cannot be run"),
        ("'", "cannot be split into words: No closing quotation"),
        ("false", "ended with 1; nothing was signed or stored"),
        ("true", "printed 0 bytes that are not a signature; it has to print the 64 bytes"),
        ("echo AAAA", "printed 5 bytes that are not a signature"),
        ("cat", "that are not a signature"),
    ],
)
def test_a_command_that_does_not_sign_is_said(command: str, sentence: str) -> None:
    with pytest.raises(Unavailable, match=r"^--sign-command") as refused:
        command_signature(command, b"incident-sla-ledger/key.rotated/v1\x00{}")
    assert sentence in str(refused.value)


def test_a_command_that_signs_with_another_key_is_refused(folder: Path) -> None:
    (folder / "module.py").write_text(_MODULE)
    assert _run("key", "new", "main").exit_code == 0
    done = _run(
        "key",
        "rotate",
        "main",
        "--sign-command",
        shlex.join([sys.executable, "module.py"]),
        "--new-key-file",
        "n.key",
    )
    assert done.exit_code == 1
    assert "ledger: signature was not made by" in done.stderr


@pytest.mark.parametrize(
    "options",
    [
        [], ["--key-file", "a"], ["--new-key-file", "b"], ["--key-file", "a", "--sign-command", "c", "--new-key-file", "b"],
        ["--key-file", "a", "--new-key-file", "b", "--new-vkey", "v"],
    ],
)  # fmt: skip
def test_half_a_rotation_is_a_usage_error(folder: Path, options: list[str]) -> None:
    assert _run("key", "rotate", "main", *options).exit_code == 2


def test_without_cryptography_keys_are_said_to_need_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publishing needs none: a vkey is a name, a hash and a number."""
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.ed25519", None)
    done = _run("key", "new", "main")
    assert (done.exit_code, done.stderr) == (
        3, "ledger: keys need the package cryptography; install incident-sla-ledger[sign]\n",
    )  # fmt: skip
    assert not (folder / "main.key").exists()
    assert _run("key", "publish", "main", "--vkey", _ENOCH_VKEY).exit_code == 0


def test_the_key_in_use_is_that_of_the_cut(folder: Path) -> None:
    """Given two rotations, when asked under a cut, then the key that signed a ledger of that size is shown."""
    _run("key", "new", "main")
    keys = [_run("key", "show").stdout]
    for old, new in (("main", "second"), ("second", "third")):
        _run("key", "rotate", "main", "--key-file", f"{old}.key", "--new-key-file", f"{new}.key")
        keys.append(_run("key", "show").stdout)
    assert len(set(keys)) == 3
    assert [_run("key", "show", "main", "--recorded-by", f"@{at}").stdout for at in (1, 2, 3)] == keys
    assert _run("key", "show", "main", "--recorded-by", "@0").exit_code == 1


_SIGNING = [
    ("checkpoint", "-o", "new.file"),
    ("prove", "@1", "-o", "new.file"),
    ("replay", "mail", "--html", "new.file"),
    ("bundle", "--all", "-o", "new.file"),
]


@pytest.mark.parametrize("words", _SIGNING, ids=lambda words: words[0])
def test_a_key_out_of_use_signs_nothing(folder: Path, words: tuple[str, ...]) -> None:
    """Given a replaced and then a revoked key, when it is to sign, then that is refused and the next step is said."""
    assert _run("key", "new", "main").exit_code == 0
    opened = ("incident", "open", "mail", "--actor", "ops", "--title", "T", "--status", "investigating")
    assert _run(*opened).exit_code == 0
    first = _run("key", "show", "main").stdout.split()[0]
    rotated = _run(
        "key", "rotate", "main", "--key-file", "main.key", "--new-key-file", "next.key", "--actor", "ops"
    )
    assert rotated.exit_code == 0, rotated.output
    second = _run("key", "show", "main").stdout.split()[0]
    result = _run(*words, "--key-file", "main.key")
    assert result.exit_code == 1, result.output
    assert f"{first} was replaced in this ledger" in result.stderr
    assert f"sign with a key in use: {second}" in result.stderr
    assert not Path("new.file").exists()
    assert _run(*words, "--key-file", "next.key").exit_code == 0
    Path("new.file").unlink()
    revoked = _run("key", "revoke", "main", "--vkey", second, "--actor", "ops", "--reason", "Stolen.")
    assert revoked.exit_code == 0, revoked.output
    result = _run(*words, "--key-file", "next.key")
    assert result.exit_code == 1, result.output
    assert f"{second} was revoked in this ledger" in result.stderr
    assert "make another one (ledger key new)" in result.stderr
    assert not Path("new.file").exists()
