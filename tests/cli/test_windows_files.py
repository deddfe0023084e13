"""Files as editors on Windows save them: a byte order mark first, CR LF at the end of each line."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from ledger.cli import main

_POLICY = Path(__file__).parents[2] / "examples" / "email_delivery_2022" / "policies" / "email-standard.toml"
_OPEN = b'{"action":"open","incident":"a","actor":"ops","title":"T","status":"investigating"}\r\n'
_UPDATE = '{"action":"update","incident":"a","actor":"ops","body":"Größer"}\r\n'.encode()


def _ledger(url: str, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["--ledger", url, *arguments])
    return result.exit_code, result.output


def test_actions_are_read(tmp_path: Path) -> None:
    url, lines = f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "actions.jsonl"
    lines.write_bytes(b"\xef\xbb\xbf" + _OPEN + b"\r\n" + _UPDATE)
    assert _ledger(url, "init")[0] == 0
    code, said = _ledger(url, "append", str(lines))
    assert (code, said.count("recorded @")) == (0, 2)
    assert "Größer" in _ledger(url, "notice", "a")[1]


def test_a_mark_in_the_middle_is_refused(tmp_path: Path) -> None:
    url, lines = f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "actions.jsonl"
    lines.write_bytes(_OPEN + b"\xef\xbb\xbf" + _UPDATE)
    _ledger(url, "init")
    code, said = _ledger(url, "append", str(lines))
    assert code == 1
    assert "line 2: the line is not JSON" in said


def test_a_policy_is_published_with_one_kind_of_line_end(tmp_path: Path) -> None:
    url, plain = f"sqlite:///{tmp_path / 'ledger.db'}", _POLICY.read_text()
    saved = tmp_path / "policy.toml"
    saved.write_bytes(b"\xef\xbb\xbf" + plain.replace("\n", "\r\n").encode())
    _ledger(url, "init")
    assert _ledger(url, "policy", "publish", str(saved), "--actor", "finance")[0] == 0
    assert _ledger(url, "policy", "show", "email-standard") == (0, plain)
    saved.write_bytes(plain.encode("utf-16"))
    code, said = _ledger(url, "policy", "publish", str(saved), "--actor", "finance")
    assert code == 1
    assert "is not UTF-8" in said
