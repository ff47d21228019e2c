"""Exports that add to a folder: what may follow what, which rows are written, and what became of the earlier ones."""

import csv
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from probesheets.errors import ProbesheetsError
from probesheets.export.sampling import Sample
from probesheets.export.selection import Selection
from probesheets.folder import delivered
from probesheets.folder.delivered import RECORDS, as_text, fingerprints
from probesheets.folder.manifest import CHANGED, DELIVERED, INDEX, Entry
from probesheets.folder.publish import Folder
from probesheets.project.models import Kind
from probesheets.workbooks.layout import group_name


@dataclass(frozen=True)
class Batch:
    """One export into a folder: the first has plain names, the second STEM-batch2.xlsx, and so on."""

    number: int
    new: bool  # only what is not delivered yet
    sample: Sample | None
    again: bool = False  # it takes the place of a batch that was stopped

    @property
    def suffix(self) -> str:
        return f"-batch{self.number}" if self.number > 1 else ""


def next_batch(folder: Folder, selection: Selection, new: bool, sample: Sample | None) -> Batch:
    """The batch that an export would be. Raises ProbesheetsError if it does not go with what the folder holds."""
    held = last_batch(folder)
    if new:
        stopped = not folder.manifest.complete
        again = stopped and (held > 1 or not folder.manifest.batches)
        if stopped and not again:
            raise ProbesheetsError(
                f"An export into {folder.path} was stopped. Run that command again first, then --new."
            )
        batch = Batch(max(held, 1) if again else held + 1, new, sample, again)
    else:
        refuse_mixture(folder, sample, complete=selection.complete)
        batch = Batch(1, new, sample)
    _refuse_other_columns(folder, selection, batch)
    if new or not selection.complete:
        folder.check(replaced(folder, batch, {kind.name: selection.of(kind) for kind in selection.kinds}))
    folder.check([INDEX, DELIVERED, *(f"{kind.name}/" for kind in selection.kinds if kind.one_file_per)])
    return batch


def last_batch(folder: Folder) -> int:
    """The number of the last batch that the folder holds, 0 if it holds none."""
    return max((entry.batch for entry in folder.manifest.files if entry.columns), default=0)


def refuse_mixture(folder: Folder, sample: Sample | None, *, complete: bool) -> None:
    """A plain export replaces files: never a batch, never all texts by a sample or a sample by all texts."""
    held = last_batch(folder)
    if held > 1:
        raise ProbesheetsError(
            f"{folder.path} holds {held} batches, and their records would be there twice. Add --new to write only what "
            "none of them has delivered, or choose another folder with --out."
        )
    drawn = first_sample(folder)
    wanted = sample.as_json() if sample else None
    if held and drawn != wanted and not (complete and drawn and wanted):
        holds = f"a sample ({_described(drawn)})" if drawn else "an export of all texts"
        raise ProbesheetsError(
            f"{folder.path} holds {holds}, which {'this sample' if wanted else 'an export of all texts'} does not go "
            "with. Add --new to write only what is not delivered yet, or choose another folder with --out."
        )
    if complete:
        folder.check(folder.listed)
    elif folder.manifest.old_stems():
        raise ProbesheetsError(
            f"{folder.path} was written by version 1.0.0, whose file names are shorter: some workbooks would be there "
            "twice. Leave --probe and --only out to replace all, add --new to write only what is not delivered yet, or "
            "choose another folder with --out."
        )


def first_sample(folder: Folder) -> dict[str, Any] | None:
    """The sample that a folder's first batch is; None if that was an export of all texts."""
    samples = (batch.sample for batch in folder.manifest.batches if batch.batch == 1)
    return next(samples, None)


def _described(sample: Mapping[str, Any]) -> str:
    return f"--sample {sample['size']} --per {sample['per']} --seed {sample['seed']}"


def _refuse_other_columns(folder: Folder, selection: Selection, batch: Batch) -> None:
    """A batch has the headers of those before it: NVivo would take another dataset for another form."""
    if batch.number == 1:
        return
    for kind in selection.kinds:
        headers = [column.header for column in kind.layout.columns]
        for entry in folder.files.values():
            if entry.kind == kind.name and entry.columns and entry.columns != headers:
                raise ProbesheetsError(
                    f"{entry.path} has the columns {', '.join(entry.columns)}; now they would be "
                    f"{', '.join(headers)}. A batch has the columns of those before it: build with the same --vars, "
                    "or choose another folder with --out."
                )


@dataclass(frozen=True)
class Earlier:
    """What earlier exports have delivered of a kind."""

    records: Mapping[str, int]  # fingerprints by Record ID, whatever workbook they are in
    expected: set[str]  # those that must come again in this export, or are gone


class Passage:
    """The rows of a kind on their way to the workbooks: which of them are written, and what is known of the others."""

    def __init__(self, kind: Kind, batch: Batch, earlier: Earlier, drawn: pa.Array | None, file: Path) -> None:
        self.kind, self.batch, self.drawn = kind, batch, drawn
        self.earlier, self.unseen = earlier.records, earlier.expected
        self.changed: list[str] = []
        self.skipped = Counter[str | None]()  # by what names the files
        self.written = 0
        self.delivered = file  # a record that is written is written there, too: memory does not grow with them
        self._writer = delivered.open_part(file)

    def pick(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """The rows of a batch that are written."""
        ids = rows.column(0).cast(pa.string())
        marks = fingerprints(rows, self.kind.layout)
        keep = None
        if self.earlier:
            known = zip(ids.to_pylist(), marks.to_pylist(), strict=True)
            keep = pa.array([not self._is_delivered(record, mark) for record, mark in known], pa.bool_())
        if self.drawn is not None:
            drawn = pc.is_in(rows.column("text_id").cast(pa.int64()), value_set=self.drawn)
            keep = drawn if keep is None else pc.and_(keep, drawn)
        if keep is not None:
            self._count_skipped(rows.filter(pc.invert(keep)))
            rows, ids, marks = rows.filter(keep), ids.filter(keep), marks.filter(keep)
        self._remember(rows, ids, marks)
        return rows

    def _is_delivered(self, record: str, mark: int) -> bool:
        before = self.earlier.get(record)
        if before is None:
            return False
        self.unseen.discard(record)
        if before not in (mark, -1):
            self.changed.append(record)
        return True

    def _count_skipped(self, rows: pa.RecordBatch) -> None:
        group = self.kind.one_file_per
        if group:
            for pair in pc.value_counts(rows[group]).to_pylist():
                self.skipped[group_name(pair["values"])] += pair["counts"]
        else:
            self.skipped[None] += rows.num_rows

    def _remember(self, rows: pa.RecordBatch, ids: pa.Array, marks: pa.Array) -> None:
        group, count = self.kind.one_file_per, rows.num_rows
        workbooks = as_text(rows.column(group)).cast(pa.string()) if group else pa.repeat(pa.scalar(""), count)
        names = pa.repeat(pa.scalar(self.kind.name), count)
        numbers = pa.repeat(pa.scalar(self.batch.number, pa.int64()), count)
        self._writer.write_batch(pa.record_batch([names, numbers, workbooks, ids, marks], schema=RECORDS))
        self.written += count

    def close(self) -> None:
        """No more rows will come."""
        self._writer.close()


def earlier_records(records: pa.Table, kind: Kind, stems: Collection[str] | None) -> Earlier:
    """A kind's delivered records; some probes are exported if `stems` is given, all else."""
    every, some = records.filter(_of(records, kind, None)), records.filter(_of(records, kind, stems))
    marks = dict(zip(every["record_id"].to_pylist(), every["fingerprint"].to_pylist(), strict=True))
    return Earlier(marks, set(some["record_id"].to_pylist()))


def without(records: pa.Table, kind: Kind, groups: Collection[str | None]) -> pa.Table:
    """The records but for those of the workbooks that a plain export replaces."""
    return records.filter(pc.invert(_of(records, kind, [group or "" for group in groups])))


def _of(records: pa.Table, kind: Kind, stems: Collection[str] | None) -> pa.Array:
    chosen = pc.equal(records["kind"], kind.name)
    if stems is not None:
        chosen = pc.and_(chosen, pc.is_in(records["workbook"], value_set=pa.array(list(stems), pa.string())))
    return chosen


def write_changes(file: Path, passages: Iterable[Passage]) -> None:
    """Write what was delivered and is not so any more: `changed` records, and those that are `gone`."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("kind", "record_id", "what"))
        for passage in passages:
            name = passage.kind.name
            writer.writerows((name, record, "changed") for record in passage.changed)
            writer.writerows((name, record, "gone") for record in sorted(passage.unseen))


def replaced(folder: Folder, batch: Batch, groups: Mapping[str, Collection[str | None] | None]) -> set[str]:
    """Our files that an export writes anew or removes: those of the batch that it makes again, or of some groups
    (None: of all) of some kinds."""

    def is_replaced(entry: Entry) -> bool:
        if batch.new:
            return batch.again and entry.batch == batch.number
        some = groups.get(entry.kind, ())
        return some is None or entry.group in some

    return {INDEX, DELIVERED, CHANGED, *(entry.path for entry in folder.manifest.files if is_replaced(entry))}
