"""Read the records of a page again, with the HTML parser of the standard library."""

from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any


class _Parser(HTMLParser):
    """Collects the articles in `records`, as {header: text} with the Record ID under None.

    The element main has the headers of the title and of the long text.
    """

    def __init__(self) -> None:
        super().__init__()
        self.records: list[dict[str | None, str]] = []
        self._record: dict[str | None, str] | None = None
        self._main: dict[str, str | None] = {}
        self._in, self._text, self._title, self._header = "", "", "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "main":
            self._main = given
        elif tag == "article":
            self._record = {None: given.get("id") or "", self._main.get("data-title") or "": self._title}
        elif tag in ("h1", "dt", "dd") or given.get("class") == "text":
            self._in, self._text = tag, ""

    def handle_data(self, data: str) -> None:
        self._text += data if self._in else ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "article" and self._record is not None:
            self.records.append(self._record)
            self._record = None
        elif tag == self._in:
            self._in = ""
            if tag == "h1":
                self._title = self._text
            elif tag == "dt":
                self._header = self._text
            elif self._record is not None:
                self._record[self._header if tag == "dd" else self._main.get("data-text") or ""] = self._text


def read_page(file: Path, headers: Sequence[str]) -> Iterator[list[Any]]:
    """The records of a page: the Record ID, then the cells with the other `headers`; a cell without value is empty."""
    parser = _Parser()
    with file.open(encoding="utf-8", errors="replace", newline="") as stream:
        while piece := stream.read(4 << 20):
            parser.feed(piece)
            yield from ([record.get(header, "") for header in (None, *headers[1:])] for record in parser.records)
            parser.records.clear()
