"""The container: a zip of fixed parts and one streamed sheet, the same bytes for the same rows.

Not by a library: only so is memory constant, and 10,000 small files are fast.
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
from xml.sax.saxutils import escape, quoteattr

from probesheets.workbooks.layout import ESCAPE, Layout

DEFLATE: Any  # a module like zlib
try:  # four times as fast as zlib, and smaller
    from isal import isal_zlib

    DEFLATE, LEVEL = isal_zlib, 2
except ImportError:  # no wheel for this platform
    DEFLATE, LEVEL = zlib, 1

CHUNK_BYTES = 256 << 10  # always deflated in pieces of this size, so that the bytes do not depend on the batches
SHARED_UNITS = 16 << 20  # characters of shared strings kept in memory for a workbook
ZIP32 = 0xFFFFFFFF  # larger sheets are ZIP64; larger files are refused
STEM = re.compile(r'(?!\.)[^<>:"/\\|?*\x00-\x1f]{1,200}(?<![. ])')
OOXML = "http://schemas.openxmlformats.org"
MAIN = f"{OOXML}/spreadsheetml/2006/main"
RELATIONS = f"{OOXML}/officeDocument/2006/relationships"
PACKAGE = f"{OOXML}/package/2006"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
PARTS = {  # part: (content type, relation, and from where)
    "xl/workbook.xml": ("spreadsheetml.sheet.main+xml", f"{RELATIONS}/officeDocument", ""),
    "docProps/app.xml": ("extended-properties+xml", f"{RELATIONS}/extended-properties", ""),
    "docProps/core.xml": ("core-properties+xml", f"{PACKAGE}/relationships/metadata/core-properties", ""),
    "xl/worksheets/sheet1.xml": ("spreadsheetml.worksheet+xml", f"{RELATIONS}/worksheet", "xl/"),
    "xl/styles.xml": ("spreadsheetml.styles+xml", f"{RELATIONS}/styles", "xl/"),
    "xl/sharedStrings.xml": ("spreadsheetml.sharedStrings+xml", f"{RELATIONS}/sharedStrings", "xl/"),
}
STYLES = (  # cell formats: 0 text at the top, 1 header, 2 wrapped text, 3 date
    f'{XML}<styleSheet xmlns="{MAIN}"><numFmts count="1">'
    '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill>'
    '<patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" applyAlignment="1">'
    '<alignment vertical="top"/></xf></cellStyleXfs>'
    '<cellXfs count="4">'
    + "".join(
        f'<xf numFmtId="{number}" fontId="{font}" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"'
        f' applyFont="1" applyAlignment="1"><alignment vertical="top"{wrap}/></xf>'
        for number, font, wrap in ((0, 0, ""), (0, 1, ""), (0, 0, ' wrapText="1"'), (164, 0, ""))
    )
    + '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)
APP = (
    f'{XML}<Properties xmlns="{OOXML}/officeDocument/2006/extended-properties">'
    "<Application>probesheets</Application></Properties>"
)


@dataclass(frozen=True)
class Written:
    """A complete workbook. `rows` counts sheet rows without the header, `records` the input's rows.

    `shortened` counts cells that end in … because they were too long, `escaped` cells with text such as
    _x005F_, which openpyxl and pandas show differently (LibreOffice and calamine show it as it is), `like_nothing`
    cells such as NA, None or null, which some readers take for empty.
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


class Kind:
    """What is the same in each workbook of a kind: zip entries before the sheet, and the sheet's start."""

    def __init__(self, layout: Layout, created: datetime) -> None:
        self.layout = layout
        self.head, self.directory = b"", b""
        parts = _static_parts(layout, created)
        self.entries = len(parts) + 2  # the sheet and the shared strings
        for name, content in parts.items():
            local, central = _entry(name, content.encode(), len(self.head))
            self.head, self.directory = self.head + local, self.directory + central
        self.local, _ = _zip_headers("xl/worksheets/sheet1.xml", len(self.head), 0, 0, 0, streamed=True)
        widths = "".join(
            f'<col min="{place}" max="{place}" width="{column.width}" customWidth="1"/>'
            for place, column in enumerate(layout.columns, 1)
            if column.width is not None
        )
        headers = "".join(
            f'<c r="{letters(place)}1" s="1" t="inlineStr"><is><t>{escape(column.header)}</t></is></c>'
            for place, column in enumerate(layout.columns)
        )
        self.sheet = (
            f'{XML}<worksheet xmlns="{MAIN}"><sheetViews><sheetView tabSelected="1" workbookViewId="0">'
            '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
            '<selection pane="bottomLeft" activeCell="A2" sqref="A2"/></sheetView></sheetViews>'
            f'<sheetFormatPr defaultRowHeight="15"/>{f"<cols>{widths}</cols>" if widths else ""}'
            f'<sheetData><row r="1">{headers}</row>'
        ).encode()


def _static_parts(layout: Layout, created: datetime) -> dict[str, str]:
    types = "".join(
        f'<Override PartName="/{name}" ContentType="application/vnd.openxmlformats-'
        f'{"package" if "core-" in kind else "officedocument"}.{kind}"/>'
        for name, (kind, _, _) in PARTS.items()
    )
    relations = {
        root: f'{XML}<Relationships xmlns="{PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="rId{number}" Type="{relation}" Target="{name.removeprefix(root)}"/>'
            for number, (name, (_, relation, source)) in enumerate(PARTS.items(), 1)
            if source == root
        )
        + "</Relationships>"
        for root in ("", "xl/")
    }
    moment = created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "[Content_Types].xml": f'{XML}<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{types}</Types>',
        "_rels/.rels": relations[""],
        "docProps/app.xml": APP,
        "docProps/core.xml": f'{XML}<cp:coreProperties xmlns:cp="{PACKAGE}/metadata/core-properties" '
        'xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f'<dcterms:created xsi:type="dcterms:W3CDTF">{moment}</dcterms:created></cp:coreProperties>',
        "xl/workbook.xml": f'{XML}<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><bookViews>'
        f'<workbookView activeTab="0"/></bookViews><sheets><sheet name={quoteattr(layout.sheet)} sheetId="1" '
        'r:id="rId4"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relations["xl/"],
        "xl/styles.xml": STYLES,
    }


@lru_cache(1)  # the shared strings of nearly every workbook are the same: none
def _packed(content: bytes) -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    return deflater.compress(content) + deflater.flush()


def _entry(name: str, content: bytes, offset: int) -> tuple[bytes, bytes]:
    """A whole zip entry, and its record for the central directory."""
    packed = _packed(content)
    local, central = _zip_headers(name, offset, zlib.crc32(content), len(packed), len(content))
    return local + packed, central


def _zip_headers(
    name: str, offset: int, crc: int, packed: int, size: int, *, streamed: bool = False
) -> tuple[bytes, bytes]:
    """Local header and central directory record; a streamed entry's sizes follow it, in ZIP64 if need be."""
    big = streamed and size >= ZIP32
    extra = struct.pack("<HHQQ", 1, 16, size, packed) if big else b""
    common = struct.pack("<5H", 45 if big else 20, 8 if streamed else 0, 8, 0, 0x21)
    sizes = struct.pack("<3L", crc, 0xFFFFFFFF, 0xFFFFFFFF) if big else struct.pack("<3L", crc, packed, size)
    encoded = name.encode()
    lengths = struct.pack("<HH", len(encoded), len(extra))
    tail = struct.pack("<3H2L", 0, 0, 0, 0, offset)
    local = b"PK\3\4" + common + (bytes(12) if streamed else sizes) + struct.pack("<HH", len(encoded), 0) + encoded
    return local, b"PK\1\2\x14\0" + common + sizes + lengths + tail + encoded + extra


def letters(place: int) -> str:
    """Name of a column: 0 is A, 255 is IV."""
    return (chr(64 + place // 26) if place > 25 else "") + chr(65 + place % 26)


class Workbook:
    """One file being written: opened with its first row, closed before the next is opened."""

    def __init__(self, kind: Kind, directory: Path, stem: str, group: str | None, part: int) -> None:
        if not STEM.fullmatch(stem):
            raise ValueError(f"{stem!r} cannot be a file name: no path, control character, or dot or space at its end")
        self.path = directory / (f"{stem}-part{part}.xlsx" if part > 1 else f"{stem}.xlsx")
        self.kind, self.group, self.part = kind, group, part
        self.rows, self.records, self.shortened, self.escaped, self.like_nothing = 1, 0, 0, 0, 0
        self._shared: dict[str, int] = {}
        self._shared_units = 0
        self._file: BinaryIO | None = None

    def _open(self) -> BinaryIO:
        self._file = self.path.open("xb")
        self._hash, self._deflater = hashlib.sha256(), DEFLATE.compressobj(LEVEL, zlib.DEFLATED, -15)
        self._crc = self._size = self._place = 0
        self._out, self._pending = bytearray(), bytearray()
        self._put(self.kind.head + self.kind.local)
        self._sheet_start = self._place
        self.add(memoryview(self.kind.sheet))
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
        self._out += data
        self._place += len(data)
        if len(self._out) >= CHUNK_BYTES:
            self._flush()

    def _flush(self) -> None:
        assert self._file
        self._hash.update(self._out)
        self._file.write(self._out)
        self._out = bytearray()

    def share(self, text: str) -> int | None:
        """The number of a text among the shared strings, None if they are full.

        Text that looks like an escape is kept there, because openpyxl undoes escapes in shared strings only.
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
        self._deflate(self._pending + b"</sheetData></worksheet>")
        self._put(self._deflater.flush())
        packed = self._place - self._sheet_start
        sizes = (self._crc, packed, self._size)
        self._put(struct.pack("<4sLQQ" if self._size >= ZIP32 else "<4sLLL", b"PK\7\x08", *sizes))
        offset = len(self.kind.head)
        _, sheet = _zip_headers("xl/worksheets/sheet1.xml", offset, *sizes, streamed=True)
        strings, record = _entry("xl/sharedStrings.xml", self._strings(), self._place)
        if self._place + len(strings) > ZIP32:
            raise ValueError(f"{self.path.name} would be over 4 GiB: give its rows to more than one group")
        self._put(strings)
        central = self.kind.directory + sheet + record
        count = self.kind.entries
        self._put(central + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(central), self._place, 0))
        self._flush()
        file.close()
        self._file = None
        counts = (self.rows - 1, self.records, self.shortened, self.escaped, self.like_nothing)
        return Written(self.path, self.group, self.part, *counts, self._hash.hexdigest())

    def _strings(self) -> bytes:
        items = (ESCAPE.sub("_x005F_", text) for text in self._shared)
        cells = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in items)
        return f'{XML}<sst xmlns="{MAIN}" uniqueCount="{len(self._shared)}">{cells}</sst>'.encode()

    def abandon(self) -> None:
        """Remove the file if it is not complete."""
        if self._file:
            with suppress(OSError):
                self._file.close()
            with suppress(OSError):
                self.path.unlink()
            self._file = None
