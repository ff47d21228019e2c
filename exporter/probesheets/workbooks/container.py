"""The .xlsx container: a zip of fixed parts and one streamed sheet. The same rows give the same bytes.

No library writes it as fast: see DECISIONS.md, and `make bench` for the ratios.
"""

import hashlib
import re
import struct
import zlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO
from xml.sax.saxutils import escape

from probesheets.workbooks.layout import ESCAPE, Choice, Layout, column_letters

DEFLATE: Any  # a module like zlib
try:  # four times as fast as zlib, with smaller files
    from isal import isal_zlib

    DEFLATE, LEVEL = isal_zlib, 2
except ImportError:  # no wheel for this platform
    DEFLATE, LEVEL = zlib, 1

CHUNK_BYTES = 256 << 10  # deflated in pieces of this size, so that the bytes do not depend on how the rows arrive
SHARED_UNITS = 16 << 20  # characters of shared strings kept in memory for a workbook
ZIP32 = 0xFFFFFFFF  # larger sheets are ZIP64; larger files are refused
STEM = re.compile(r'(?!\.)[^<>:"/\\|?*\x00-\x1f]{1,200}(?<![. ])')
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET_END = (  # on paper: A4, landscape, as wide as the page; workbook.xml repeats the header
    '</sheetData><autoFilter ref="{}"/>{}'
    '<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.6" header="0.3" footer="0.3"/>'
    '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/>'
    "<headerFooter><oddFooter>&amp;C&amp;P / &amp;N</oddFooter></headerFooter></worksheet>"
)
# before the sheet; the cell formats in styles.xml: 0 text, 1 header, 2 wrapped text, 3 date, 4 whole number, 5 number
PARTS = (
    "[Content_Types].xml",
    "_rels/.rels",
    "docProps/app.xml",
    "docProps/core.xml",
    "xl/_rels/workbook.xml.rels",
    "xl/styles.xml",
)


@dataclass(frozen=True)
class Written:
    """A complete workbook or page. `rows` counts sheet rows without the header, `records` the rows of the input.

    `shortened` counts cells that were too long and end in …. `escaped` counts cells with text such as _x005F_, which
    openpyxl and pandas change (LibreOffice and calamine do not). `like_nothing` counts cells such as NA, None or null,
    which some readers treat as empty.
    """

    path: Path
    group: str | None
    part: int
    rows: int
    records: int
    shortened: int
    escaped: int
    like_nothing: int
    sha256: str


def file_name(stem: str, part: int, ending: str) -> str:
    """The name of a part of a workbook. Raises ValueError for a stem that cannot name a file everywhere."""
    if not STEM.fullmatch(stem):
        raise ValueError(
            f'{stem!r} cannot name a file. File names have 1 to 200 characters, none of <>:"/\\|?* or a control '
            "character, no dot at the start, and no dot or space at the end"
        )
    return f"{stem}-part{part}.{ending}" if part > 1 else f"{stem}.{ending}"


class Template:
    """What all workbooks of a kind share: their place, the zip entries before the sheet, and the sheet's beginning."""

    def __init__(self, layout: Layout, created: datetime, folder: Path, default_name: str, suffix: str) -> None:
        self.layout, self.created = layout, created
        self.folder, self.default_name, self.suffix = folder, default_name, suffix
        self.head, self.directory = b"", b""
        for name in PARTS:
            local, central = _entry(name, _part(name, layout, created), len(self.head))
            self.head, self.directory = self.head + local, self.directory + central
        self.local, _ = zip_headers("xl/worksheets/sheet1.xml", len(self.head), 0, 0, 0, streamed=True)
        widths = "".join(
            f'<col min="{place}" max="{place}" width="{column.width}" customWidth="1"/>'
            for place, column in enumerate(layout.columns, 1)
            if column.width is not None
        )
        headers = "".join(
            f'<c r="{column_letters(place)}1" s="1" t="inlineStr"><is><t>{escape(column.header)}</t></is></c>'
            for place, column in enumerate(layout.columns)
        )
        corner = f"{column_letters(layout.frozen)}2"
        panes = "".join(
            f'<selection pane="{pane}" activeCell="{cell}" sqref="{cell}"/>'
            for pane, cell in (("topRight", corner), ("bottomLeft", "A2"), ("bottomRight", corner))
        )
        self.sheet = (
            f'{XML}<worksheet xmlns="{MAIN}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
            '<sheetViews><sheetView tabSelected="1" workbookViewId="0">'
            f'<pane xSplit="{layout.frozen}" ySplit="1" topLeftCell="{corner}" activePane="bottomRight" '
            f'state="frozen"/>{panes}</sheetView></sheetViews>'
            f'<sheetFormatPr defaultRowHeight="15"/>{f"<cols>{widths}</cols>" if widths else ""}'
            f'<sheetData><row r="1">{headers}</row>'
        ).encode()


def choices(layout: Layout, rows: int) -> str:
    """The lists to choose from, which also allow other values, as XML; empty if no column has one."""
    lists = [
        '<dataValidation type="list" allowBlank="1" '
        f'sqref="{column_letters(place)}2:{column_letters(place)}{rows}"><formula1>"x"</formula1></dataValidation>'
        for place, column in enumerate(layout.columns)
        if isinstance(column, Choice)
    ]
    return f'<dataValidations count="{len(lists)}">{"".join(lists)}</dataValidations>' if lists else ""


def _part(name: str, layout: Layout, created: datetime, rows: int = 1) -> bytes:
    """A part of the container from the folder parts/, whose files have line breaks and indents for people."""
    first, *lines = Path(__file__).with_name("parts").joinpath(name).read_text(encoding="utf-8").splitlines()
    moment = created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = f"{first}\n{''.join(line.strip() for line in lines)}"
    values = {
        "created": moment,
        "last": f"${column_letters(len(layout.columns) - 1)}${rows}",
        "quoted": "'{}'".format(layout.sheet.replace("'", "''")),
        "sheet": layout.sheet,
    }
    pattern = re.compile("{(" + "|".join(values) + ")}")
    return pattern.sub(lambda found: escape(values[found[1]], {'"': "&quot;"}), text).encode()


@lru_cache(2)  # nearly every workbook has the same shared strings: none
def _packed(content: bytes) -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    return deflater.compress(content) + deflater.flush()


def _entry(name: str, content: bytes, offset: int) -> tuple[bytes, bytes]:
    """A complete zip entry, and its record for the central directory."""
    packed = _packed(content)
    local, central = zip_headers(name, offset, zlib.crc32(content), len(packed), len(content))
    return local + packed, central


def zip_headers(
    name: str, offset: int, crc: int, packed: int, size: int, *, streamed: bool = False
) -> tuple[bytes, bytes]:
    """Local header and central directory record; the sizes of a streamed entry follow it, in ZIP64 if necessary."""
    big = streamed and size >= ZIP32
    extra = struct.pack("<HHQQ", 1, 16, size, packed) if big else b""
    common = struct.pack("<5H", 45 if big else 20, 8 if streamed else 0, 8, 0, 0x21)
    sizes = struct.pack("<3L", crc, 0xFFFFFFFF, 0xFFFFFFFF) if big else struct.pack("<3L", crc, packed, size)
    encoded = name.encode()
    lengths = struct.pack("<HH", len(encoded), len(extra))
    tail = struct.pack("<3H2L", 0, 0, 0, 0, offset)
    local = b"PK\3\4" + common + (bytes(12) if streamed else sizes) + struct.pack("<HH", len(encoded), 0) + encoded
    return local, b"PK\1\2\x14\0" + common + sizes + lengths + tail + encoded + extra


class Workbook:
    """A file that is being written. It is opened with its first row and closed before the next one is opened."""

    def __init__(self, template: Template, group: str | None, part: int) -> None:
        stem = (template.default_name if group is None else group) + template.suffix
        self.path = template.folder / file_name(stem, part, "xlsx")
        self.template, self.group, self.part = template, group, part
        self.rows, self.records, self.shortened, self.escaped, self.like_nothing = 1, 0, 0, 0, 0
        self._shared: dict[str, int] = {}
        self._shared_units = 0
        self._file: BinaryIO | None = None

    def _open(self) -> BinaryIO:
        self._file = self.path.open("xb", CHUNK_BYTES)
        self._hash, self._deflater = hashlib.sha256(), DEFLATE.compressobj(LEVEL, zlib.DEFLATED, -15)
        self._crc = self._size = self._place = 0
        self._pending = bytearray()
        self._put(self.template.head + self.template.local)
        self._sheet_start = self._place
        self.add(memoryview(self.template.sheet))
        return self._file

    def add(self, xml: memoryview) -> None:
        """Add the XML of whole rows to the sheet."""
        _ = self._file or self._open()
        room = CHUNK_BYTES - len(self._pending)
        self._pending += xml[:room]
        while len(self._pending) == CHUNK_BYTES:
            self._deflate(self._pending)
            self._pending = bytearray(xml[room : room + CHUNK_BYTES])
            room += CHUNK_BYTES

    def _deflate(self, xml: bytes | bytearray) -> None:
        self._crc, self._size = DEFLATE.crc32(xml, self._crc), self._size + len(xml)
        self._put(self._deflater.compress(xml))

    def _put(self, data: bytes) -> None:
        assert self._file
        self._hash.update(data)
        self._file.write(data)
        self._place += len(data)

    def share(self, text: str) -> int | None:
        """The number of a text among the shared strings; None if they are full.

        Text that looks like an escape goes there, because openpyxl decodes escapes in shared strings only.
        """
        number = self._shared.get(text)
        if number is None and self._shared_units + len(text) <= SHARED_UNITS:
            number = self._shared[text] = len(self._shared)
            self._shared_units += len(text)
        self.escaped += number is None or "x005F_" in text  # openpyxl drops every x005F_
        return number

    def close(self) -> Written:
        """Complete the file."""
        file = self._file or self._open()
        last = column_letters(len(self.template.layout.columns) - 1)
        lists = choices(self.template.layout, self.rows)
        self._deflate(self._pending + SHEET_END.format(f"A1:{last}{self.rows}", lists).encode())
        self._put(self._deflater.flush())
        packed = self._place - self._sheet_start
        sizes = (self._crc, packed, self._size)
        self._put(struct.pack("<4sLQQ" if self._size >= ZIP32 else "<4sLLL", b"PK\7\x08", *sizes))
        offset = len(self.template.head)
        _, sheet = zip_headers("xl/worksheets/sheet1.xml", offset, *sizes, streamed=True)
        strings, record = _entry("xl/sharedStrings.xml", self._strings(), self._place)
        if self._place + len(strings) > ZIP32:
            raise ValueError(f"{self.path.name} would exceed 4 GiB. Set one_file_per to divide its rows.")
        self._put(strings)
        # LibreOffice takes the range of a filter from there
        book = _part("xl/workbook.xml", self.template.layout, self.template.created, rows=self.rows)
        book, book_record = _entry("xl/workbook.xml", book, self._place)
        self._put(book)
        central = self.template.directory + sheet + record + book_record
        count = len(PARTS) + 3  # the sheet, the shared strings and the workbook
        self._put(central + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(central), self._place, 0))
        file.close()
        self._file = None
        counts = (self.rows - 1, self.records, self.shortened, self.escaped, self.like_nothing)
        return Written(self.path, self.group, self.part, *counts, self._hash.hexdigest())

    def _strings(self) -> bytes:
        items = (ESCAPE.sub("_x005F_", text) for text in self._shared)
        cells = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in items)
        return f'{XML}<sst xmlns="{MAIN}" uniqueCount="{len(self._shared)}">{cells}</sst>'.encode()

    def abandon(self) -> None:
        """Remove the file unless it is complete."""
        if self._file:
            with suppress(OSError):
                self._file.close()
            with suppress(OSError):
                self.path.unlink()
