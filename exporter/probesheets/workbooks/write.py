"""Arrow record batches become .xlsx files; no database and no dbt here.

The XML of a whole batch is made by pyarrow, column by column and without the GIL; the rows of one workbook
are one slice of it. Measured against libraries that write cell by cell in benchmarks/.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from probesheets.workbooks.cells import Rows, Run, sheet_rows, sheet_xml
from probesheets.workbooks.container import Kind, Workbook, Written
from probesheets.workbooks.layout import Column, Layout, check

__all__ = ["Column", "Layout", "Written", "write_workbooks"]

SLICE_BYTES = 2 << 20  # of a batch, made XML at a time


def write_workbooks(
    batches: Iterable[pa.RecordBatch],
    layout: Layout,
    directory: Path,
    *,
    group_by: str | None,
    default_name: str,
    created: datetime,
    suffix: str = "",
    max_rows: int = 1_048_576,
) -> Iterator[Written]:
    """Write one workbook per value of the column `group_by`, or DEFAULT_NAME.xlsx; yield each when complete.

    The batches are sorted by `group_by`, whose value names the file: STEM.xlsx, and STEM-part2.xlsx for what
    a sheet of `max_rows` rows (with the header) does not hold. Memory depends on the size of a batch, not on
    the rows of a workbook. Equal rows and equal `created` (to the second) give equal bytes, however the rows
    are cut into batches. No rows, no file. A `suffix` stands behind each name.

    Raises ValueError for a layout, a column type, a text or a file name that cannot be in a workbook, and
    FileExistsError if a file is there already, or if equal values of `group_by` are not adjacent. The
    workbook that was being written is then removed.
    """
    check(layout)
    if max_rows < 2:
        raise ValueError(f"max_rows is {max_rows}; a sheet has a header and at least one more row")
    if created.tzinfo is None:
        raise ValueError(f"created, {created}, must have a time zone: files would differ from computer to computer")
    kind = Kind(layout, created)
    return _write(batches, kind, directory, group_by, default_name, suffix, max_rows)


def _write(
    batches: Iterable[pa.RecordBatch],
    kind: Kind,
    directory: Path,
    group_by: str | None,
    name: str,
    suffix: str,
    max_rows: int,
) -> Iterator[Written]:
    def new(group: str | None, part: int) -> Workbook:
        return Workbook(kind, directory, (name if group is None else group) + suffix, group, part)

    book: Workbook | None = None
    try:
        for batch in _slices(batches):
            rows = sheet_rows(batch, kind.layout, group_by)
            runs = _runs(rows, book, new, max_rows)
            xml = sheet_xml(rows, runs, kind.layout)
            ends = np.frombuffer(xml.buffers()[1], np.int64)
            data, records = memoryview(xml.buffers()[2]), rows.first.cumsum()
            for run in runs:
                if book and book is not run.book:
                    yield book.close()
                book, last = run.book, run.stop - 1
                book.add(data[ends[run.start] : ends[run.stop]])
                book.records += int(records[last] - records[run.start] + rows.first[run.start])
                book.shortened += int(rows.shortened[run.start : run.stop].sum())
                book.like_nothing += int(rows.like_nothing[run.start : run.stop].sum())
        if book:
            yield book.close()
    finally:
        if book:
            book.abandon()


def _slices(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        size = max(1, batch.num_rows * SLICE_BYTES // max(1, batch.nbytes))
        for start in range(0, batch.num_rows, size):
            yield batch.slice(start, size)


def _runs(rows: Rows, book: Workbook | None, new: Callable[[str | None, int], Workbook], max_rows: int) -> list[Run]:
    """Which rows go into which workbook: a new one for each group and for what a full sheet does not hold."""
    edges = [0, len(rows.first)]
    if rows.groups is not None:
        changes = pc.not_equal(rows.groups[1:], rows.groups[:-1])
        edges[1:1] = (np.flatnonzero(changes) + 1).tolist()
    runs = []
    for start, stop in pairwise(edges):
        group = None if rows.groups is None else str(rows.groups[start])
        if book is None or book.group != group:
            book = new(group, 1)
        while True:
            end = full = min(stop, start + max_rows - book.rows)
            while end < stop and end > start and not rows.first[end]:  # a record's rows stay together
                end -= 1
            if end == start and book.rows == 1:  # unless it has more than a sheet holds
                end = full
            if end > start:
                runs.append(Run(book, start, end, book.rows + 1))
            book.rows += end - start
            if end == stop:
                break
            book, start = new(group, book.part + 1), end
    return runs
