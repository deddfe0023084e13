"""What `make attack` does in full is tried here in part: everything that is altered is found, by both verifiers."""

from __future__ import annotations

from pathlib import Path

from tools.attack import run


def test_no_attack_survives(tmp_path: Path) -> None:
    done = run(tmp_path, 0.01)
    assert [one.survivors for one in done if one.survivors] == []
    assert len(done) == 24
    assert sum(one.tried for one in done) > 10_000
    assert all(
        one.tried
        for one in done
        if "database" not in one.what and "views" not in one.what and "letters" not in one.what
    )
