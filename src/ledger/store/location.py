"""Which database a ledger URL names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ledger.errors import NotUnderstood

if TYPE_CHECKING:
    from ledger.store.log import SealedLog

__all__ = ["DEFAULT_URL", "open_log", "shown_url", "without_secrets"]

DEFAULT_URL = "sqlite:///ledger.db"


# All that stands between the scheme and the last @: a password may hold any character, also where it should not.
_USER = re.compile(r"^((?:[a-z0-9+.-]*:?//)?)(.*)@", re.IGNORECASE | re.DOTALL)
_PASSWORD = re.compile(r"([?&](?:ssl)?password=)[^&]*", re.IGNORECASE)


def shown_url(url: str) -> str:
    """Return a URL as it may be shown: without any password."""
    if url.startswith("sqlite:"):
        return url

    def user(found: re.Match[str]) -> str:
        name, mark, _ = found[2].partition(":")
        return f"{found[1]}{name}{':***' if mark else ''}@"

    return _PASSWORD.sub(r"\1***", _USER.sub(user, url))


def without_secrets(url: str, text: str) -> str:
    """Return what a database said about a URL without its password, and without any part that it took for something else."""
    found = _USER.match(url)
    secrets = [found[2].partition(":")[2]] if found else []
    secrets += [one[0].partition("=")[2] for one in _PASSWORD.finditer(url)]
    for secret in secrets:
        for part in sorted(
            {secret, unquote(secret), *re.split(r"[][/?#@:&%]", secret)}, key=len, reverse=True
        ):
            text = text.replace(part, "***") if part else text
    return text


def open_log(url: str, *, writable: bool = True) -> SealedLog:
    """Return the log a URL names: `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://…`.

    Nothing is opened before it is used; a driver is imported only for its own kind of URL.
    """
    if url.startswith("sqlite:///") and len(url) > len("sqlite:///"):
        from ledger.store.sqlite import SQLiteLog

        return SQLiteLog(url.removeprefix("sqlite:///"), writable=writable)
    if url.startswith(("postgresql://", "postgres://")):
        from ledger.store.postgres import PostgresLog

        return PostgresLog(url, writable=writable)
    raise NotUnderstood(
        f"the ledger URL {shown_url(url)!r} is not understood; use sqlite:///ledger.db or postgresql://user@host/database"
    )
