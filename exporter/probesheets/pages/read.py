"""Read the records of a page again, with the HTML parser of the standard library."""

from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path


class _Parser(HTMLParser):
    """Collects the text of h1, dt, dd and div.text; `records` has the finished articles as {header: text}."""

    def __init__(self, key: str, long: str | None, title: str | None) -> None:
        super().__init__()
        self.records: list[dict[str, str]] = []
        self._key, self._long, self._title = key, long, title
        self._record: dict[str, str] | None = None
        self._in: str | None = None
        self._text, self._header, self._heading = "", "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "article":
            self._record = {self._key: given.get("id") or ""}
            if self._title:
                self._record[self._title] = self._heading
        elif tag in ("h1", "dt", "dd") or (tag == "div" and given.get("class") == "text"):
            self._in, self._text = tag, ""

    def handle_data(self, data: str) -> None:
        if self._in:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "article" and self._record is not None:
            self.records.append(self._record)
            self._record = None
        if tag != self._in:
            return
        self._in = None
        if tag == "h1":
            self._heading = self._text
        elif tag == "dt":
            self._header = self._text
        elif self._record is not None:
            self._record[self._header if tag == "dd" else self._long or ""] = self._text


def read_page(file: Path, headers: Sequence[str], long: str | None, title: str | None) -> Iterator[list[str]]:
    """The records of a page, with the cells in the order of `headers`; a cell without value is empty.

    `long` and `title` are the headers of the long text and of what is the title of the page.
    """
    parser = _Parser(headers[0], long, title)
    with file.open(encoding="utf-8", errors="replace", newline="") as stream:
        while piece := stream.read(1 << 16):
            parser.feed(piece)
            yield from ([record.get(header, "") for header in headers] for record in parser.records)
            parser.records.clear()
