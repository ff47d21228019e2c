"""Export: from the models to a folder of workbooks. Each kind of spreadsheet is one stream of rows."""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from probesheets.errors import ProbesheetsError, counted
from probesheets.export.accounts import check_accounts
from probesheets.export.batches import next_batch, with_columns_of
from probesheets.export.contents import publish
from probesheets.export.job import Job
from probesheets.export.records import RowPicker, changes_differ
from probesheets.export.report import Report
from probesheets.export.sampling import Sample, as_options, draw, drawable
from probesheets.export.selection import Selection, check_columns, choose, read_probes
from probesheets.export.widths import fit
from probesheets.folder import delivered
from probesheets.folder.manifest import described
from probesheets.folder.publish import open_folder
from probesheets.progress import Track, silent
from probesheets.project.kinds import BLIND, WRITERS, Kind, dealt_kinds
from probesheets.project.models import Project
from probesheets.settings import now, workers
from probesheets.warehouse import Warehouse, select
from probesheets.workbooks.container import Written
from probesheets.workbooks.layout import Choice

SLOW = 2_000  # texts whose import takes QualCoder 17 seconds
MANY, SINGLE = 50, "all_texts"  # from so many probes on, one import of this kind is easier
READ = ("probes", "texts", "accounts", "left_out", "tags")  # the models that every export reads


def export(
    project: Project,
    warehouse: Warehouse,
    out: Path,
    wanted: Sequence[str] = (),
    only: Sequence[str] = (),
    *,
    new: bool = False,
    sample: Sample | None = None,
    shard: str | None = None,
    codes: Sequence[tuple[str, str]] = (),
    track: Track = silent,
    say: Callable[[str], None] = lambda _message: None,
) -> Report:
    """Write the selected workbooks into the folder `out`; the report says what was written.

    `new` leaves out what the folder already has, `sample` what is not drawn, `shard` what is in other shards; `codes`
    is a codebook. `say` announces a sample before it is written. Raises ProbesheetsError, and changes no file, if
    anything is wrong.
    """
    if shard and (wanted or sample):
        raise ProbesheetsError("--shard divides all texts. Remove --shard, or remove --probe and the sample.")
    project.require((), READ)
    probes = read_probes(project, warehouse)
    with open_folder(out) as folder:
        # an export continues all kinds that the folder has, also those that must be asked for
        held = () if sample else {entry.kind for entry in folder.manifest.files}
        selection = choose(project, probes, wanted, only, held, shard)
        project.require(selection.kinds, READ)
        if sample:
            selection = drawable(selection, warehouse, named=bool(only))
        for kind in selection.kinds:
            check_columns(kind, warehouse)
        selection = _dealt(selection, sample)
        batch = next_batch(folder, selection, new, sample)
        if new or not selection.everything:
            selection = with_columns_of(folder, selection, batch)
        selection = _with_codes(selection, codes)
        selection = replace(selection, kinds=tuple(fit(kind, warehouse) for kind in selection.kinds))
        job = Job(project, warehouse, folder, probes, selection, batch, now(), track)
        records, note = _records(job)
        pickers = _pickers(job, records, say)
        written = _write_all(job, pickers)
        totals = check_accounts(job, written, {kind: picker.skipped for kind, picker in pickers.items()})
        notes = [*([note] if note else []), *_single_import(job), *_shard(job), *_long_import(written)]
        report = Report(out, batch, totals, list(pickers.values()), selection.everything and not shard, notes)
        first = not new or batch.again or bool(shard and not folder.listed)  # a shard may have no probes
        if report.records or first or note or changes_differ(folder, report.pickers):
            publish(job, written, report, records, project.models(selection.kinds, READ))
    return report


def _dealt(selection: Selection, sample: Sample | None) -> Selection:
    """The kinds of each coder, if the sample is dealt."""
    if not (sample and sample.deal):
        return selection
    deal = sample.deal
    for kind in selection.kinds if deal.blind else ():
        if kind.one_file_per in BLIND:
            raise ProbesheetsError(f"{kind.name} has a file for each {kind.one_file_per}, so --blind cannot hide it.")
    kinds = (kind.dealt(coder, blind=deal.blind) for coder in deal.coders for kind in selection.kinds)
    return replace(selection, kinds=tuple(kinds))


def _with_codes(selection: Selection, codes: Sequence[tuple[str, str]]) -> Selection:
    """The kinds that coders code, with the codebook: those that were dealt, and projects."""
    texts = [kind for kind in selection.kinds if kind.layout.long_text]
    fits = [kind for kind in texts if kind.format == "qdpx" or (kind.format == "xlsx" and kind.layout.coders)]
    if codes and not fits:
        raise ProbesheetsError("--codebook needs dealt sheets of texts (--coders), or a project, as in: --only qdpx")
    kinds = (kind.with_codes(codes) if codes and kind in fits else kind for kind in selection.kinds)
    return replace(selection, kinds=tuple(kinds))


def _single_import(job: Job) -> Iterator[str]:
    if len(job.probes) > MANY and job.replaces_all and not job.selection.shard and SINGLE in job.project.kinds:
        drawn = f" {as_options(job.batch.sample.as_json())}" if job.batch.sample else ""
        yield (
            f"There are {len(job.probes):,} probes. For one workbook with all of them, run: probesheets export "
            f"--target {job.project.target} --only {SINGLE} --out {shlex.quote(str(job.folder.path))}{drawn}"
        )


def _long_import(written: Mapping[Kind, Sequence[Written]]) -> Iterator[str]:
    projects = (file for kind, some in written.items() if kind.format == "qdpx" for file in some)
    largest = max((file.records for file in projects), default=0)
    if largest > SLOW:
        seconds = f"{17 * largest // SLOW:,} seconds for {largest:,}"
        yield f"QualCoder takes about 17 seconds to import {SLOW:,} texts, so {seconds}."


def _shard(job: Job) -> Iterator[str]:
    if shard := job.selection.shard:
        held = sum(job.selection.has(row["file_stem"]) for row in job.probes)
        every, first = counted(len(job.probes), "probe"), f"1/{shard.partition('/')[2]}"
        yield f"Shard {shard} has {held:,} of {every}. The files that are not split by probe are in shard {first}."


def _records(job: Job) -> tuple[pa.Table, str | None]:
    """The delivered records that will stay in the folder, and a message if delivered.csv had to be rebuilt."""
    if job.replaces_all or (job.batch.new and job.batch.number == 1):
        return delivered.RECORDS.empty_table(), None
    kinds = dealt_kinds(job.project.kinds, job.folder.manifest.samples)
    return delivered.read(job.folder, kinds, job.batch.number - 1 if job.batch.new else 1)


def _pickers(job: Job, records: pa.Table, say: Callable[[str], None]) -> dict[Kind, RowPicker]:
    kinds, batch = job.selection.kinds, job.batch
    names = pa.array([kind.name for kind in kinds] if batch.new else [], pa.string())
    held = records.filter(pc.is_in(records["kind"], value_set=names))
    if not batch.sample:
        return {kind: RowPicker(job, kind, held, None) for kind in kinds}
    deal = batch.sample.deal
    before = records if deal and batch.new else held  # the texts of all coders, whoever codes now
    drawn = draw(job.project, job.warehouse, batch.sample, set(before["record_id"].to_pylist()))
    shares = deal.divide(drawn) if deal else {}
    each = "".join(f" {coder} gets {len(share):,}." for coder, share in shares.items())
    say(f"Sample: {described(batch.sample.as_json())}. This draws {counted(len(drawn), 'text')} in all.{each}")
    every = pa.array(drawn, pa.int64())
    return {kind: RowPicker(job, kind, held, shares[kind.layout.coders[0]] if deal else every) for kind in kinds}


def _write_all(job: Job, pickers: Mapping[Kind, RowPicker]) -> dict[Kind, list[Written]]:
    """Write each kind in its own thread: reading, XML and compression all run without Python's global lock."""
    with ThreadPoolExecutor(max_workers=workers()) as pool:
        try:
            futures = {kind: pool.submit(_write_kind, job, picker) for kind, picker in pickers.items()}
            return {kind: future.result() for kind, future in futures.items()}
        except BaseException:
            job.stop.set()
            raise


def _write_kind(job: Job, picker: RowPicker) -> list[Written]:
    kind, where = picker.kind, job.selection.where(picker.kind, job.warehouse.quote)
    directory = job.folder.staging / kind.directory
    directory.mkdir(parents=True, exist_ok=True)
    names, offered = kind.column_names, [column.name for column in kind.layout.columns if isinstance(column, Choice)]
    if picker.drawn is not None and "text_id" not in names:
        names.append("text_id")
    query = select(job.warehouse, kind.relation, names, where=where, order_by=kind.order_by)
    advance = job.track(kind.name, _expected_rows(job, kind))

    def chunks() -> Iterator[pa.RecordBatch]:
        for chunk in job.warehouse.stream(query):
            if job.stop.is_set():
                raise ProbesheetsError("Stopped, because another kind of spreadsheet failed.")
            picked = picker.pick(chunk)
            for name in offered:
                picked = picked.append_column(name, pa.nulls(picked.num_rows, pa.string()))
            yield picked
            advance(chunk.num_rows)

    write = partial(WRITERS[kind.format], group_by=kind.one_file_per, default_name=kind.file, suffix=job.batch.suffix)
    try:
        return list(write(chunks(), kind.layout, directory, created=job.created))
    except ValueError as error:
        raise ProbesheetsError(f"Exposure {kind.name}: {error}") from error
    finally:
        picker.writer.close()


def _expected_rows(job: Job, kind: Kind) -> int | None:
    if kind.one_file_per != "file_stem":
        return None
    return sum(int(row["text_count"]) for row in job.probes if job.selection.has(row["file_stem"]))
