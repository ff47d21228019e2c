"""Write Arrow record batches as web pages that need no network. Knows no database and no dbt.

All text from the data goes through Jinja's autoescape. A page allows only its own script and style, by their hashes.
"""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from probesheets.workbooks.cells import TEXT, column_values, refuse_forbidden
from probesheets.workbooks.container import Written, file_name
from probesheets.workbooks.layout import Layout, check

CONTENTS = "index.html"
_PARTS = Path(__file__).with_name("parts")
_OPENS = re.compile(r"https?://.*(?<!…)", re.I | re.S)  # of the links: no other scheme, and not cut off
_COUNT = re.compile(rb"(?<=<output>) +")  # room for the number of texts, which is known at the end


class Listed(NamedTuple):
    """A row of the index: a probe, the number of its texts in the folder, and its pages as (name, file)."""

    title: str
    texts: int
    first: date | None
    last: date | None
    pages: Sequence[tuple[str, str]]


class _Template:
    """The parts of a page, with their style and script."""

    def __init__(self) -> None:
        environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        source = (_PARTS / "page.html").read_text(encoding="utf-8")
        self.parts: Any = environment.from_string(source).module
        self.style, self.script = (
            Markup((_PARTS / name).read_text(encoding="utf-8")) for name in ("style.css", "script.js")
        )

    def begin(self, title: str, *, script: bool) -> Markup:
        hashes = [b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in (self.style, self.script)]
        policy = f"default-src 'none'; style-src 'sha256-{hashes[0]}'; base-uri 'none'; form-action 'none'"
        policy += f"; script-src 'sha256-{hashes[1]}'" * script
        return Markup(self.parts.begin(title, policy, self.style))


class _Page:
    """A file that is being written."""

    def __init__(self, path: Path, group: str | None, part: int) -> None:
        self.path, self.group, self.part, self.records = path, group, part, 0
        self._file = path.open("xb")
        self._room = 0, 0

    def add(self, html: str) -> None:
        self._file.write(html.encode())

    def begin(self, html: str) -> None:
        data = html.encode()
        found = _COUNT.search(data)
        assert found
        self._room = found.span()
        self._file.write(data)

    def close(self, html: str) -> Written:
        self.add(html)
        self._file.seek(self._room[0])
        self._file.write(f"{self.records:,} texts".ljust(self._room[1] - self._room[0]).encode())
        self._file.close()
        with self.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Written(self.path, self.group, self.part, self.records, self.records, 0, 0, 0, digest)

    def abandon(self) -> None:
        """Remove the file unless it is complete."""
        if not self._file.closed:
            with suppress(OSError):
                self._file.close()
            with suppress(OSError):
                self.path.unlink()


def write_pages(
    chunks: Iterable[pa.RecordBatch],
    layout: Layout,
    directory: Path,
    *,
    group_by: str | None,
    default_name: str,
    created: datetime,
    suffix: str = "",
    max_rows: int = 10_000,
) -> Iterator[Written]:
    """Write one page per value of `group_by`, or DEFAULT_NAME.html; yield each when it is complete.

    As `write_workbooks`, but a page has at most `max_rows` texts, a long text is not divided, and no text shortened.
    """
    check(layout)
    template, page = _Template(), None
    filters = [column.header for column in layout.columns if column.page == "filter"]

    def new_page(group: str | None, part: int, title: str) -> _Page:
        stem = (default_name if group is None else group) + suffix
        page = _Page(directory / file_name(stem, part, "html"), group, part)
        index, previous = group_by and CONTENTS, file_name(stem, max(part - 1, 1), "html")
        head = template.parts.head(title, filters, index, part, previous, created.date())
        page.begin(template.begin(title, script=True) + head)
        return page

    def end(page: _Page, *, goes_on: bool) -> Written:
        following = file_name(page.path.stem.removesuffix(f"-part{page.part}"), page.part + 1, "html")
        return page.close(template.parts.end(goes_on and following, page.part, template.script))

    try:
        for chunk in chunks:
            for group, title, article in _articles(chunk, layout, group_by, template):
                goes_on = page is not None and page.group == group
                if page is None or not goes_on or page.records == max_rows:
                    if page:
                        yield end(page, goes_on=goes_on)
                    page = new_page(group, page.part + 1 if page and goes_on else 1, title or group or default_name)
                page.add(article)
                page.records += 1
        if page:
            yield end(page, goes_on=False)
    finally:
        if page:
            page.abandon()


def _articles(
    chunk: pa.RecordBatch, layout: Layout, group_by: str | None, template: _Template
) -> Iterator[tuple[str | None, str | None, str]]:
    """For each row, its group, the title of its page, and its HTML."""
    wanted = [*(column.name for column in layout.columns), group_by, layout.pieces]
    names = list(dict.fromkeys(name for name in wanted if name))
    if missing := [name for name in names if name not in chunk.schema.names]:
        raise ValueError(f"no column {', '.join(missing)}; the columns are {', '.join(chunk.schema.names)}")
    values = {name: column_values(name, chunk.column(name), "text") for name in names}
    refuse_forbidden(values, names[0])
    if group_by and values[group_by].null_count:
        raise ValueError(f"column {group_by}, which names the files, is empty in some rows")
    key, roles, number = names[0], {column.name: column.page for column in layout.columns}, 0
    title = next((name for name, role in roles.items() if role == "title" and group_by), None)
    cells: list[tuple[str, str, str | int | None]] = []
    for column in layout.columns:
        if column.name not in (key, layout.long_text, title):
            cells.append((column.name, column.header, number if column.page == "filter" else column.page))
            number += column.page == "filter"
    last = max((place for place, (*_, role) in enumerate(cells, 1) if isinstance(role, int)), default=0)
    columns = [values[name].cast(TEXT).to_pylist() for name in names]
    for row in (dict(zip(names, some, strict=True)) for some in zip(*columns, strict=True)):
        shown = [[(h, row[name], role) for name, h, role in some if row[name]] for some in (cells[:last], cells[last:])]
        article = template.parts.article(row[key], shown[0], _pieces(row, layout), shown[1])
        yield row[group_by] if group_by else None, row[title] if title else None, article


def _pieces(row: dict[str, str | None], layout: Layout) -> list[tuple[str, bool]]:
    """The long text in pieces, and whether each is a link that opens."""
    pieces = row[layout.pieces] if layout.pieces else None
    texts = json.loads(pieces) if pieces else [(row[layout.long_text] if layout.long_text else None) or ""]
    return [(text, bool(place % 2 and _OPENS.fullmatch(text))) for place, text in enumerate(texts)]


def write_contents(file: Path, title: str, rows: Sequence[Listed], created: datetime) -> None:
    """Write the index of all pages."""
    template = _Template()
    file.write_text(
        template.begin(title, script=False) + template.parts.contents(title, rows, created.date()),
        encoding="utf-8",
        newline="",
    )
