"""Check that no row is lost: compare the rows in the workbooks with the rows in the database."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from probesheets.errors import ProbesheetsError, counted
from probesheets.export.job import Job
from probesheets.project.kinds import Kind
from probesheets.sql import quoted
from probesheets.warehouse import Warehouse, select
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
    reasons = select(warehouse, project.relation("left_out"), ["reason"])  # a shape may give reasons of its own
    unused = select(warehouse, project.relation("tags"), ["tag", "row_count"]) + " where used_as = 'not used'"
    workbooks = [file for files in written.values() for file in files]
    return {
        "text_rows": accounts["text_rows"],
        "texts": accounts["texts"],
        "links": accounts["links"],
        "left_out": {"blank text": 0, "no text row": 0, **row_counts(warehouse, reasons, "reason")},
        "dates_not_understood": accounts["dates_not_understood"],
        "texts_too_long_for_links": accounts["texts_too_long_for_links"],
        "raw_rows": accounts["raw_rows"],
        # by the tag as it is shown; several tags may look alike
        "rows_of_unused_tags": row_counts(warehouse, unused, "tag", "sum(row_count)"),
        "cells_shortened": sum(file.shortened for file in workbooks),
        "cells_escaped": sum(file.escaped for file in workbooks),
        "cells_like_nothing": sum(file.like_nothing for file in workbooks),
    }


def row_counts(warehouse: Warehouse, rows: str, by: str | None, count: str = "count(*)") -> dict[str | None, int]:
    """How many rows of a query have each value of the column `by`, sorted; if it is None, all rows, under None."""
    column = quoted(by, warehouse.quote) if by else "null"
    query = f"select {column}, {count} from ({rows}) as counted group by 1 order by 1"
    return {group_name(value): int(number) for value, number in warehouse.rows(query)}


def _check_files(job: Job, kind: Kind, files: Sequence[Written], skipped: Mapping[str | None, int]) -> None:
    """The records in the workbooks of each group must be the rows of that group."""
    warehouse, group_by = job.warehouse, kind.one_file_per
    where = job.selection.where(kind, warehouse.quote)
    rows = select(warehouse, kind.relation, [group_by or kind.column_names[0]], where=where)
    expected, records = Counter(row_counts(warehouse, rows, group_by)), Counter[str | None]()
    expected.subtract(skipped)
    for file in files:
        records[file.group] += file.records
    for group in expected.keys() | records.keys():
        if expected[group] != records[group]:
            raise ProbesheetsError(
                f"{kind.name}, {group or 'all'}: {counted(records[group], 'row')} written, but {kind.relation} has "
                f"{expected[group]}. The models changed during the export. Run the same command again."
            )
