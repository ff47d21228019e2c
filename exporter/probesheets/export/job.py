"""From the models to a folder of workbooks: one stream per kind, the accounts, and what the folder says of itself."""

import os
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from probesheets.errors import ProbesheetsError
from probesheets.export.accounts import check_accounts
from probesheets.export.batches import Batch, Passage, earlier_records, next_batch, replaced, without, write_changes
from probesheets.export.report import Report
from probesheets.export.sampling import Sample, draw, drawable, shares
from probesheets.export.selection import Selection, check_columns, choose, read_probes
from probesheets.folder import delivered
from probesheets.folder.manifest import CHANGED, DELIVERED, INDEX, Delivery, Entry, Manifest, digest, sha256
from probesheets.folder.publish import Folder, open_folder
from probesheets.index.fixed_times import stamp
from probesheets.progress import Track, silent
from probesheets.project.models import Kind, Project
from probesheets.warehouse import Warehouse, select
from probesheets.workbooks.write import Written, write_workbooks

WORKERS = 2
READ = ("probes", "texts", "accounts", "tags")  # the models that an export of any kind reads


@dataclass
class Job:
    """One export: from where, what, and into which folder."""

    project: Project
    warehouse: Warehouse
    folder: Folder
    probes: list[dict[str, Any]]
    selection: Selection
    batch: Batch
    created: datetime
    models: set[str]
    track: Track = silent
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def replaces_all(self) -> bool:
        return self.selection.complete and not self.batch.new


def export(
    project: Project,
    warehouse: Warehouse,
    out: Path,
    wanted: Sequence[str] = (),
    only: Sequence[str] = (),
    *,
    new: bool = False,
    sample: Sample | None = None,
    track: Track = silent,
) -> Report:
    """Write the chosen workbooks into the folder `out`; the report says what was written.

    `new` leaves out what the folder holds already, `sample` what is not drawn. Raises ProbesheetsError, and leaves the
    files that were there, if anything is wrong.
    """
    project.require((), READ)
    probes = read_probes(project, warehouse)
    selection = choose(project, probes, wanted, only)
    project.require(selection.kinds, READ)
    if sample:
        selection = drawable(selection, warehouse, named=bool(only))
    for kind in selection.kinds:
        check_columns(kind, warehouse)
    with open_folder(out) as folder:
        batch = next_batch(folder, selection, new, sample)
        models = project.models(selection.kinds, READ)
        job = Job(project, warehouse, folder, probes, selection, batch, _now(), models, track)
        records, note = _records(job)
        passages = _passages(job, records)
        written = _write_all(job, passages)
        streams = {kind: (files, selection.of(kind)) for kind, files in written.items()}
        totals = check_accounts(project, warehouse, streams, {kind: passages[kind].skipped for kind in passages})
        report = Report(out, batch, totals, list(passages.values()), selection.complete, [note] if note else [])
        if report.records or not batch.new or batch.again or note or _changes_are_other(job, report):
            _publish(job, written, report, records)
    return report


def _now() -> datetime:
    """The present, in whole seconds; SOURCE_DATE_EPOCH (seconds since 1970) stands in for it where it is set."""
    epoch = _whole_number("SOURCE_DATE_EPOCH", 0, least=0, most=253_402_300_799)  # the last second of the year 9999
    return datetime.fromtimestamp(epoch, UTC) if epoch else datetime.now(UTC).replace(microsecond=0)


def _whole_number(variable: str, default: int, *, least: int, most: int) -> int:
    """An environment variable. Raises ProbesheetsError if it is no whole number from `least` to `most`."""
    text = os.environ.get(variable) or str(default)
    if not (text.isascii() and text.isdecimal() and len(text) < 15 and least <= int(text) <= most):
        raise ProbesheetsError(f"{variable} must be a whole number from {least} to {most}, and not {text!r}.")
    return int(text)


# --- which rows


def _records(job: Job) -> tuple[pa.Table, str | None]:
    """What the folder holds already and will still hold, and a message if that is not as it was written."""
    if job.replaces_all or (job.batch.new and job.batch.number == 1):
        return delivered.RECORDS.empty_table(), None
    return delivered.read(job.folder, job.project.kinds, job.batch.number - 1 if job.batch.new else 1)


def _passages(job: Job, records: pa.Table) -> dict[Kind, Passage]:
    kinds, batch = job.selection.kinds, job.batch
    held = records if batch.new else delivered.RECORDS.empty_table()
    earlier = {kind: earlier_records(held, kind, job.selection.of(kind)) for kind in kinds}
    drawn = None
    if batch.sample:
        drawn = draw(
            job.project, job.warehouse, batch.sample, set[str]().union(*(some.records for some in earlier.values()))
        )
    staging = job.folder.staging
    return {kind: Passage(kind, batch, earlier[kind], drawn, staging / f".{kind.name}.csv") for kind in kinds}


# --- the workbooks


def _write_all(job: Job, passages: Mapping[Kind, Passage]) -> dict[Kind, list[Written]]:
    """Every kind in a thread of its own: reading, XML and deflating all work without the GIL."""
    with ThreadPoolExecutor(max_workers=_whole_number("PROBESHEETS_WORKERS", WORKERS, least=1, most=1_000)) as pool:
        futures = {kind: pool.submit(_write_kind, job, passage) for kind, passage in passages.items()}
        try:
            return {kind: future.result() for kind, future in futures.items()}
        except BaseException:
            job.stop.set()
            raise


def _write_kind(job: Job, passage: Passage) -> list[Written]:
    kind, stems = passage.kind, job.selection.of(passage.kind)
    directory = job.folder.staging / kind.name if kind.one_file_per else job.folder.staging
    directory.mkdir(exist_ok=True)
    order = ([kind.one_file_per] if kind.one_file_per else []) + list(kind.order_by)
    names = kind.column_names
    if passage.drawn is not None and "text_id" not in names:
        names.append("text_id")
    query = select(job.warehouse, kind.relation, names, file_stems=stems, order_by=order)
    advance = job.track(kind.name, _expected_rows(job, kind))

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in job.warehouse.batches(query):
            if job.stop.is_set():
                raise ProbesheetsError("Stopped, because another kind of spreadsheet failed.")
            yield passage.pick(batch)
            advance(batch.num_rows)

    try:
        return list(
            write_workbooks(
                batches(),
                kind.layout,
                directory,
                group_by=kind.one_file_per,
                default_name=kind.name,
                created=job.created,
                suffix=job.batch.suffix,
            )
        )
    except ValueError as error:
        raise ProbesheetsError(f"Exposure {kind.name}: {error}") from error
    finally:
        passage.close()


def _expected_rows(job: Job, kind: Kind) -> int | None:
    if kind.one_file_per != "file_stem":
        return None
    stems = job.selection.file_stems
    return sum(int(row["text_count"]) for row in job.probes if stems is None or row["file_stem"] in stems)


# --- what the folder says of itself


def _changes_are_other(job: Job, report: Report) -> bool:
    """Whether the list of changes is not the one that the folder holds."""
    write_changes(job.folder.staging / CHANGED, report.passages)
    staged = sha256(job.folder.staging / CHANGED)
    return bool(report.changed or report.gone) and digest(job.folder.path, CHANGED) != staged


def _publish(job: Job, written: Mapping[Kind, Sequence[Written]], report: Report, records: pa.Table) -> None:
    """Write the index and the record of what is delivered beside the staged workbooks, and publish them all."""
    folder, staging = job.folder, job.folder.staging
    names = {str(row["file_stem"]): row["probe"] for row in job.probes}
    builds = {kind: job.project.builds.build_of([kind.model]) for kind in written}
    files = [
        _entry(job, kind, file, names, builds[kind]["invocation"]) for kind, some in written.items() for file in some
    ]
    groups = {kind: {file.group for file in some} for kind, some in written.items()}
    gone = replaced(folder, job.batch, {kind.name: some for kind, some in groups.items()})
    if not job.batch.new:
        for kind, some in groups.items():
            records = without(records, kind, some)
    delivered.write(staging / DELIVERED, records, [passage.delivered for passage in report.passages])
    count = records.num_rows + report.records
    files.append(_other(job, DELIVERED, "delivered", count))
    if report.changed or report.gone:
        write_changes(staging / CHANGED, report.passages)
        files.append(_other(job, CHANGED, "changed", len(report.changed + report.gone)))
    manifest = Manifest(
        target=job.project.target,
        project_version=version("probesheets"),
        created=job.created.isoformat(),
        builds={**folder.manifest.builds, **{build["invocation"]: build for build in builds.values()}},
        totals=report.totals,
        selected=report.new,
        batches=_batches(job, report, records),
    )
    if any(batch.sample for batch in manifest.batches):
        held = delivered.load(staging / DELIVERED)
        manifest = replace(manifest, drawn=shares(job.project, job.probes, held))
    kept = {} if job.replaces_all else {name: entry for name, entry in folder.files.items() if name not in gone}
    _write_index(job, {**kept, **{entry.path: entry for entry in files}}.values(), manifest)
    files.append(_other(job, INDEX, "index", len(job.probes)))
    report.files = [entry.path for entry in files]
    job.project.refuse_if_rebuilt(job.models)
    report.notes += folder.publish(replace(manifest, files=files), replace_all=job.replaces_all, gone=gone)


def _entry(job: Job, kind: Kind, file: Written, names: Mapping[str, str], build: str) -> Entry:
    return Entry(
        path=file.path.relative_to(job.folder.staging).as_posix(),
        kind=kind.name,
        probe=names.get(file.group or ""),
        group=file.group,
        batch=job.batch.number,
        part=file.part,
        columns=[column.header for column in kind.layout.columns],
        rows=file.rows,
        records=file.records,
        build=build,
        sha256=file.sha256,
    )


def _other(job: Job, path: str, kind: str, rows: int) -> Entry:
    return Entry(path=path, kind=kind, rows=rows, sha256=sha256(job.folder.staging / path))


def _batches(job: Job, report: Report, records: pa.Table) -> list[Delivery]:
    """The folder's batches in their order: when, how many records of each kind, and the sample that it is."""
    number, sample = job.batch.number, job.batch.sample
    earlier = [] if job.replaces_all else job.folder.manifest.batches
    if job.batch.new and not report.records:
        return earlier
    kinds = records.filter(pc.equal(records["batch"], number))["kind"]
    held = Counter({pair["values"]: pair["counts"] for pair in pc.value_counts(kinds).to_pylist()})
    drawn = sample.as_json() if sample else None
    this = Delivery(number, job.created.isoformat(), drawn, dict(held + Counter(report.new)))
    return [*(batch for batch in earlier if batch.batch < number), this]


def _write_index(job: Job, held: Iterable[Entry], manifest: Manifest) -> None:
    """Write the index of all workbooks that the folder will hold; openpyxl is imported here, once, at the end."""
    from probesheets.index.chart_data import read_figures
    from probesheets.index.sheet import write_index

    kinds = list(job.project.kinds)

    def place(entry: Entry) -> tuple[int, int, int]:
        known = entry.kind in kinds
        return kinds.index(entry.kind) if known else len(kinds), entry.batch, entry.part

    workbooks: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for entry in sorted((entry for entry in held if entry.probe is not None), key=place):
        title = entry.kind.replace("_", " ").capitalize() + (f", batch {entry.batch}" if entry.batch > 1 else "")
        workbooks[title][entry.group or ""].append(entry.path)
    figures = read_figures(job.project, job.warehouse, job.probes)
    write_index(job.folder.staging / INDEX, job.probes, workbooks, figures, manifest)
    stamp(job.folder.staging / INDEX, job.created)
