"""The widths of columns that an exposure gives none: as wide as what they contain, so that nothing is cut."""

from dataclasses import replace

import msgspec

from probesheets.project.kinds import Kind
from probesheets.sql import quoted
from probesheets.warehouse import Warehouse
from probesheets.workbooks.layout import Column

MOST_WIDE = 40  # digits; the text of a wider column wraps
LONG_TEXT, LEAST = 80, 6
_FILTER = 3  # digits, for the button beside the header


def fit(kind: Kind, warehouse: Warehouse) -> Kind:
    """The kind with a width for each column. The same rows give the same widths, whichever of them are exported."""
    if kind.format != "xlsx":
        return kind
    layout, mark = kind.layout, warehouse.quote
    open_ = [column for column in layout.columns if column.width is None and column.name != layout.long_text]
    # bits, because every engine counts them in a text; DuckDB's octet_length takes none
    texts = [f"cast({quoted(column.name, mark)} as char)" for column in open_]
    lengths = ", ".join(f"max(bit_length({text}) + 8 * char_length({text}))" for text in texts) or "max(0)"
    longest = dict(zip(open_, warehouse.rows(f"select {lengths} from {kind.relation}")[0], strict=False))

    def fitted(column: Column) -> Column:
        if column.name == layout.long_text:
            return msgspec.structs.replace(column, width=column.width or LONG_TEXT, wrap=True)
        if column.width is not None:
            return column
        header = (len(column.header) + len(column.header.encode())) // 2  # a wide character has more bytes
        needed = max(header + _FILTER, int(longest[column] or 0) // 16 + 1, LEAST)
        wraps = column.wrap or (needed > MOST_WIDE and not layout.long_text)  # beside a long text, one line
        return msgspec.structs.replace(column, width=min(needed, MOST_WIDE), wrap=wraps)

    return replace(kind, layout=replace(layout, columns=tuple(map(fitted, layout.columns))))
