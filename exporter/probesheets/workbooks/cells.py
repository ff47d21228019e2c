"""Turn the rows of a record batch into the XML of sheet rows, a whole column at a time."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import probesheets.pyarrow_setup  # noqa: F401
from probesheets.workbooks.layout import CELL_UNITS, DIGITS_15, ESCAPE, LOOKS_ESCAPED, Layout, column_letters, units

TEXT = pa.large_string()
DATES = (-25_508, 2_932_896)  # 1900-03-01 and 9999-12-31 in days since 1970, Excel's days 61 and 2,958,465
JOINERS = {"\u200d", "\ufe0f", *map(chr, range(0x1F3FB, 0x1F400))}  # a piece must not begin with one of these
LINE_POINTS = 15  # the height of a line
# of a row; the formula bar shows the rest. LibreOffice's lines are closer: 11 lines of Excel are 15 of its own, so
# neither cuts through a line
MOST_LINES = 11
NOTHING = pa.array(["NA", "N/A", "#N/A", "NaN", "nan", "NULL", "Null", "null", "None", "none", "nil"], TEXT)
MOST_BACK = CELL_UNITS // 2  # a long text is cut at white space if there is any in the second half of the cell
FORBIDDEN = "[\x00-\x08\x0b-\x1f\ufffe\uffff]"

SharedCells = Mapping[tuple[int, str], int | None]  # (row, column): number of the shared string; None: none was free


@dataclass
class Rows:
    """Rows for sheets: values by column; whether a row begins a record; per row, the cells shortened and like NA."""

    values: dict[str, pa.Array]
    groups: pa.Array | None
    first: np.ndarray[Any, Any]
    shortened: np.ndarray[Any, Any]
    like_nothing: np.ndarray[Any, Any]


def sheet_rows(chunk: pa.RecordBatch, layout: Layout, group_by: str | None) -> Rows:
    """The sheet rows for the rows of a chunk: long texts continue in further rows, other long cells are shortened.

    Raises ValueError for a column that is missing or of another type, and for text that a workbook cannot hold.
    """
    values = typed_columns(chunk, layout, group_by)
    shortened = np.zeros(chunk.num_rows, np.int64)
    for name, array in values.items():
        if name != layout.long_text and (long := _too_long(array)):
            values[name] = _replaced(array, {row: text[: _cut(text, 0, CELL_UNITS - 1)] + "…" for row, text in long})
            shortened[[row for row, _ in long]] += 1
    groups, key = values[group_by] if group_by is not None else None, layout.columns[0].name
    if layout.long_text and values[key].type != TEXT:
        raise ValueError(f"column {key} must be text, to number the rows of a long {layout.long_text}")
    rows = Rows(values, groups, np.ones(chunk.num_rows, bool), shortened, _like_nothing(values.values()))
    if layout.long_text and (long := _too_long(values[layout.long_text])):
        return _continued(rows, layout.long_text, key, long)
    return rows


def typed_columns(
    chunk: pa.RecordBatch, layout: Layout, group_by: str | None, *more: str | None
) -> dict[str, pa.Array]:
    """The columns of the layout, the one that names the files, and `more`, by name, as `_values` returns them.

    Raises ValueError for a column that is missing or of another type, and for text that a workbook cannot hold.
    """
    names = [*(column.name for column in layout.columns), *(name for name in (group_by, *more) if name is not None)]
    if missing := [name for name in names if name not in chunk.schema.names]:
        raise ValueError(f"no column {', '.join(missing)}; the columns are {', '.join(chunk.schema.names)}")
    values = {name: _values(name, chunk.column(name), layout.dates) for name in names}
    _refuse_forbidden(values, names[0])
    if group_by is not None and values[group_by].null_count:
        raise ValueError(f"column {group_by}, which names the files, is empty in some rows")
    return values


def as_text(array: pa.Array) -> pa.Array:
    """The values as large strings, as a sheet shows them."""
    text = array.cast(TEXT)
    return pc.utf8_upper(text) if pa.types.is_boolean(array.type) else text


def _values(name: str, array: pa.Array, dates: str) -> pa.Array:
    """The column as large strings (empty ones become null), integers, floats or dates."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if pa.types.is_integer(kind) or kind == pa.float64() or (pa.types.is_date32(kind) and dates == "cell"):
        return array
    if kind not in (pa.string(), TEXT, pa.string_view(), pa.null(), pa.date32(), pa.bool_()):
        raise ValueError(f"column {name} is of type {kind}; a sheet takes text, numbers, dates and booleans")
    array = as_text(array)
    if pc.min(pc.binary_length(array)).as_py() == 0:
        array = pc.if_else(pc.equal(array, ""), pa.scalar(None, TEXT), array)
    return array


def _bytes(array: pa.Array) -> np.ndarray[Any, Any]:
    """The UTF-8 bytes of all texts of an array, one after the other, without a copy."""
    _, offsets, data = array.buffers()
    if data is None or not len(array):
        return np.empty(0, np.uint8)
    bounds = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    return np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]]


def _refuse_forbidden(values: dict[str, pa.Array], key: str) -> None:
    for name, array in values.items():
        if array.type != TEXT:
            continue
        try:
            array.validate(full=True)
        except pa.ArrowInvalid as error:
            raise ValueError(f"column {name} holds text that is not UTF-8") from error
        data = _bytes(array)
        controls = data[data < 32]
        harmless = np.count_nonzero(controls == 9) + np.count_nonzero(controls == 10)
        leads = np.flatnonzero(data == 0xEF)  # U+FFFE and U+FFFF are EF BF BE and EF BF BF
        if harmless < controls.size or np.any((data[leads + 1] == 0xBF) & (data[leads + 2] >= 0xBE)):
            row = pc.index(pc.match_substring_regex(array, FORBIDDEN), True).as_py()
            found = re.search(FORBIDDEN, array[row].as_py())
            code = f"U+{ord(found[0]):04X}" if found else "a character"
            raise ValueError(f"column {name}, record {values[key][row].as_py()}: a workbook cannot contain {code}")


def _like_nothing(arrays: Collection[pa.Array]) -> np.ndarray[Any, Any]:
    """How many cells of each row contain one of NOTHING."""
    count = np.zeros(len(next(iter(arrays))), np.int64)
    for array in arrays:
        if array.type == TEXT:
            short = np.flatnonzero(pc.less_equal(pc.binary_length(array), 4).fill_null(False))
            count[short] += pc.is_in(array.take(pa.array(short)), value_set=NOTHING).to_numpy(zero_copy_only=False)
    return count


def _too_long(array: pa.Array) -> list[tuple[int, str]]:
    """Row and text of each cell that is too long."""
    if array.type != TEXT or (pc.max(pc.binary_length(array)).as_py() or 0) <= CELL_UNITS:
        return []
    rows = np.flatnonzero(pc.greater(pc.binary_length(array), CELL_UNITS).fill_null(False))
    texts = ((int(row), array[int(row)].as_py()) for row in rows)
    return [(row, text) for row, text in texts if units(text) > CELL_UNITS]


def _cut(text: str, start: int, units: int, spaces: bool = False) -> int:
    """Where a piece of at most `units` UTF-16 units ends: after white space if `spaces` is set and some is near."""
    piece = text[start : start + units].encode("utf-16-le")[: 2 * units]
    stop = start + len(piece.decode("utf-16-le", "ignore"))  # drops half a surrogate pair
    if stop == len(text):
        return stop
    if spaces:
        for place in range(stop, max(start, stop - MOST_BACK), -1):
            if text[place - 1].isspace():
                return place
    for place in range(stop, max(start, stop - 50), -1):
        joined = unicodedata.combining(text[place]) or text[place] in JOINERS or text[place - 1] == "\u200d"
        if not joined:
            return place
    return stop


def _replaced(array: pa.Array, texts: dict[int, str]) -> pa.Array:
    mask = np.zeros(len(array), bool)
    mask[list(texts)] = True
    return pc.replace_with_mask(array, pa.array(mask), pa.array(list(texts.values()), TEXT))


def _pieces(text: str) -> list[str]:
    """Cut a text into pieces that fit into a cell; joined, they are the text again."""
    edges = [0]
    while edges[-1] < len(text):
        edges.append(_cut(text, edges[-1], CELL_UNITS, spaces=True))
    return [text[start:stop] for start, stop in pairwise(edges)]


def _continued(rows: Rows, name: str, key: str, long: list[tuple[int, str]]) -> Rows:
    """The same rows, plus one for each further piece of a long text."""
    array, count, done = rows.values[name], len(rows.first), 0
    repeats, parts = np.ones(count, np.int64), []
    for row, text in long:
        pieces = _pieces(text)
        repeats[row] = len(pieces)
        parts += [array.slice(done, row - done), pa.array(pieces, TEXT)]
        done = row + 1
    take = np.repeat(np.arange(count), repeats)
    first = np.diff(take, prepend=-1) > 0
    number = np.arange(1, len(take) + 1) - np.flatnonzero(first)[take]
    values = {other: array.take(pa.array(take)) for other, array in rows.values.items() if other != name}
    values[name] = pa.concat_arrays([*parts, array.slice(done)])
    numbered = _join(values[key], "-", pa.array(number).cast(TEXT))
    values[key] = pc.if_else(pa.array(first), values[key], numbered)
    groups = None if rows.groups is None else rows.groups.take(pa.array(take))
    return Rows(values, groups, first, rows.shortened[take], rows.like_nothing[take])


def _join(*pieces: pa.Array | str, null_handling: str = "emit_null") -> pa.Array:
    """Join the pieces row by row; the result is null where a piece is null, unless `null_handling` is skip."""
    scalars = (pa.scalar(piece, TEXT) if isinstance(piece, str) else piece for piece in (*pieces, ""))
    return pc.binary_join_element_wise(*scalars, null_handling=null_handling)


def sheet_xml(rows: Rows, numbers: np.ndarray[Any, Any], shared: SharedCells, layout: Layout) -> pa.Array:
    """The XML of each row, given the rows' numbers in their sheets and the cells that are shared strings."""
    row = pa.array(numbers).cast(TEXT)
    cells = []
    for place, column in enumerate(layout.columns):
        style = ' s="2"' if column.wrap else ""
        values, strings = _with_shared(rows.values[column.name], column.name, shared)
        variants = [
            _join(f'<c r="{column_letters(place)}', row, opening, content, closing)
            for content, opening, closing in _variants(values, style, strings)
        ]
        cells.append(pc.coalesce(*variants) if len(variants) > 1 else variants[0])  # a null is no cell
    return _join('<row r="', row, '"', _heights(rows.values, layout), ">", *cells, "</row>", null_handling="skip")


def _heights(values: dict[str, pa.Array], layout: Layout) -> pa.Array:
    """The height of each row as an XML attribute, null for one line. An estimate: LibreOffice does not fit heights.

    A column's width counts digits; a wide character, which has more bytes, counts as two.
    """
    lines = np.ones(len(next(iter(values.values()))))
    for column in layout.columns:
        array = values[column.name]
        if column.wrap and column.width and array.type == TEXT:
            places = pc.add(pc.binary_length(array), pc.utf8_length(array).cast(pa.int64())).fill_null(0).to_numpy() / 2
            breaks = pc.count_substring(array, "\n").fill_null(0).to_numpy()
            lines = np.maximum(lines, np.minimum(np.ceil(places / (0.95 * column.width)) + breaks, MOST_LINES))
    heights = _join(' ht="', pa.array((lines * LINE_POINTS).astype(np.int64)).cast(TEXT), '"')
    return pc.if_else(pa.array(lines > 1), heights, pa.scalar(None, TEXT))


def _variants(array: pa.Array, style: str, shared: pa.Array | None) -> Iterator[tuple[pa.Array, str, str]]:
    """The sorts of cell in a column: their content (null in rows of another sort), and the XML around it."""
    inline, end = f'"{style} t="inlineStr"><is><t xml:space="preserve">', "</t></is></c>"
    if array.type == TEXT:
        if shared is not None:
            yield shared, f'"{style} t="s"><v>', "</v></c>"
            array = pc.if_else(shared.is_valid(), pa.scalar(None, TEXT), array)
        yield _escaped(array), inline, end
        return
    if array.type == pa.float64():
        yield array.cast(TEXT), '" s="5"><v>', "</v></c>"
        return
    if pa.types.is_date32(array.type):
        number, low, high = array.cast(pa.int32()), *DATES
        serial, style = pc.add(number, 25_569), ' s="3"'
    else:
        number, low, high = array, -DIGITS_15, DIGITS_15
        serial, style = array, ' s="4"'
    bounds = pc.min_max(number).as_py()
    if bounds["min"] is not None and (bounds["min"] < low or bounds["max"] > high):
        # rare: dates and numbers that Excel cannot hold become text
        outside = pa.array([value is not None and not low <= value <= high for value in number.to_pylist()])
        yield pc.if_else(outside, array.cast(TEXT), pa.scalar(None, TEXT)), inline, end
        serial = pc.if_else(outside, pa.scalar(None, serial.type), serial)
    yield serial.cast(TEXT), f'"{style}><v>', "</v></c>"


def _escaped(array: pa.Array) -> pa.Array:
    data = _bytes(array)
    for plain, xml in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        if (data == ord(plain)).any():
            array = pc.replace_substring(array, plain, xml)
    return array


def escape_lookalikes(rows: Rows, layout: Layout) -> Iterator[tuple[int, str, str]]:
    """Row, column and text of each cell that looks like an escape (_x0041_), in the order of the sheet."""
    found = []
    for place, column in enumerate(layout.columns):
        array = rows.values[column.name]
        if array.type == TEXT and (_bytes(array) == ord("_")).any():
            looks = pc.match_substring_regex(array, LOOKS_ESCAPED).fill_null(False)
            found += [(int(row), place) for row in np.flatnonzero(looks)]
    for row, place in sorted(found):
        name = layout.columns[place].name
        yield row, name, rows.values[name][row].as_py()


def _with_shared(array: pa.Array, name: str, shared: SharedCells) -> tuple[pa.Array, pa.Array | None]:
    """The values of a column, and the numbers of its shared strings; a cell that got no number is escaped in place."""
    numbers = {row: number for (row, column), number in shared.items() if column == name}
    full = {row: ESCAPE.sub("_x005F_", array[row].as_py()) for row, number in numbers.items() if number is None}
    known = {row: str(number) for row, number in numbers.items() if number is not None}
    strings = _replaced(pa.nulls(len(array), TEXT), known) if known else None
    return _replaced(array, full) if full else array, strings
