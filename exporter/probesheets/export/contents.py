"""The files that describe an export folder: the manifest, delivered.csv, changed.csv and index.xlsx."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from importlib.metadata import version
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import replace

from probesheets.export.accounts import row_counts
from probesheets.export.batches import replaced_files
from probesheets.export.job import Job
from probesheets.export.records import without, write_changes
from probesheets.export.report import Report
from probesheets.export.sampling import shares
from probesheets.folder import delivered
from probesheets.folder.hashes import sha256
from probesheets.folder.manifest import CHANGED, DELIVERED, INDEX, Delivery, Entry, Manifest
from probesheets.folder.shards import in_shard, is_first
from probesheets.pages.write import CONTENTS, write_contents
from probesheets.project.kinds import MOST_RECORDS, Kind, dealt_kinds
from probesheets.warehouse import select
from probesheets.workbooks.container import Written, file_name


def publish(
    job: Job, written: Mapping[Kind, Sequence[Written]], report: Report, records: pa.Table, models: Set[str]
) -> None:
    """Write the other files beside the staged workbooks, and publish them all unless `models` have been rebuilt.

    `records` are the delivered records that stay in the folder. Completes the report.
    """
    folder, staging = job.folder, job.folder.staging
    builds = {kind: job.project.builds.build_of([kind.model]) for kind in written}
    files = _workbooks(job, written, {kind: str(build["invocation"]) for kind, build in builds.items()})
    groups = {kind: {file.group for file in some} for kind, some in written.items()}
    gone = replaced_files(folder, job.batch, {kind.name: some for kind, some in groups.items()})
    if not job.batch.new:
        for kind, some in groups.items():
            records = without(records, kind, some)
    delivered.write(staging / DELIVERED, records, [picker.delivered for picker in report.pickers])
    files.append(_other(job, DELIVERED, records.num_rows + report.records))
    if report.changed or report.gone:
        write_changes(staging / CHANGED, report.pickers)
        files.append(_other(job, CHANGED, len(report.changed + report.gone)))
    manifest = Manifest(
        target=job.project.target,
        project_version=version("probesheets"),
        created=job.created.isoformat(),
        builds={**folder.manifest.builds, **{str(build["invocation"]): build for build in builds.values()}},
        totals=report.totals,
        selected=report.new,
        batches=_batches(job, report, records),
        shard=job.selection.shard,
    )
    if any(batch.sample for batch in manifest.batches):
        known = delivered.load(staging / DELIVERED)
        manifest = replace(manifest, drawn=shares(job.project, job.warehouse, job.probes, known))
    kept = {} if job.replaces_all else {name: entry for name, entry in folder.files.items() if name not in gone}
    held = [*{**kept, **{entry.path: entry for entry in files}}.values()]
    if is_first(job.selection.shard):
        held += _in_other_shards(job, held) if job.selection.shard and job.batch.number == 1 else ()
        files += [_page_index(job, kind, held) for kind in written if kind.format == "html" and kind.one_file_per]
        _write_index(job, held, manifest)
        files.append(_other(job, INDEX, len(job.probes)))
    report.files = [entry.path for entry in files]
    job.project.refuse_if_rebuilt(models)
    report.notes += folder.publish(replace(manifest, files=files), replace_all=job.replaces_all, gone=gone)


def _workbooks(job: Job, written: Mapping[Kind, Sequence[Written]], builds: Mapping[Kind, str]) -> list[Entry]:
    names = {str(row["file_stem"]): row["probe"] for row in job.probes}
    return [
        Entry(
            path=file.path.relative_to(job.folder.staging).as_posix(),
            kind=kind.name,
            probe=names.get(file.group or ""),
            group=file.group,
            batch=job.batch.number,
            part=file.part,
            columns=[column.header for column in kind.layout.columns],
            rows=file.rows,
            records=file.records,
            build=builds[kind],
            sha256=file.sha256,
        )
        for kind, some in written.items()
        for file in some
    ]


def _other(job: Job, path: str, rows: int) -> Entry:
    return Entry(path=path, kind=path.partition(".")[0], rows=rows, sha256=sha256(job.folder.staging / path))


def _in_other_shards(job: Job, held: Iterable[Entry]) -> Iterator[Entry]:
    """The files that other shards write, of the kinds that are selected or `held`, for the indexes in shard 1.

    Rows in which long texts continue are not counted, so a workbook may have more parts.
    """
    names = {row["file_stem"]: row["probe"] for row in job.probes}
    named = {entry.kind for entry in held} | {kind.name for kind in job.selection.kinds}
    for kind in job.project.kinds.values():
        if kind.name in named and kind.one_file_per == "file_stem":
            rows = select(job.warehouse, kind.relation, ["file_stem"])
            for stem, count in row_counts(job.warehouse, rows, "file_stem").items():
                if not stem or in_shard(stem, job.selection.shard):
                    continue
                file = Entry(path="", kind=kind.name, probe=names.get(stem), group=stem, rows=0, sha256="")
                for part in range(1, 2 + (count - 1) // MOST_RECORDS[kind.format]):
                    path = f"{kind.name}/{file_name(stem, part, kind.format)}"
                    yield replace(file, path=path, part=part, records=count * (part == 1))


def _page_index(job: Job, kind: Kind, held: Iterable[Entry]) -> Entry:
    """Write the index of the pages that a kind will have in the folder: the probes with the most texts come first."""
    pages = [entry for entry in held if entry.kind == kind.name]
    path, known = f"{kind.name}/{CONTENTS}", {row["file_stem"]: row for row in job.probes}
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in sorted(pages, key=lambda entry: (entry.batch, entry.part)):
        groups[entry.group or ""].append(entry)
    rows: list[dict[str, Any]] = [
        {
            "title": some[0].probe or group,
            "texts": sum(entry.records for entry in some),
            "first": known.get(group, {}).get("first_date"),
            "last": known.get(group, {}).get("last_date"),
            "pages": [(_page_name(entry), entry.path.rpartition("/")[2]) for entry in some],
        }
        for group, some in groups.items()
    ]
    rows.sort(key=lambda row: (-row["texts"], row["title"]))
    write_contents(job.folder.staging / path, "Language model texts, by probe", rows, job.created)
    return _other(job, path, len(rows))


def _page_name(entry: Entry) -> str:
    batch = f"batch {entry.batch}" if entry.batch > 1 else ""
    return f"{batch} part {entry.part}".strip() if entry.part > 1 else batch


def _batches(job: Job, report: Report, records: pa.Table) -> list[Delivery]:
    """The batches of the folder in order: when, the sample (if it is one), and the number of records of each kind."""
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
    """Write the index of all workbooks that the folder will have. Only here, at the end, is openpyxl imported."""
    from probesheets.index.chart_data import read_chart_data
    from probesheets.index.sheet import write_index

    place = {name: number for number, name in enumerate(dealt_kinds(job.project.kinds, manifest.samples))}
    some = [entry for entry in held if entry.probe is not None]
    workbooks: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for entry in sorted(some, key=lambda entry: (place.get(entry.kind, len(place)), entry.batch, entry.part)):
        coder, _, kind = entry.kind.rpartition("/")
        title = f"{coder}: " * bool(coder) + kind.replace("_", " ").capitalize()
        title += f", batch {entry.batch}" if entry.batch > 1 else ""
        workbooks[title][entry.group or ""].append(entry.path)
    charts = read_chart_data(job.project, job.warehouse, job.probes)
    write_index(job.folder.staging / INDEX, job.probes, workbooks, charts, manifest, job.created)
