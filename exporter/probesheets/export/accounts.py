"""Check that no row is lost: compare the rows in the workbooks with the rows in the database."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from probesheets.errors import ProbesheetsError, counted
from probesheets.export.job import Job
from probesheets.project.kinds import Kind
from probesheets.warehouse import select
from probesheets.workbooks.container import Written
from probesheets.workbooks.layout import group_name


def check_accounts(
    job: Job, written: Mapping[Kind, Sequence[Written]], skipped: Mapping[Kind, Mapping[str | None, int]]
) -> dict[str, Any]:
    """Compare each workbook with the rows of its model; returns the totals for the manifest.

    `skipped` counts rows that were left out on purpose: delivered earlier, or not drawn. That the models agree with
    each other and with the source is tested by dbt (tests/data/accounts_agree.sql). Raises ProbesheetsError.
    """
    for kind, files in written.items():
        _check_files(job, kind, files, skipped[kind])
    project, warehouse = job.project, job.warehouse
    relation = project.relation("accounts")
    columns = warehouse.columns(relation)
    accounts = dict(zip(columns, warehouse.rows(select(warehouse, relation, columns))[0], strict=True))
    unused = Counter[str]()  # by the tag as it is shown; several tags may look alike
    tags = select(warehouse, project.relation("tags"), ("tag", "row_count", "used_as"), order_by=("tag",))
    for tag, count, used_as in warehouse.rows(tags):
        unused[tag] += count if used_as == "not used" else 0
    workbooks = [file for files in written.values() for file in files]
    return {
        "text_rows": accounts["text_rows"],
        "texts": accounts["texts"],
        "links": accounts["links"],
        "left_out": {"blank text": 0, "no text row": 0, **_reasons(job)},
        "dates_not_understood": accounts["dates_not_understood"],
        "texts_too_long_for_links": accounts["texts_too_long_for_links"],
        "raw_rows": accounts["raw_rows"],
        "rows_of_unused_tags": {tag: count for tag, count in unused.items() if count},
        "cells_shortened": sum(file.shortened for file in workbooks),
        "cells_escaped": sum(file.escaped for file in workbooks),
        "cells_like_nothing": sum(file.like_nothing for file in workbooks),
    }


def _reasons(job: Job) -> dict[str, int]:
    """The number of rows that were left out for each reason; a shape may give reasons of its own."""
    left_out = select(job.warehouse, job.project.relation("left_out"), ["reason"])
    query = f"select reason, count(*) from ({left_out}) as reasons group by reason order by reason"
    return {str(reason): int(count) for reason, count in job.warehouse.rows(query)}


def _check_files(job: Job, kind: Kind, files: Sequence[Written], skipped: Mapping[str | None, int]) -> None:
    """The records in the workbooks of each group must be the rows of that group."""
    expected, records = _count_rows(job, kind), Counter[str | None]()
    expected.subtract(skipped)
    for file in files:
        records[file.group] += file.records
    for group in expected.keys() | records.keys():
        if expected[group] != records[group]:
            raise ProbesheetsError(
                f"{kind.name}, {group or 'all'}: {counted(records[group], 'row')} written, but {kind.relation} has "
                f"{expected[group]}. The models changed during the export. Run the same command again."
            )


def _count_rows(job: Job, kind: Kind) -> Counter[str | None]:
    """Rows of the kind's model by the column that names its files; by None if it has one file."""
    warehouse, group = job.warehouse, kind.one_file_per
    rows = select(warehouse, kind.relation, [group or kind.column_names[0]], file_stems=job.selection.of(kind))
    if not group:
        return Counter({None: warehouse.rows(f"select count(*) from ({rows}) as counted")[0][0]})
    name = warehouse.quote + group + warehouse.quote
    counted = warehouse.rows(f"select {name}, count(*) from ({rows}) as counted group by {name}")
    return Counter({group_name(value): count for value, count in counted})
