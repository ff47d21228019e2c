"""Keep rows of a source as an incoming table: under the shape's names, ids as numbers, everything else as text."""

from collections.abc import Iterable, Mapping

import duckdb

from probesheets.errors import ProbesheetsError, hide_password, shown
from probesheets.settings import more_memory
from probesheets.source.asked import Source
from probesheets.source.files import Rows
from probesheets.source.limits import check_size, longest
from probesheets.source.shapes import OWN_ID, Reading, Shape
from probesheets.sql import literal, quoted
from probesheets.warehouse.base import CHUNK_ROWS

INCOMING = "incoming_"
NULLS = ("NULL", "\\N")  # what phpMyAdmin, HeidiSQL and mysql write for a null
_ROW = '"row number of probesheets"'
_LAST_SECOND = 253_402_300_799  # of the year 9999


def keep(
    connection: duckdb.DuckDBPyConnection, source: Source, place: str, rows: Rows, table: str, reading: Reading
) -> int:
    """Make the incoming table; returns how many rows it has. Raises ProbesheetsError for a cell that cannot be kept."""
    types, used, numbered = reading.shape.tables[table], reading.columns.values(), numbers_rows(reading.shape, table)
    check_reading(source, place, rows, table, reading)
    columns = _shape_columns(reading, table, numbered, source)
    for name in rows.columns:
        if name not in used and name not in rows.nested:
            columns[free_name(name, columns)] = _text(quoted(name), name, numbered, source.nulls)
    moved = "" if numbered else _moved(types, columns, source.offset)
    number = f"row_number() over () as {_ROW}, " if numbered else ""
    listed = ", ".join(f"{sql} as {quoted(name)}" for name, sql in columns.items())
    try:
        connection.execute(f"set preserve_insertion_order = {str(numbered).lower()}")  # with it, rows are held back
        [(kept,)] = connection.execute(
            f"create table main.{INCOMING}{table} as select * {moved} "
            f"from (select {listed} from (select {number}* from {rows.relation}))"
        ).fetchall()
        if numbered:
            _take_ids(connection, f"main.{INCOMING}{table}", "id" in reading.columns, source.offset)
    except duckdb.OutOfRangeException:
        raise ProbesheetsError(f"{place}: an id plus {source.offset} is too large. Choose a smaller offset.") from None
    except duckdb.InvalidInputException as error:  # raised by error() in a column, or by a reader
        said = hide_password(str(error)).removeprefix("Invalid Input Error: ")
        if said.startswith(("Malformed", "JSON transform")):
            raise
        raise ProbesheetsError(f"{place}: {said}") from None
    return int(kept)


def check_reading(source: Source, place: str, rows: Rows, table: str, reading: Reading) -> None:
    """Raises ProbesheetsError for a column of lists in the place of texts, and for --date beside dates."""
    types = reading.shape.tables[table]
    for column, name in reading.columns.items():
        if name in rows.nested and types[column] != "json":
            raise ProbesheetsError(
                f"{place}: the column {shown(name)} contains lists or objects, not texts.\n"
                f"Choose another one: --columns {column}=NAME"
            )
    if source.date and table == reading.shape.first:
        if date := reading.columns.get("date"):
            raise ProbesheetsError(f"{place} has the column {shown(date)} with dates. Remove --date.")
        if "date" not in types:
            raise ProbesheetsError(f"A source of the shape {reading.shape.name} has its own dates. Remove --date.")


def check_rows(connection: duckdb.DuckDBPyConnection, place: str, table: str) -> dict[str, str]:
    """The cells that contain only a word for null, such as `3 of text, 1 of date`, by the word.

    Raises ProbesheetsError if a build cannot hold the rows; not every reader knows how long they are.
    """
    names = [str(name) for name, kind, *_ in connection.execute(f"describe {table}").fetchall() if kind == "VARCHAR"]
    sizes = " + ".join(f"coalesce(strlen({quoted(name)}), 0)" for name in names)
    row = "row_number() over ()" if "rowid" in map(str.lower, names) else "rowid"  # a column hides DuckDB's own
    pairs = [(word, name) for word in NULLS for name in names]
    tests = [f"{quoted(name)} = {literal(word)}" for word, name in pairs]
    counts = [f"count(*) filter ({test}) as count_{number}" for number, test in enumerate(tests)]
    sums = [f"sum(count_{number})" for number in range(len(pairs))]
    [(size, *found)] = connection.execute(
        f"select {', '.join(['max(size)', *sums])} from (select {', '.join([f'sum({sizes}) as size', *counts])} "
        f"from (select *, {row} // {CHUNK_ROWS} as {_ROW} from {table}) group by {_ROW})"
    ).fetchall()
    check_size(place, size or 0)
    cells = [(word, f"{count:,} of {shown(name)}") for (word, name), count in zip(pairs, found, strict=True) if count]
    return {word: ", ".join(cell for one, cell in cells if one == word) for word, _ in cells}


def numbers_rows(shape: Shape, table: str) -> bool:
    """Whether rows are numbered, because the source need not have ids."""
    return table == shape.first and f"{table}.id" in shape.optional


def _shape_columns(reading: Reading, table: str, numbered: bool, source: Source) -> dict[str, str]:
    """The SQL of each column of the shape's table."""
    columns = {}
    for column, kind in reading.shape.tables[table].items():
        name = reading.columns.get(column)
        if column == "id" and numbered:
            columns["id"] = f"cast({_ROW} as bigint)"
        elif name is not None and kind == "integer":
            columns[column] = _whole_number(name, source.nulls)
        elif name is not None:
            cell = _list(name) if kind == "json" else _seconds(name) if column in reading.seconds else quoted(name)
            columns[column] = _text(cell, name, numbered, source.nulls)
        elif column == "date" and source.date:
            columns[column] = literal(source.date)
        elif not source.append:
            columns[column] = f"cast(null as {'bigint' if kind == 'integer' else 'varchar'})"
    if numbered and (name := reading.columns.get("id")) is not None:
        columns[OWN_ID] = _text(quoted(name), name, numbered, source.nulls)
    return columns


def free_name(name: str, taken: Iterable[str]) -> str:
    """The name of a further column, which may be that of a column of the shape."""
    known = {column.lower() for column in taken}
    return next(free for free in (name, *(f"{name} {number}" for number in range(2, 99))) if free.lower() not in known)


def _moved(types: Mapping[str, str], columns: Iterable[str], offset: int) -> str:
    """The end of a select list that adds an offset to the ids. A raw row keeps the root 0."""
    names = [name for name in columns if types.get(name) == "integer" and name != "depth"] if offset else []
    moved = [
        f"{name} + {offset} as {name}"
        if name != "root_id"
        else f"case when root_id > 0 then root_id + {offset} else root_id end as root_id"
        for name in names
    ]
    return f"replace ({', '.join(moved)})" if moved else ""


def _take_ids(connection: duckdb.DuckDBPyConnection, table: str, has_ids: bool, offset: int) -> None:
    """Use the source's ids, not the numbers of the rows, if they are unique whole numbers (or 17.0, from pandas)."""
    if has_ids:
        whole = f"try_cast(regexp_extract({quoted(OWN_ID)}, '^(0|[1-9][0-9]*)(\\.0+)?$', 1) as bigint)"
        [(unique,)] = connection.execute(f"select count(*) = count(distinct {whole}) from {table}").fetchall()
        if unique:
            connection.execute(f"update {table} set id = {whole}; alter table {table} drop column {quoted(OWN_ID)}")
    if offset:
        connection.execute(f"update {table} set id = id + {offset}")


def _whole_number(name: str, nulls: Iterable[str]) -> str:
    """The cast of an id column. It accepts common spellings of null, and whole floats (`17.0`, from pandas)."""
    column, empty = quoted(name), ", ".join(map(literal, ("", *NULLS, *nulls)))
    digits = f"try_cast(regexp_extract(trim({column}), '^(-?[0-9]+)(\\.0+)?$', 1) as bigint)"
    cell = f"regexp_replace(left({column}, 40), '[[:cntrl:]]', '?', 'g')"
    return (
        f"case when cast(try_cast({column} as bigint) as varchar) = {column} then cast({column} as bigint) "
        f"when {column} is null or trim({column}) in ({empty}) then null else coalesce({digits}, "
        f"cast(error(concat({literal(name)}, ' ''', {cell}, ''' is not a whole number.')) as bigint)) end"
    )


def _text(cell: str, name: str, numbered: bool, nulls: Iterable[str]) -> str:
    """A column of texts that refuses a text that is too long."""
    most, words = longest(), ", ".join(map(literal, nulls)) or "null"
    row = f"'row ', {_ROW}" if numbered else "'the row with id ', id"
    return (
        f"case when {cell} in ({words}) then null "
        f"when strlen({cell}) > {most} then error(concat({row}, ' has ', "
        f"strlen({cell}) // 1000000, ' MB in ', {literal(name)}, '; the maximum is {most // 10**6} MB. "
        f"Shorten it, or run the command again with {more_memory()}.')) else {cell} end"
    )


def _seconds(name: str) -> str:
    """Seconds since 1970 as a UTC time; anything else stays as it is."""
    seconds = f"try_cast({quoted(name)} as double)"
    time = f"make_timestamp(cast(1000000 * {seconds} as bigint))"
    return f"case when {seconds} between 0 and {_LAST_SECOND} then cast({time} as varchar) else {quoted(name)} end"


def _list(name: str) -> str:
    """A list in JSON. Refuses anything else."""
    column = quoted(name)
    return (
        f"case when {column} is null then null "
        f"when json_valid({column}) and json_type({column}) in ('ARRAY', 'NULL') then {column} "
        f"else error(concat('row ', {_ROW}, ': ', {literal(name)}, ' is not a list of messages in JSON: ', "
        f"left({column}, 60))) end"
    )
