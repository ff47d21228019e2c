"""The records of an export: which rows are written, and what happened to the records delivered earlier."""

import csv
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from probesheets.export.job import Job
from probesheets.folder import delivered
from probesheets.folder.delivered import RECORDS, UNKNOWN, fingerprints
from probesheets.folder.hashes import hash_of, sha256
from probesheets.folder.manifest import CHANGED
from probesheets.folder.publish import Folder
from probesheets.project.kinds import Kind
from probesheets.workbooks.cells import as_text
from probesheets.workbooks.layout import group_name


class RowPicker:
    """Picks the rows of a kind that are written, and notes which delivered `records` have changed or are gone."""

    def __init__(self, job: Job, kind: Kind, records: pa.Table, drawn: pa.Array | None) -> None:
        self.kind, self.drawn = kind, drawn
        self.changed: list[str] = []
        every, expected = (records.filter(_of(records, kind, stems)) for stems in (None, job.selection.of(kind)))
        self.unseen = set(expected["record_id"].to_pylist())  # this export must meet them again; the others are gone
        self.skipped = Counter[str | None]()  # rows that are not written, by the group that names their file
        self.written = 0
        # written records also go there, so memory does not grow with their number
        self.delivered = job.folder.staging / f".{kind.name.replace('/', '.')}.csv"
        self._batch = job.batch.number
        # fingerprints by Record ID, whichever workbook has the record
        self._earlier = dict(zip(every["record_id"].to_pylist(), every["fingerprint"].to_pylist(), strict=True))
        self.writer = delivered.open_part(self.delivered)

    def pick(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """The rows of a chunk that are written."""
        ids = rows.column(0).cast(pa.string())
        marks = fingerprints(rows, self.kind.layout)
        keep = None
        if self._earlier:
            known = zip(ids.to_pylist(), marks.to_pylist(), strict=True)
            keep = pa.array([not self._is_delivered(record, mark) for record, mark in known], pa.bool_())
        if self.drawn is not None:
            drawn = pc.is_in(rows.column("text_id").cast(pa.int64()), value_set=self.drawn)
            keep = drawn if keep is None else pc.and_(keep, drawn)
        if keep is not None:
            group, skipped = self.kind.one_file_per, rows.filter(pc.invert(keep))
            self.skipped.update(map(group_name, skipped[group].to_pylist() if group else [None] * skipped.num_rows))
            rows, ids, marks = rows.filter(keep), ids.filter(keep), marks.filter(keep)
        self._remember(rows, ids, marks)
        return rows

    def _is_delivered(self, record: str, mark: int) -> bool:
        before = self._earlier.get(record)
        if before is None:
            return False
        self.unseen.discard(record)
        if before not in (mark, UNKNOWN):
            self.changed.append(record)
        return True

    def _remember(self, rows: pa.RecordBatch, ids: pa.Array, marks: pa.Array) -> None:
        group, count = self.kind.one_file_per, rows.num_rows
        workbooks = as_text(rows.column(group)).cast(pa.string()) if group else pa.repeat("", count)
        columns = [pa.repeat(self.kind.name, count), pa.repeat(self._batch, count), workbooks, ids, marks]
        self.writer.write_batch(pa.record_batch(columns, schema=RECORDS))
        self.written += count


def without(records: pa.Table, kind: Kind, groups: Collection[str | None]) -> pa.Table:
    """The records except those in the workbooks that a plain export replaces."""
    return records.filter(pc.invert(_of(records, kind, [group or "" for group in groups])))


def _of(records: pa.Table, kind: Kind, stems: Collection[str] | None) -> pa.Array:
    chosen = pc.equal(records["kind"], kind.name)
    if stems is not None:
        chosen = pc.and_(chosen, pc.is_in(records["workbook"], value_set=pa.array(list(stems), pa.string())))
    return chosen


def write_changes(file: Path, pickers: Iterable[RowPicker]) -> None:
    """List the delivered records that have `changed` since, and those that are `gone`."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("kind", "record_id", "what"))
        for picker in pickers:
            name = picker.kind.name
            writer.writerows((name, record, "changed") for record in picker.changed)
            writer.writerows((name, record, "gone") for record in sorted(picker.unseen))


def changes_differ(folder: Folder, pickers: Collection[RowPicker]) -> bool:
    """Whether there are changes that the folder's list does not have."""
    write_changes(folder.staging / CHANGED, pickers)
    some = any(picker.changed or picker.unseen for picker in pickers)
    return some and hash_of(folder.path, CHANGED) != sha256(folder.staging / CHANGED)
