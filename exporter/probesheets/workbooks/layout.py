"""How a kind of spreadsheet looks, and the limits that spreadsheet programs set."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from msgspec import Struct

CELL_UNITS = 32_767  # UTF-16 units in a cell
DIGITS_15 = 999_999_999_999_999  # larger numbers are written as text
LOOKS_ESCAPED = "_x[0-9A-Fa-f]{4}_"  # readers decode _x0041_ as A
ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")  # the underscores to escape; matches may overlap


class Column(Struct, frozen=True, forbid_unknown_fields=True):
    """A column of the sheet: its name in the data, its header, its width in digits, and whether its text wraps.

    `page` is its use in a page of format html: the title of the page, a filter, or a link to the record that it names.
    """

    name: str
    header: str
    width: int | float | None = None
    wrap: bool = False
    page: Literal["title", "filter", "record"] | None = None


class Choice(Column, frozen=True):
    """A column that is not in the data: its cells are empty, and have a list from which you can choose x."""


@dataclass(frozen=True)
class Layout:
    """How a kind of spreadsheet looks.

    If a text in the column `long_text` does not fit into a cell, it continues in extra rows whose first column (the
    record ID) ends in -2, -3, and so on. `dates` are date cells, or ISO text for importers that reject date cells.
    `pieces` is a column of the data, for pages: the long text as a JSON array in which every second item is a link.
    `codes` (with their meanings) and `coders` are for projects of REFI-QDA.
    """

    sheet: str
    columns: tuple[Column, ...]
    long_text: str | None = None
    dates: str = "cell"
    pieces: str | None = None
    codes: tuple[tuple[str, str], ...] = ()
    coders: tuple[str, ...] = ()

    @property
    def title(self) -> str | None:
        """The name of the column that is the title of a page."""
        return next((column.name for column in self.columns if column.page == "title"), None)

    def header(self, name: str | None) -> str:
        return next((column.header for column in self.columns if column.name == name), "")

    @property
    def frozen(self) -> int:
        """The number of columns that stay visible: the record ID, and the long text if it is beside it."""
        return 2 if [column.name for column in self.columns[1:2]] == [self.long_text] else 1


def units(text: str) -> int:
    """The length of a text in UTF-16 units, as Excel counts it."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def column_letters(place: int) -> str:
    """The name of a column: 0 is A, 255 is IV."""
    return (chr(64 + place // 26) if place > 25 else "") + chr(65 + place % 26)


def group_name(value: Any) -> str | None:
    """The name of the workbook for a value of the column `one_file_per`."""
    return str(value).upper() if isinstance(value, bool) else None if value is None else str(value)


def check(layout: Layout) -> None:
    """Raise ValueError for a layout that some reader would reject or change."""
    sheet, seen = layout.sheet, set[str]()
    if (
        not re.fullmatch(r"(?!')[^\[\]:*?/\\\x00-\x1f]{1,31}(?<!')", sheet)
        or not sheet.isprintable()
        or sheet.casefold() == "history"
    ):
        rule = "must have 1 to 31 characters on one line, none of []:*?/\\, no apostrophe at an end, and not be History"
        raise ValueError(f"sheet name {sheet!r}: {rule}")
    if not 1 <= len(layout.columns) <= 256:
        raise ValueError(f"sheet {sheet!r}: {len(layout.columns)} columns; a sheet has 1 to 256")
    for column in layout.columns:
        header, bare = column.header, re.sub(r"[\W_]", "", column.header.casefold())
        for broken, rule in (
            (not bare, "must have a letter or a digit"),
            (not header.isprintable() or header != header.strip(), "must be one line without spaces at the ends"),
            (len(header) > 63, "must have at most 63 characters"),
            (header[:1] in tuple("!^&<.:#"), "must not begin with one of ! ^ & < . : #"),
            (bare == "id", "must not be ID, because NVivo adds a column with that name"),
            (bare in seen, "is used twice (case and punctuation are ignored)"),
            (ESCAPE.search(header), "must not contain an escape such as _x0041_"),
        ):
            if broken:
                raise ValueError(f"header {header!r} of column {column.name} {rule}")
        width = column.width
        if width is not None and not (type(width) in (int, float) and 0 < width <= 255):
            raise ValueError(f"width {width} of column {column.name} must be over 0 and at most 255 characters")
        seen.add(bare)
    if layout.long_text and layout.long_text not in {column.name for column in layout.columns[1:]}:
        raise ValueError(f"long_text {layout.long_text!r} must be one of the columns after the first")
    if layout.dates not in ("cell", "text"):
        raise ValueError(f"dates {layout.dates!r} must be 'cell' or 'text'")
