"""Nothing is lost on the way: what was written is compared with what the database holds."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from probesheets.errors import ProbesheetsError
from probesheets.project.models import Kind, Project
from probesheets.warehouse import Warehouse, select
from probesheets.workbooks.container import Written
from probesheets.workbooks.layout import group_name

# what was written of each kind, and of which probes (None: of all)
Exported = Mapping[Kind, tuple[Sequence[Written], Sequence[str] | None]]


def check_accounts(
    project: Project, warehouse: Warehouse, written: Exported, skipped: Mapping[Kind, Mapping[Any, int]] | None = None
) -> dict[str, Any]:
    """Compare what was written with what the database holds, file by file; returns the totals for the manifest.

    `skipped` counts the rows that were read and left out on purpose: delivered earlier, or not drawn. Raises
    ProbesheetsError for the first sum that is not right.
    """
    probes = _probes(project, warehouse)
    for kind, (files, stems) in written.items():
        counted = _counts(kind, warehouse, stems)
        _check_files(kind, files, counted, (skipped or {}).get(kind, {}))
        _check_probes(project, warehouse, kind, stems, counted, probes)
    relation = project.relation("accounts")
    columns = warehouse.columns(relation)
    accounts = dict(zip(columns, warehouse.rows(select(warehouse, relation, columns))[0], strict=True))
    _check_rows(project, accounts, probes)
    unused = Counter[str]()  # by tag as it is shown: several may look alike
    for tag, count, used_as in warehouse.rows(
        select(warehouse, project.relation("tags"), ("tag", "row_count", "used_as"), order_by=("tag",))
    ):
        unused[tag] += count if used_as == "not used" else 0
    return {
        "text_rows": accounts["text_rows"],
        "texts": accounts["texts"],
        "links": accounts["links"],
        "left_out": {"blank text": accounts["blank_texts"], "no text row": accounts["raw_rows_without_text"]},
        "dates_not_understood": accounts["dates_not_understood"],
        "texts_too_long_for_links": accounts["texts_too_long_for_links"],
        "raw_rows": accounts["raw_rows"],
        "rows_of_unused_tags": {tag: count for tag, count in unused.items() if count},
        "cells_shortened": sum(file.shortened for files, _ in written.values() for file in files),
        "cells_escaped": sum(file.escaped for files, _ in written.values() for file in files),
        "cells_like_nothing": sum(file.like_nothing for files, _ in written.values() for file in files),
    }


def _check_files(kind: Kind, files: Sequence[Written], counted: Counter[Any], skipped: Mapping[Any, int]) -> None:
    """The records of each workbook are the rows of its group."""
    records = Counter[Any]()
    for file in files:
        records[file.group] += file.records
    expected = counted.copy()
    expected.subtract(skipped)
    for group in expected.keys() | records.keys():
        if expected[group] != records[group]:
            raise ProbesheetsError(
                f"{kind.name}, {group or 'all'}: {records[group]} rows written, {expected[group]} in {kind.relation}. "
                "The models changed during the export: type the command again."
            )


def _check_probes(
    project: Project,
    warehouse: Warehouse,
    kind: Kind,
    stems: Sequence[str] | None,
    counted: Counter[Any],
    probes: Mapping[str, Counter[Any]],
) -> None:
    """The texts and links of each probe are as many as the model probes says."""
    if kind.one_file_per == "file_stem" and kind.relation in _relations(project, "texts", "texts_without_links"):
        name, found = "texts", counted
    elif kind.relation in _relations(project, "links"):
        name, found = "links", _counts(kind, warehouse, stems, by="file_stem")
    else:
        return
    chosen = stems if stems is not None else found.keys() | probes[name].keys()
    for stem in chosen:
        if found[stem] != probes[name][stem]:
            raise ProbesheetsError(
                f"{stem}: {found[stem]} rows in {kind.relation}, but {probes[name][stem]} {name} by the model probes. "
                f"The models are not of one build. Run: probesheets run --target {project.target}"
            )


def _relations(project: Project, *models: str) -> list[str]:
    return [project.relation(model) for model in models]


def _probes(project: Project, warehouse: Warehouse) -> dict[str, Counter[Any]]:
    """How many texts and links each file_stem has, by the model probes."""
    names = ("file_stem", "text_count", "link_count")
    rows = warehouse.rows(select(warehouse, project.relation("probes"), names))
    return {"texts": Counter({row[0]: row[1] for row in rows}), "links": Counter({row[0]: row[2] for row in rows})}


def _check_rows(project: Project, accounts: Mapping[str, int], probes: Mapping[str, Counter[Any]]) -> None:
    """Every text row and every raw row of the source is a text, or left out."""
    again = f"Run: probesheets run --target {project.target}"
    for name, counts in probes.items():
        if accounts[name] != counts.total():
            raise ProbesheetsError(f"{accounts[name]} {name} in all, but {counts.total()} by probe. {again}")
    if accounts["text_rows"] != accounts["texts"] + accounts["blank_texts"]:
        raise ProbesheetsError(
            f"{accounts['text_rows']} text rows in the source, but {accounts['texts']} texts and "
            f"{accounts['blank_texts']} blank ones in the models. {again}"
        )
    if accounts["raw_rows"] != accounts["raw_rows_with_text"] + accounts["raw_rows_without_text"]:
        raise ProbesheetsError(
            f"{accounts['raw_rows']} raw rows in the source, but {accounts['raw_rows_with_text']} with a text row and "
            f"{accounts['raw_rows_without_text']} without one in the models. {again}"
        )


def _counts(kind: Kind, warehouse: Warehouse, stems: Sequence[str] | None, by: str | None = None) -> Counter[Any]:
    """Rows of the kind's model by a column, else by the one that names its files (None if there is one file)."""
    group = by or kind.one_file_per
    rows = select(warehouse, kind.relation, [group or kind.column_names[0]], file_stems=stems)
    if not group:
        return Counter({None: warehouse.rows(f"select count(*) from ({rows}) as counted")[0][0]})
    name = warehouse.quote + group + warehouse.quote
    counted = warehouse.rows(f"select {name}, count(*) from ({rows}) as counted group by {name}")
    return Counter({group_name(value): count for value, count in counted})
