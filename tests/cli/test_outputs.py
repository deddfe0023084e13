"""What stands under the name of an output is kept, unless it is an earlier output of the same command."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ledger.errors import Unavailable
from ledger.outputs import beginning_with, output_file, written
from tests.cli.commands import done, ledger

_FULL = Path("/dev/full")
PLAIN = beginning_with("a note", b"note\n")


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a ledger with a key, an incident, what credits take, its views, and two checkpoints."""
    monkeypatch.chdir(tmp_path)
    examples = Path(__file__).parents[2] / "examples" / "email_delivery_2022"
    done("init")
    done("key", "new", "main")
    done("incident", "open", "mail", "--title", "T", "--status", "investigating")
    done("policy", "publish", str(examples / "policies" / "email-standard.toml"))
    Path("subscriptions.csv").write_text(
        "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n"
        "Aurora,s1,email-security,EMEA,email-standard,USD,100.00,2021-01-01,\n"
    )
    done("subscriptions", "publish", "all", "subscriptions.csv")
    done("views", "rebuild")
    done("checkpoint", "--key-file", "main.key", "-o", "early.checkpoint")
    done("incident", "update", "mail", "--body", "B")


CREDITS = ("credits", "export", "--period", "2022-03", "-o")
WRITING = [
    (("checkpoint", "-o"), "one.checkpoint"),
    (("bundle", "mail", "-o"), "one.bundle"),
    (("prove", "@2", "-o"), "one.proof"),
    (("replay", "mail", "--html"), "one.html"),
    (CREDITS, "one.xlsx"),
    (CREDITS, "one.csv"),
    (CREDITS, "one.parquet"),
]


@pytest.mark.parametrize(("words", "name"), WRITING, ids=[name for _, name in WRITING])
@pytest.mark.parametrize(
    "lost", ["ledger.db", "ledger.views.db", "main.key", "early.checkpoint", "subscriptions.csv"]
)
def test_a_name_given_by_mistake_loses_nothing(words: tuple[str, ...], name: str, lost: str) -> None:
    # What is exported says by its name what it is, so something else stands there under such a name.
    place = f"other{Path(name).suffix}" if words == CREDITS else lost
    content = Path(lost).read_bytes()
    if place != lost:
        Path(place).write_bytes(content)
    result = ledger(*words, place)
    assert result.exit_code == 1, result.output
    assert f"{place} holds something else than " in result.stderr
    assert "nothing was written" in result.stderr
    assert Path(place).read_bytes() == content
    assert not list(Path().glob("*.tmp")) + list(Path().glob(".*.tmp"))


@pytest.mark.parametrize(("words", "name"), WRITING[1:], ids=[name for _, name in WRITING[1:]])
def test_the_same_command_may_write_again(words: tuple[str, ...], name: str) -> None:
    done(*words, name)
    earlier = Path(name).read_bytes()
    Path(name).chmod(0o600)
    done("incident", "update", "mail", "--body", "Another")
    done(*words, name)
    assert (Path(name).read_bytes() != earlier) == (words != CREDITS or name == "one.xlsx")
    assert stat.S_IMODE(Path(name).stat().st_mode) == 0o600


def test_a_kept_checkpoint_is_replaced_by_no_later_one() -> None:
    earlier = Path("early.checkpoint").read_bytes()
    result = ledger("checkpoint", "--key-file", "main.key", "-o", "early.checkpoint")
    assert result.exit_code == 1
    assert "early.checkpoint holds something else than this very checkpoint" in result.stderr
    assert Path("early.checkpoint").read_bytes() == earlier
    done("checkpoint", "--recorded-by", "@4", "--key-file", "main.key", "-o", "early.checkpoint")
    assert Path("early.checkpoint").read_bytes() == earlier


def test_a_workbook_that_somebody_saved_is_theirs() -> None:
    from openpyxl import load_workbook

    done(*CREDITS, "one.xlsx")
    load_workbook("one.xlsx").save("one.xlsx")
    result = ledger(*CREDITS, "one.xlsx")
    assert result.exit_code == 1
    assert "holds something else than a workbook of credits as it was exported" in result.stderr


def test_a_detail_is_refused_before_the_workbook_is_written() -> None:
    Path("rows.parquet").write_bytes(b"PAR1 not ours PAR1")
    result = ledger(*CREDITS, "one.xlsx", "--detail", "rows.parquet")
    assert result.exit_code == 1
    assert not Path("one.xlsx").exists()


def test_names_that_a_database_keeps_for_itself_are_left_to_it() -> None:
    for end in ("-wal", "-shm", "-journal"):
        result = ledger("checkpoint", "-o", f"ledger.db{end}")
        assert result.exit_code == 1, result.output
        assert f"ledger.db{end} is a name that a database keeps for itself" in result.stderr


def test_a_link_is_followed_and_stays() -> None:
    Path("one.proof").symlink_to("real.proof")
    done("prove", "@2", "-o", "one.proof")
    done("prove", "@3", "-o", "one.proof")
    assert Path("one.proof").is_symlink()
    assert Path("real.proof").read_bytes().startswith(b"c2sp.org/tlog-proof@v1\nindex 2\n")
    Path("two.proof").symlink_to("main.key")
    assert ledger("prove", "@2", "-o", "two.proof").exit_code == 1
    assert Path("main.key").read_text().startswith("PRIVATE+KEY+")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_written_to_and_stays() -> None:
    os.mkfifo("pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(Path("pipe").read_bytes()))
    reader.start()
    result = ledger("checkpoint", "-o", "pipe")
    reader.join(30)
    assert result.exit_code == 0, result.output
    assert read[0].endswith(b"=\n")
    assert result.stdout == ""
    assert stat.S_ISFIFO(Path("pipe").stat().st_mode)


@pytest.mark.skipif(not _FULL.exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize(("words", "name"), WRITING[:4], ids=[name for _, name in WRITING[:4]])
def test_a_device_is_written_to_and_stays(words: tuple[str, ...], name: str) -> None:
    # Never the device itself: should this fail as root, it would be gone.
    Path("full").symlink_to(_FULL)
    result = ledger(*words, "full")
    assert result.exit_code == 3, result.output
    assert "full cannot be written: No space left on device; choose another place" in result.stderr
    assert stat.S_ISCHR(_FULL.stat().st_mode)
    assert Path("full").is_symlink()
    Path("full").unlink()
    Path("null").symlink_to("/dev/null")
    done(*words, "null")
    assert stat.S_ISCHR(Path("null").stat().st_mode)


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="this system has no such name")
def test_standard_output_by_its_name_holds_the_output_alone() -> None:
    words = ["--ledger", "sqlite:///ledger.db", "prove", "@2", "-o"]
    with Path("redirected").open("wb") as file:
        program = [sys.executable, "-m", "ledger", *words, "/dev/stdout"]
        found = subprocess.run(program, stdout=file, stderr=subprocess.PIPE, check=True)
    assert found.stderr.startswith(b"wrote /dev/stdout")
    done("prove", "@2", "-o", "plain")
    assert Path("redirected").read_bytes() == Path("plain").read_bytes()


def test_what_changed_while_the_output_was_made_is_not_lost(tmp_path: Path) -> None:
    from ledger.errors import Refused

    place = tmp_path / "place"

    def made() -> None:
        with output_file(place, PLAIN) as beside:
            beside.write_bytes(b"note\n")
            place.write_bytes(b"somebody else")

    with pytest.raises(Refused):
        made()
    assert place.read_bytes() == b"somebody else"
    with pytest.raises(Unavailable, match="Is a directory"):
        written(tmp_path, b"note\n", PLAIN)
    assert [one for one in tmp_path.iterdir() if one.suffix == ".tmp"] == []
