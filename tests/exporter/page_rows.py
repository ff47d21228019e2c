"""Rows for pages, the pages that are written from them, and what a reader does with a page."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from probesheets.pages.write import write_pages
from probesheets.workbooks.container import Written
from probesheets.workbooks.layout import Column, Layout
from tests.browser import Browser

CREATED = datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC)
LAYOUT = Layout(
    "Texts",
    (
        Column("id", "Record ID"),
        Column("text", "Text"),
        Column("month", "Month", page="filter"),
        Column("model", "Model", page="filter"),
        Column("same", "Same as", page="record"),
        Column("probe", "Probe", page="title"),
    ),
    "text",
    pieces="pieces",
)
HEADERS = [column.header for column in LAYOUT.columns]


def table(texts: list[str], stems: list[str] | None = None, **more: list[Any]) -> pa.Table:
    """Rows of LAYOUT; `more` replaces columns."""
    count = len(texts)
    columns: dict[str, list[Any]] = {"id": [f"T{number}" for number in range(1, count + 1)], "text": texts}
    columns |= {name: [None] * count for name in ("month", "model", "same", "pieces")}
    columns |= {"probe": ["A probe"] * count, **more, **({"stem": stems} if stems else {})}
    types = {name: pa.string() for name in columns}
    return pa.table({name: pa.array(values, types[name]) for name, values in columns.items()})


def write(rows: pa.Table, to: Path, cut: int = 1000, **more: Any) -> list[Written]:
    to.mkdir(exist_ok=True)
    group = "stem" if "stem" in rows.column_names else None
    batches = rows.combine_chunks().to_batches(max_chunksize=cut)
    return list(write_pages(batches, LAYOUT, to, group_by=group, default_name="all", created=CREATED, **more))


def shown(tab: Browser) -> list[str]:
    """The Record IDs of the texts that are not filtered out."""
    return list(tab.value("[...document.querySelectorAll('article')].filter(a => !a.hidden).map(a => a.id)"))


def said(tab: Browser) -> str:
    return str(tab.value("document.querySelector('output').textContent")).strip()


def search(tab: Browser, text: str) -> None:
    """Type into the search field, in place of what it has."""
    tab.value("document.querySelector('input').select()")
    tab.value("document.querySelector('input').focus()")
    tab.call("Input.insertText", text=text)
