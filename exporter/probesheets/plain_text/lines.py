"""Plain text: write Arrow record batches as lines, and read the lines again. Knows no database and no dbt."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pyarrow as pa

from probesheets.workbooks.cells import TEXT, typed_columns
from probesheets.workbooks.container import Written, file_name
from probesheets.workbooks.layout import Layout
from probesheets.workbooks.write import slices


def write_lines(
    chunks: Iterable[pa.RecordBatch],
    layout: Layout,
    directory: Path,
    *,
    group_by: str | None,
    default_name: str,
    created: datetime,
    suffix: str = "",
) -> Iterator[Written]:
    """Write one file per value of `group_by`, or DEFAULT_NAME.txt; yield each when it is complete.

    As `write_workbooks`, but a file has only the long text of each record, on a line of its own: UTF-8, without a
    header and without `created`. Nothing is shortened; a text with a line break raises ValueError.
    """
    for group, records in groupby(_lines(chunks, layout, group_by), itemgetter(0)):
        path = directory / file_name((default_name if group is None else group) + suffix, 1, "txt")
        file, digest, count = path.open("xb"), hashlib.sha256(), 0
        try:
            with file:
                for _, line in records:
                    file.write(line)
                    digest.update(line)
                    count += 1
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        yield Written(path, group, 1, count, count, 0, 0, 0, digest.hexdigest())


def _lines(
    chunks: Iterable[pa.RecordBatch], layout: Layout, group_by: str | None
) -> Iterator[tuple[str | None, bytes]]:
    """For each record the group that names its file, and its line."""
    names = (layout.columns[0].name, layout.long_text, group_by)
    for chunk in slices(chunks):
        columns, nothing = typed_columns(chunk, layout, group_by), [None] * chunk.num_rows
        values = (columns[name].cast(TEXT).to_pylist() if name else nothing for name in names)
        for key, line, group in zip(*values, strict=True):
            if line and "\n" in line:
                raise ValueError(f"column {names[1]}, record {key}: a line of text cannot contain a line break")
            yield group, f"{line or ''}\n".encode()


def read_lines(file: Path, _headers: Sequence[str]) -> Iterator[list[str]]:
    """The records of a file: each is a line, and none has an ID."""
    with file.open(encoding="utf-8", errors="replace", newline="\n") as stream:
        yield from ([line.removesuffix("\n")] for line in stream)
