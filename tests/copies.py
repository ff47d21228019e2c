"""The copy of a source, in place without dbt: for tests that need it faster than a build, or without one."""

from pathlib import Path

import duckdb

from probesheets.project.build_log import LOG
from probesheets.source.asked import Source
from probesheets.source.copy import copy_source
from probesheets.source.keep import INCOMING
from probesheets.source.shapes import read_shapes


def replace_copy(database: Path, source: str | Source, experiments: Path | None = None) -> None:
    """Copy a source and accept it, as the first hook of a build does after its checks."""
    source = source if isinstance(source, Source) else Source(source, experiments)
    copy_source(database, source)
    with duckdb.connect(str(database)) as connection:
        for table in {table for shape in read_shapes().values() for table in shape.tables}:
            connection.execute(f"drop table if exists main.{table}")
            connection.execute(f"alter table if exists main.{INCOMING}{table} rename to {table}")
        if (LOG,) in connection.execute("show tables").fetchall():
            row = (
                "insert into {} (recorded_at, invocation_id, event, subject, details) values ('', '', 'copied', ?, '')"
            )
            connection.execute(row.format(LOG), [source.place])
