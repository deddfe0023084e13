"""The PostgreSQL the session starts is a real one, and each test gets an empty database of its own."""

from __future__ import annotations

import psycopg

TABLES = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"


def _leave_a_table(url: str) -> tuple[object, ...] | None:
    with psycopg.connect(url) as connection:
        before = connection.execute(TABLES).fetchone()
        connection.execute("CREATE TABLE entries (position bigint PRIMARY KEY)")
    return before


def test_a_database_starts_empty(postgres_url: str) -> None:
    assert _leave_a_table(postgres_url) == (0,)


def test_the_next_database_starts_empty_too(postgres_url: str) -> None:
    assert _leave_a_table(postgres_url) == (0,)


def test_the_server_keeps_the_durability_it_ships_with(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        shown = [connection.execute(f"SHOW {name}").fetchone() for name in ("fsync", "synchronous_commit")]
    assert shown == [("on",), ("on",)]
