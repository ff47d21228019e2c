"""Write Arrow record batches as web pages that need no network. Knows no database and no dbt.

Jinja escapes all text of the data. A page allows only its own style and script, by their hashes.
"""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, groupby, pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
from jinja2 import Environment, StrictUndefined

from probesheets.errors import counted
from probesheets.workbooks.cells import TEXT, typed_columns
from probesheets.workbooks.container import Written, file_name
from probesheets.workbooks.layout import Layout, check
from probesheets.workbooks.write import slices

CONTENTS = "index.html"
PAGE_RECORDS = 10_000
_OPENS = re.compile(r"https?://.*(?<!…)", re.I | re.S)  # of the links: no other scheme, and not cut off
_COUNT = b"<output>"  # room for the number of texts follows, which is known at the end


def write_pages(
    chunks: Iterable[pa.RecordBatch],
    layout: Layout,
    directory: Path,
    *,
    group_by: str | None,
    default_name: str,
    created: datetime,
    suffix: str = "",
    max_rows: int = PAGE_RECORDS,
) -> Iterator[Written]:
    """Write one page per value of `group_by`, or DEFAULT_NAME.html; yield each when it is complete.

    As `write_workbooks`, but a page has at most `max_rows` records, and no text is divided or shortened.
    """
    check(layout)
    template = _template(layout, created, group_by)
    records = _records(chunks, layout, group_by, template, max_rows)
    for (group, part), some in groupby(records, lambda record: record[:2]):
        stem = (default_name if group is None else group) + suffix
        before, this, after = (file_name(stem, number, "html") for number in (part - 1, part, part + 1))
        if group is not None and this.casefold() == CONTENTS:
            raise ValueError(f"{group!r} cannot name a page: {CONTENTS} is the index of the pages")
        first, path, count = next(some), directory / this, 0
        head = template.head(first[2] or group or default_name, part, before).encode()
        file = path.open("x+b")
        try:
            with file:
                file.write(head)
                for record in chain([first], some):
                    file.write(record[3].encode())
                    count += 1
                file.write(template.end(after if record[4] else None, part).encode())
                file.seek(head.index(_COUNT) + len(_COUNT))
                file.write(counted(count, "text").encode())
                file.seek(0)
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        yield Written(path, group, part, count, count, 0, 0, 0, digest)


def _records(
    chunks: Iterable[pa.RecordBatch], layout: Layout, group_by: str | None, template: Any, max_rows: int
) -> Iterator[tuple[str | None, int, str | None, str, bool]]:
    """For each record the group, part and title of its page, its HTML, and whether another of its group follows."""
    articles = chain.from_iterable(_articles(chunk, layout, group_by, template) for chunk in slices(chunks))
    number = 0
    for (group, title, article), after in pairwise(chain(articles, [("", None, "")])):
        continued = after[0] == group
        yield group, number // max_rows + 1, title, article, continued
        number = number + 1 if continued else 0


def write_contents(file: Path, title: str, rows: Sequence[Mapping[str, Any]], created: datetime) -> None:
    """Write the index of pages: for each probe its title, texts, first and last date, and pages [(name, file)]."""
    html = _template(None, created, None).contents(title, rows)
    file.write_bytes(html.encode())


def _template(layout: Layout | None, created: datetime, group_by: str | None) -> Any:
    """The macros of page.html, which know what is the same in all pages of a kind."""
    parts = Path(__file__).with_name("parts")
    exported, contents_file = created.astimezone(UTC).date(), group_by and CONTENTS
    known: dict[str, Any] = {"layout": layout, "exported": exported, "contents_file": contents_file}
    for name, file in (("style", "style.css"), ("script", "script.js")):
        known[name] = (parts / file).read_text(encoding="utf-8")
        known[f"{name}_hash"] = b64encode(hashlib.sha256(known[name].encode()).digest()).decode()
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string((parts / "page.html").read_text(encoding="utf-8"), known).module


def _articles(
    chunk: pa.RecordBatch, layout: Layout, group_by: str | None, template: Any
) -> Iterator[tuple[str | None, str | None, str]]:
    """For each record its group, the title of its page, and its HTML."""
    columns = typed_columns(chunk, replace(layout, dates="text"), group_by, layout.pieces)
    texts = {name: array.cast(TEXT).to_pylist() for name, array in columns.items()}
    key, title = layout.columns[0].name, layout.title if group_by else None
    small = [column for column in layout.columns if column.name not in (key, layout.long_text, title)]
    last = max((place for place, column in enumerate(small, 1) if column.page == "filter"), default=0)
    for row in range(chunk.num_rows):
        above, below = (
            [(column, texts[column.name][row]) for column in some if texts[column.name][row]]
            for some in (small[:last], small[last:])
        )
        text, pieces = (texts[name][row] if name else None for name in (layout.long_text, layout.pieces))
        article = template.article(texts[key][row], above, below, _pieces(text, pieces))
        yield texts[group_by][row] if group_by else None, texts[title][row] if title else None, article


def _pieces(text: str | None, pieces: str | None) -> list[tuple[str, bool]]:
    """A text in pieces, and whether each is a link that opens."""
    return [
        (piece, bool(place % 2 and _OPENS.fullmatch(piece)))
        for place, piece in enumerate(json.loads(pieces) if pieces else [text or ""])
    ]
