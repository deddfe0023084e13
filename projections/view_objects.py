"""What stands beside the tables of the views and was not made with them: it could change what is read or written there."""

from __future__ import annotations

import sqlalchemy as sa

__all__ = ["addition"]

_SQLITE = "SELECT type, name, tbl_name FROM sqlite_master WHERE name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY type, name"
_POSTGRES = """
WITH place AS (
  SELECT c.oid, c.relname::text, c.relkind FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema
)
SELECT CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'view' ELSE 'table' END, relname, relname
FROM place WHERE relkind IN ('r', 'p', 'f', 'v', 'm')
UNION ALL SELECT 'trigger', t.tgname::text, relname FROM pg_catalog.pg_trigger t JOIN place ON place.oid = t.tgrelid
WHERE NOT t.tgisinternal
UNION ALL SELECT 'rule', r.rulename::text, relname FROM pg_catalog.pg_rewrite r JOIN place ON place.oid = r.ev_class
WHERE r.rulename <> '_RETURN'
ORDER BY 1, 2
"""


def addition(engine: sa.Engine, schema: str | None, made: sa.MetaData) -> str:
    """Return the first thing in the place of the views that is not among those made there, in words; "" where there is none.

    schema: on PostgreSQL; None for a file of SQLite. made: the tables and indexes of the views.
    """
    expected = {("table", name) for name in made.tables}
    expected |= {("index", str(index.name)) for table in made.tables.values() for index in table.indexes}
    with engine.connect() as connection:
        query = sa.text(_SQLITE) if schema is None else sa.text(_POSTGRES).bindparams(schema=schema)
        for kind, name, table in connection.execute(query):
            if (kind, name) not in expected:
                on = "" if name == table else f" on {table}"
                return f"it has the {kind} {name}{on}, which no views have"
    return ""
