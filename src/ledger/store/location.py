"""Which database a ledger URL names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.errors import Unavailable

if TYPE_CHECKING:
    from ledger.store.log import SealedLog

__all__ = ["DEFAULT_URL", "open_log"]

DEFAULT_URL = "sqlite:///ledger.db"


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
    raise Unavailable(
        f"the ledger URL {url!r} is not understood; use sqlite:///ledger.db or postgresql://user@host/database"
    )
