"""Write Arrow record batches as .xlsx files. Knows no database and no dbt.

pyarrow makes the XML of a whole chunk of rows, column by column and without Python's global lock; each workbook gets a
slice of it. `make bench` compares this with libraries that write cell by cell.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from probesheets.workbooks.cells import Rows, SharedCells, escape_lookalikes, sheet_rows, sheet_xml
from probesheets.workbooks.container import Template, Workbook, Written
from probesheets.workbooks.layout import Layout, check

SHEET_ROWS = 1_048_576  # with the header
SLICE_BYTES = 2 << 20  # of data that becomes XML at a time


@dataclass
class Segment:
    """Consecutive rows of a slice that belong to one workbook; `row` is the sheet row of the first."""

    book: Workbook
    start: int
    stop: int
    row: int


def write_workbooks(
    chunks: Iterable[pa.RecordBatch],
    layout: Layout,
    directory: Path,
    *,
    group_by: str | None,
    default_name: str,
    created: datetime,
    suffix: str = "",
    max_rows: int = SHEET_ROWS,
) -> Iterator[Written]:
    """Write one workbook per value of the column `group_by`, or DEFAULT_NAME.xlsx; yield each when it is complete.

    The rows must be sorted by `group_by`, whose value names the file: STEM.xlsx. Rows beyond `max_rows` (including the
    header; at least 2) go into STEM-part2.xlsx and so on. `suffix` follows each name. Memory depends on the size of a
    chunk, not on the rows of a workbook. Equal rows and an equal `created` (to the second; with a time zone) give equal
    bytes, however the rows are cut into chunks. Without rows there is no file.

    Raises ValueError for a layout, a column type, a text or a file name that a workbook cannot have, and
    FileExistsError if a file exists or equal values of `group_by` are not adjacent. Removes the unfinished workbook.
    """
    check(layout)
    return _write(chunks, Template(layout, created, directory, default_name, suffix), group_by, max_rows)


def _write(
    chunks: Iterable[pa.RecordBatch], template: Template, group_by: str | None, max_rows: int
) -> Iterator[Written]:
    layout, book = template.layout, None
    try:
        for chunk in slices(chunks):
            rows = sheet_rows(chunk, layout, group_by)
            segments = _segments(rows, book, template, max_rows)
            numbers = np.concatenate([np.arange(one.row, one.row + one.stop - one.start) for one in segments])
            xml = sheet_xml(rows, numbers, _shared_cells(rows, segments, layout), layout)
            ends = np.frombuffer(xml.buffers()[1], np.int64)
            data = memoryview(xml.buffers()[2])
            for segment in segments:
                if book and book is not segment.book:
                    yield book.close()
                book, some = segment.book, slice(segment.start, segment.stop)
                book.add(data[ends[segment.start] : ends[segment.stop]])
                book.records += int(rows.first[some].sum())
                book.shortened += int(rows.shortened[some].sum())
                book.like_nothing += int(rows.like_nothing[some].sum())
        if book:
            yield book.close()
    finally:
        if book:
            book.abandon()


def slices(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in chunks of at most SLICE_BYTES, or of one row."""
    for chunk in chunks:
        size = max(1, chunk.num_rows * SLICE_BYTES // max(1, chunk.nbytes))
        for start in range(0, chunk.num_rows, size):
            yield chunk.slice(start, size)


def _segments(rows: Rows, book: Workbook | None, template: Template, max_rows: int) -> list[Segment]:
    """Divide rows among workbooks: a new one for each group, and for rows that a full sheet cannot take."""
    edges = [0, len(rows.first)]
    if rows.groups is not None:
        changes = pc.not_equal(rows.groups[1:], rows.groups[:-1])
        edges[1:1] = (np.flatnonzero(changes) + 1).tolist()
    segments = []
    for start, stop in pairwise(edges):
        group = None if rows.groups is None else str(rows.groups[start])
        if book is None or book.group != group:
            book = Workbook(template, group, 1)
        while True:
            end = full = min(stop, start + max_rows - book.rows)
            while end < stop and end > start and not rows.first[end]:  # keep the rows of a record together
                end -= 1
            if end == start and book.rows == 1:  # unless they do not fit into one sheet
                end = full
            if end > start:
                segments.append(Segment(book, start, end, book.rows + 1))
            book.rows += end - start
            if end == stop:
                break
            book, start = Workbook(template, group, book.part + 1), end
    return segments


def _shared_cells(rows: Rows, segments: list[Segment], layout: Layout) -> SharedCells:
    """Put the cells that look like escapes among the shared strings of their workbooks, in the order of the sheet."""
    starts = [segment.start for segment in segments]
    return {
        (row, name): segments[bisect_right(starts, row) - 1].book.share(text)
        for row, name, text in escape_lookalikes(rows, layout)
    }
