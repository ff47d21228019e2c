"""Read JSON lines, or a JSON list of objects, with DuckDB: the keys of all objects become columns."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from probesheets.errors import ProbesheetsError
from probesheets.settings import more_memory
from probesheets.source.columns import check_names
from probesheets.source.csv_files import is_packed, open_packed
from probesheets.source.files import Rows, file_list, reading
from probesheets.source.sizes import longest
from probesheets.sql import literal, quoted


@contextmanager
def open_json(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], _: Sequence[str]) -> Iterator[Rows]:
    """The objects of JSON files. DuckDB would guess the keys from the first objects; here, every object is asked."""
    options = f"{file_list(files)}, maximum_object_size = {longest()}"
    if is_packed(files[0]):  # whatever its name
        options += ", compression = 'gzip'"
    with reading(lambda said: _broken(files, said.splitlines()[0])):
        found = connection.execute(f"select distinct unnest(json_keys(json)) from read_json_objects({options})")
        keys = _in_order(connection, options, {str(key) for (key,) in found.fetchall()})
        check_names(str(files[0]), keys)
        if "" in keys:
            raise ProbesheetsError(f"{files[0]} has a column without a name. Name it, or remove it.")
        nested = _nested(connection, files, options, keys)
        columns = ", ".join(f"{quoted(key)}: 'VARCHAR'" for key in keys)
        yield Rows(f"read_json({options}, columns = {{{columns}}})", keys, nested)


def _in_order(connection: duckdb.DuckDBPyConnection, options: str, keys: set[str]) -> list[str]:
    """The keys as in the first object, then the others by name."""
    first = connection.execute(f"select json_keys(json) from read_json_objects({options}) limit 1").fetchone()
    begin = [key for key in (first[0] if first else []) if key in keys]
    return list(dict.fromkeys([*begin, *sorted(keys)]))


def _nested(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Path], options: str, keys: Sequence[str]
) -> frozenset[str]:
    """The keys that have a list or an object anywhere. Raises ProbesheetsError for other values."""
    plain = [key for key in keys if key and json.dumps(key, ensure_ascii=False) == f'"{key}"']  # fit for a path
    paths = ", ".join(literal(f'$."{key}"') for key in plain)
    any_list = "".join(f", bool_or(types[{number}] in ('ARRAY', 'OBJECT'))" for number in range(1, len(plain) + 1))
    [(others, *found)] = connection.execute(
        f"select bool_or(json_type(json) <> 'OBJECT') {any_list} "
        f"from (select json, json_type(json, [{paths}]) as types from read_json_objects({options}))"
    ).fetchall()
    if others or not keys:
        raise _broken(files, "it has values that are not objects" if others else "it has no objects")
    return frozenset(key for key, is_list in zip(plain, found, strict=True) if is_list)


def _broken(files: Sequence[Path], said: str) -> ProbesheetsError:
    """The message for files that DuckDB cannot read. It counts lines wrongly, so they are counted here."""
    for file in files:
        with open_packed(file) as lines:
            if lines.peek(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
                continue  # a list may be on one line
            number = 0
            while line := lines.readline(longest() + 1):
                number += 1
                if fault := _fault(line):
                    return ProbesheetsError(f"{file}, line {number}: {fault}")
    return ProbesheetsError(f"{files[0]} cannot be read as JSON: {said}")


def _fault(line: bytes) -> str | None:
    """What is wrong with a line of JSON, if anything is."""
    if len(line) > longest():
        return f"the object is over {longest() / 1e6:.0f} MB. Run the command again with {more_memory()}."
    try:
        value = json.loads(line.decode("utf-8-sig"), object_pairs_hook=_distinct) if line.strip() else {}
        json.dumps(value, ensure_ascii=False).encode()  # half of an emoji, such as \\ud83d
        if not isinstance(value, dict):
            return 'this is not a JSON object, as in {"prompt": "...", "response": "..."}.'
    except UnicodeDecodeError as error:
        return f"the text is not UTF-8 (byte 0x{error.object[error.start]:02X}). Save the file as UTF-8."
    except ValueError as error:
        return f"this is not a JSON object: {error}. Correct the line or remove it."
    return None


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    keys = [key for key, _ in pairs]
    if repeated := next((key for key in keys if keys.count(key) > 1), None):
        raise ValueError(f"it has the key {repeated!r} twice")
    return dict(pairs)
