"""CSV files, good and damaged, and the rows that RFC 4180 says they hold, read by code of our own.

Nothing here knows how the loader reads.
"""

import gzip
import random
import re
from collections.abc import Callable
from typing import Any

from probesheets.source.shapes import read_shapes

Row = Any  # a list of texts, or a tuple of the database

OUTPUT_COLUMNS = read_shapes()["table_output"].required("table_output")
TEXTS = [
    "Masks are",
    "a, b; c | d",
    'say "no"',
    '" and ""',
    "two\nlines",
    "two\r\nlines",
    "",
    " ",
    "é😀",
    "=1+1",
    "NULL",
    "\\N",
    "x" * 300,
]


def good(chance: random.Random) -> list[Row]:
    rows = [[*OUTPUT_COLUMNS, "depth"]]
    for number in range(1, chance.randint(2, 30)):
        tag = chance.choice(["raw", "trimmed", "date", "full"])
        texts = [chance.choice(TEXTS), chance.choice(TEXTS) + chance.choice(TEXTS)]
        rows.append([str(number), "1", str(chance.randint(0, number)), tag, *texts, str(chance.randint(0, 3))])
    return rows


def written(rows: list[Row], delimiter: str = ",", end: str = "\n", special: str = '"\r\n,;\t|') -> bytes:
    def quoted(cell: str) -> str:
        plain = cell[:1] != '"' and not any(one in cell for one in special)
        return cell if plain else '"' + cell.replace('"', '""') + '"'

    return "".join(delimiter.join(map(quoted, row)) + end for row in rows).encode()


# --- what is done to a file; the first are harmless: the loader must take them


def as_it_is(chance: random.Random, rows: list[Row]) -> bytes:
    return written(rows)


def other_delimiter(chance: random.Random, rows: list[Row]) -> bytes:
    return written(rows, delimiter=chance.choice(";\t|"))


def other_line_ends(chance: random.Random, rows: list[Row]) -> bytes:
    return written(rows, end=chance.choice(["\r\n", "\r"]))


def byte_order_mark(chance: random.Random, rows: list[Row]) -> bytes:
    return b"\xef\xbb\xbf" + written(rows)


def packed(chance: random.Random, rows: list[Row]) -> bytes:
    return gzip.compress(written(rows), compresslevel=chance.randint(0, 9))


def utf_16(chance: random.Random, rows: list[Row]) -> bytes:
    """As Excel writes it: Unicode text, with tabs."""
    mark, encoding = chance.choice([(b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")])
    return mark + written(rows, delimiter=chance.choice("\t,")).decode().encode(encoding)


def columns_in_capitals(chance: random.Random, rows: list[Row]) -> bytes:
    return written([[chance.choice([str.upper, str.title])(name) for name in rows[0]], *rows[1:]])


def columns_shuffled(chance: random.Random, rows: list[Row]) -> bytes:
    order = chance.sample(range(7), 7)
    return written([[row[at] for at in order] for row in rows])


def quotes_in_plain_fields(chance: random.Random, rows: list[Row]) -> bytes:
    """Left as they are, because the field does not begin with one."""
    return written(rows, special="\r\n,;\t|")


def column_less(chance: random.Random, rows: list[Row]) -> bytes:
    gone = chance.randrange(7)
    return written([row[:gone] + row[gone + 1 :] for row in rows])


def column_twice_in_capitals(chance: random.Random, rows: list[Row]) -> bytes:
    at = chance.randrange(7)
    return written([[*row, row[at].upper() if number == 0 else ""] for number, row in enumerate(rows)])


def columns_of_odd_names(chance: random.Random, rows: list[Row]) -> bytes:
    names = chance.sample(["", "rowid", "select", 'a"b', "a.b", "é", "x" * 300, "batch", "depth_1", "a\nb"], 3)
    return written([[*row, *(names if number == 0 else "xyz")] for number, row in enumerate(rows)])


def column_twice(chance: random.Random, rows: list[Row]) -> bytes:
    at = chance.randrange(7)
    return written([[*row, row[at]] for row in rows])


def id_twice(chance: random.Random, rows: list[Row]) -> bytes:
    rows.append([rows[1][0], *rows[-1][1:]])
    return written(rows)


def cut(chance: random.Random, rows: list[Row]) -> bytes:
    data = written(rows)
    return data[: chance.randrange(len(data))]


def bytes_changed(chance: random.Random, rows: list[Row]) -> bytes:
    data = bytearray(written(rows))
    for _ in range(chance.randint(1, 4)):
        data[chance.randrange(len(data))] = chance.choice([chance.randrange(256), *b'",\n\r\0'])
    return bytes(data)


def bytes_put_in(chance: random.Random, rows: list[Row]) -> bytes:
    data = bytearray(written(rows))
    at = chance.randrange(len(data))
    data[at:at] = chance.choice(
        [b'"', b'""', b",", b"\n", b"\0", b"\xff", b"\xed\xa0\x80", b"\xc3", b"\xef\xbb\xbf", b"\x1a"]
    )
    return bytes(data)


def lines_mixed(chance: random.Random, rows: list[Row]) -> bytes:
    lines = written(rows).splitlines(keepends=True)
    chance.shuffle(lines)
    return b"".join(lines[: chance.randint(1, len(lines))])


def other_encoding(chance: random.Random, rows: list[Row]) -> bytes:
    return written(rows).decode().encode(chance.choice(["utf-16", "utf-32", "latin-1", "cp1252"]), "replace")


def empty_lines(chance: random.Random, rows: list[Row]) -> bytes:
    """At the start, at the end, and where two files with different line ends were joined."""
    at, ends = chance.randrange(len(rows)), ["\r", "\n", "\r\n", "\r\r\n"]
    parts = [written(some, end=chance.choice(ends)) for some in (rows[:at], rows[at:])]
    return chance.choice(ends).encode().join([b"", *parts, b""])


HARMLESS = (
    as_it_is, other_delimiter, other_line_ends, byte_order_mark, packed, utf_16, columns_in_capitals, columns_shuffled,
    columns_of_odd_names, empty_lines, quotes_in_plain_fields,
)  # fmt: skip
MUTATIONS: tuple[Callable[[random.Random, list[Row]], bytes], ...] = (
    *HARMLESS, column_less, column_twice, column_twice_in_capitals, id_twice, cut, cut, bytes_changed, bytes_changed,
    bytes_put_in, bytes_put_in, bytes_put_in, lines_mixed, other_encoding,
)  # fmt: skip


# --- the right rows


class WrongFileError(Exception):
    """The file has no meaning, or more than one."""


class WrongIdsError(WrongFileError):
    """Ids repeat or are missing: dbt finds that, not the loader."""


def right_rows(data: bytes) -> list[Row]:
    """The rows that must be in the copy, as text, the ids typed; by id. Raises WrongFileError."""
    header, *rows = reading(data) or [[]]
    known = [*OUTPUT_COLUMNS, "depth"]
    header = [name.strip().lower() if name.strip().lower() in known else name.strip() for name in header]
    if any("\0" in name for name in header):
        raise WrongFileError("a name that no database holds")
    if set(OUTPUT_COLUMNS) - set(header) or len({name.lower() for name in header}) < len(header):
        raise WrongFileError("columns")
    if not rows or any(len(row) != len(header) for row in rows):
        raise WrongFileError("rows")
    found = []
    for row in rows:
        cells = dict(zip(header, row, strict=True))
        numbers = [number(cells.get(name, "")) for name in ("id", "experiment_id", "root_id", "depth")]
        found.append((*numbers, cells["tag"], cells["probe"], cells["content"]))
    ids = [row[0] for row in found]
    if None in ids or len(set(ids)) < len(ids):
        raise WrongIdsError("ids")
    return sorted(found)


def number(cell: str) -> int | None:
    cell = cell.strip(" ")
    if cell in ("", "NULL", "\\N"):
        return None
    if not re.fullmatch(r"-?[0-9]+([.]0+)?", cell) or abs(int(cell.split(".")[0])) >= 2**63:
        raise WrongFileError("a number")
    return int(cell.split(".")[0])


def reading(data: bytes) -> list[list[str]]:
    """The records of a CSV file by RFC 4180, with its header's delimiter and any line ends; empty lines are none."""
    try:
        data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        wide = data[:2] in (b"\xff\xfe", b"\xfe\xff") and data[2:4] != b"\0\0"
        text = data.decode("utf-16" if wide else "utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise WrongFileError("neither UTF-8 nor UTF-16") from None
    head = re.split("[\r\n]", text.lstrip("\r\n"), maxsplit=1)[0]
    delimiter = max(",;\t|", key=head.count)
    # a field is quoted, or has no delimiter and no line end; after it comes a delimiter, a line end or the end
    plain = rf"([^\"\r\n{delimiter}][^\r\n{delimiter}]*|)"
    field = re.compile(rf'(?:"((?:[^"]|"")*)"|{plain})([{delimiter}]|\r\n|\r|\n|\Z)')
    records: list[list[str]] = []
    record: list[str] = []
    at = 0
    while at < len(text) or record:
        match = field.match(text, at)
        if not match:
            raise WrongFileError("quotes")
        quoted, plain, after = match.groups()
        record.append(plain if quoted is None else quoted.replace('""', '"'))
        at = match.end()
        if after != delimiter:
            if record != [""] or quoted is not None:
                records.append(record)
            record = []
    return records
