"""Append: the incoming tables become the rows of an earlier copy and, behind them, the incoming rows that are new."""

from itertools import zip_longest
from typing import Any

import duckdb

from probesheets.errors import ProbesheetsError, shortened, shown
from probesheets.source.shapes import OWN_ID, TABLE_OUTPUT, Shape, all_tables, read_shapes
from probesheets.sql import literal, quoted

_SHOWN = 60  # characters of a cell in a message


def append(connection: duckdb.DuckDBPyConnection, schema: str, incoming: str, source: str, shape: Shape) -> int:
    """Put the copy in `schema` before the incoming rows; returns how many rows of the shape's first table are new.

    `incoming` is the prefix of the incoming tables. Raises ProbesheetsError if there is no copy, if it has another
    shape, or if a row has the id of a row with other content.
    """
    if (before := origin(connection, schema)) is None:
        raise ProbesheetsError(
            "There is no copy to append to: nothing was copied yet, or only the bundled sample. Remove --append."
        )
    copied = shape_of_copy(connection, schema)
    if copied and copied.name != shape.name:
        raise ProbesheetsError(
            f"The copy has the shape {copied.name}, and {source} has the shape {shape.name}. "
            "Remove --append, or set PROBESHEETS_DUCKDB to another file for this source."
        )
    places = (f"{schema}.{shape.first}", f"main.{incoming}{shape.first}")
    ours, theirs = (OWN_ID in columns(connection, place) for place in places)
    if ours != theirs:
        raise ProbesheetsError(
            f"The Record IDs of the copy are {'row numbers' if ours else 'ids of the source'}, those of {source} would "
            f"be {'row numbers' if theirs else 'its ids'}. Copy all files together, without --append: --source 'DIR/*'"
        )
    new = 0
    for table in reversed([*shape.tables]):
        old, added = f"{schema}.{table}", f"main.{incoming}{table}"
        if not columns(connection, old):
            continue
        others = ""
        if columns(connection, added):
            _refuse_other_content(connection, schema, table, added, source, shape)
            others = f"union all by name (select * from {added} as new where new.id is null or new.id not in "
            others += f"(select id from {old} where id is not null))"
        [(had,)] = connection.execute(f"select count(*) from {old}").fetchall()
        [(has,)] = connection.execute(f"create table main.{incoming}both as from {old} {others}").fetchall()
        connection.execute(f"drop table if exists {added}; alter table main.{incoming}both rename to {incoming}{table}")
        new = int(has - had)
    name = before if not new else f"{before}, {source}"
    connection.execute(f"comment on table main.{incoming}{shape.first} is {literal(name)}")
    return new


def origin(connection: duckdb.DuckDBPyConnection, schema: str) -> str | None:
    """Where the copy in a schema comes from; None if there is none, or only the sample, which has no such comment."""
    return next((comment for _, comment in _tables(connection, schema) if comment), None)


def shape_of_copy(connection: duckdb.DuckDBPyConnection, schema: str = "main") -> Shape | None:
    """The shape of the copy in a schema, as macros/project/check_shape.sql has it; None if there is no copy."""
    tables = dict(_tables(connection, schema))
    shapes = read_shapes()
    copied = (shape for shape in shapes.values() if tables.get(shape.first))
    return next(copied, shapes[TABLE_OUTPUT] if TABLE_OUTPUT in tables else None)


def own_tables(connection: duckdb.DuckDBPyConnection, schema: str) -> set[str]:
    """The tables of a schema that have the name of a copy, but are none."""
    copied = shape_of_copy(connection, schema)
    return {table for table, _ in _tables(connection, schema)} - {*(copied.tables if copied else ())}


def _tables(connection: duckdb.DuckDBPyConnection, schema: str) -> list[tuple[str, str | None]]:
    """The tables of a schema that a copy may have, and their comments."""
    database, _, name = schema.rpartition(".")
    names = ", ".join(map(literal, all_tables()))
    return connection.execute(  # without parameters: with the first one, DuckDB would import pandas
        f"select table_name, comment from duckdb_tables() where schema_name = {literal(name)} and "
        f"table_name in ({names}) and database_name = coalesce(nullif({literal(database)}, ''), current_database())"
    ).fetchall()


def columns(connection: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    """The columns of a table; empty if there is no table."""
    try:
        return [str(row[0]) for row in connection.execute(f"describe {relation}").fetchall()]
    except duckdb.CatalogException:
        return []


def _refuse_other_content(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, new: str, source: str, shape: Shape
) -> None:
    """Columns that only one of the two has do not matter, unless a known row would get a new value there.

    Nor does it matter whether a cell is empty or null.
    """
    old = f"{schema}.{table}"
    before = {name.lower() for name in columns(connection, old)}
    differ = " or ".join(
        f"coalesce(cast(new.{name} as varchar), '') <> coalesce(cast(old.{name} as varchar), '')"
        if known
        else f"new.{name} <> ''"
        for name, known in ((quoted(name), name.lower() in before) for name in columns(connection, new))
    )
    rows = f"from {old} as old inner join {new} as new on old.id = new.id where {differ}"
    [(count, first)] = connection.execute(f"select count(*), min(old.id) {rows}").fetchall()
    if not count:
        return
    ours, theirs = (_texts(connection, relation, first) for relation in (old, new))
    shown_rows = f"  the copy: {_shown(ours, theirs)}\n  {source}: {_shown(theirs, ours)}"
    [(largest,)] = connection.execute(
        f"select max(greatest(id, {'coalesce(experiment_id, 0), ' * ('experiment_id' in shape.tables[shape.first])}1)) "
        f"from {schema}.{shape.first}"
    ).fetchall()
    raise ProbesheetsError(
        f"{source} and the copy have the same id for different rows of {table} ({count:,}). The first is {first}:\n"
        f"{shown_rows}\nIf these are other rows, whose ids began at 1 again, add --offset-ids "
        f"{10 ** len(str(largest))}. If the rows were corrected, copy the whole source without --append."
    )


def _texts(connection: duckdb.DuckDBPyConnection, relation: str, row: int) -> dict[str, str]:
    cursor = connection.execute(f"from {relation} where id = {row} limit 1")
    names: list[Any] = [column[0] for column in cursor.description or ()]
    return {name: str(value) for name, value in zip(names, cursor.fetchall()[0], strict=True) if value is not None}


def _shown(row: dict[str, str], other: dict[str, str]) -> str:
    """The cells of a row; of a long one, the part around the place where it begins to differ from the other row."""
    cells = []
    for name, text in row.items():
        pairs = enumerate(zip_longest(text, other.get(name, "")))
        start = max(0, next((place for place, (ours, theirs) in pairs if ours != theirs), 0) - _SHOWN // 2)
        cells.append(f"{name} {'…' * (start > 0)}{shown(shortened(text[start:], _SHOWN))}")
    return ", ".join(cells)
