"""Read JSON lines, or a JSON list of objects, with DuckDB: the keys of all objects become columns."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from probesheets.errors import ProbesheetsError
from probesheets.settings import more_memory
from probesheets.source.files import Rows, file_list, is_packed, open_packed, reading
from probesheets.source.limits import check_names, longest
from probesheets.sql import quoted

_LARGEST = 16 << 20  # bytes of an object that DuckDB expects by default; to expect more takes it twice as long
# each key of the objects, whether it holds a list or an object anywhere, and the size of the largest object that has it
# (a function of JSON takes the memory of an object again, so there are only two)
_KEYS = """
select key, bool_or(kind in ('ARRAY', 'OBJECT')), max(size)
from (
  select size, unnest(keys) as key, unnest(kinds) as kind, unnest(range(len(keys))) as place
  from (
    select strlen(json) as size, json_type(json, '$.*') as kinds,
      case when regexp_matches(json, '^\\s*\\{{') then json_keys(json) else [null] end as keys
    from read_json_objects({options})
  )
)
group by key order by min(place), key
"""


@contextmanager
def open_json(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], _: Sequence[str]) -> Iterator[Rows]:
    """The objects of JSON files. DuckDB would guess the keys from the first objects; here, every object is asked."""
    packed = {is_packed(file) for file in files}
    # what a file is, whatever its name says; but of a mixture, DuckDB can only believe the names
    compression = "auto_detect" if len(packed) > 1 else "gzip" if packed.pop() else "uncompressed"
    options = f"{file_list(files)}, compression = '{compression}', maximum_object_size = "
    with reading(lambda said: _broken(files, said.splitlines()[0])):
        found = _keys(connection, options)
        names = [key for key, *_ in found]
        if None in names or not names:
            raise _broken(files, "it has values that are not objects" if names else "it has no objects")
        check_names(str(files[0]), names)
        if "" in names:
            raise ProbesheetsError(f"{files[0]} has a column without a name. Name it, or remove it.")
        largest = max(_LARGEST, *(size + 1 for *_, size in found))
        columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in names)
        relation = f"read_json({options} {largest}, columns = {{{columns}}})"
        yield Rows(relation, names, frozenset(name for name, is_nested, _ in found if is_nested))


def _keys(connection: duckdb.DuckDBPyConnection, options: str) -> list[tuple[str, bool, int]]:
    try:
        with connection.cursor() as other:  # an error would end the transaction of the copy
            return other.execute(_KEYS.format(options=f"{options} {_LARGEST}")).fetchall()
    except duckdb.InvalidInputException as error:
        if "maximum_object_size" not in str(error):
            raise
        return connection.execute(_KEYS.format(options=f"{options} {longest()}")).fetchall()


def _broken(files: Sequence[Path], said: str) -> ProbesheetsError:
    """The message for files that DuckDB cannot read. It counts lines wrongly, so they are counted here."""
    most = longest()
    for file in files:
        with open_packed(file) as lines:
            if lines.peek(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
                continue  # a list may be on one line
            number = 0
            while line := lines.readline(most + 1):
                number += 1
                if fault := _fault(line, most):
                    return ProbesheetsError(f"{file}, line {number}: {fault}")
    return ProbesheetsError(f"{files[0]} cannot be read as JSON: {said}")


def _fault(line: bytes, most: int) -> str | None:
    """What is wrong with a line of JSON, if anything is."""
    if len(line) > most:
        return f"the object is over {most / 1e6:.0f} MB. Run the command again with {more_memory()}."
    try:
        text = line.decode("utf-8-sig").rstrip(" \t\r\n")
        value = json.loads(text, object_pairs_hook=_distinct) if text else {}
        json.dumps(value, ensure_ascii=False).encode()  # half of an emoji, such as \\ud83d
        if not isinstance(value, dict):
            return 'this is not a JSON object, as in {"prompt": "...", "response": "..."}.'
    except UnicodeDecodeError as error:
        return f"the text is not UTF-8 (byte 0x{error.object[error.start]:02X}). Save the file as UTF-8."
    except ValueError as error:
        said = f"{error.msg} (column {error.colno})" if isinstance(error, json.JSONDecodeError) else error
        return f"this is not a JSON object: {said}. Correct the line or remove it."
    return None


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    keys = [key for key, _ in pairs]
    if repeated := next((key for key in keys if keys.count(key) > 1), None):
        raise ValueError(f"it has the key {repeated!r} twice")
    return dict(pairs)
