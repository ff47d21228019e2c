"""What to export: the kinds of spreadsheet and the probes that the user named."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from probesheets.errors import ProbesheetsError, near
from probesheets.folder.shards import in_shard, is_first, rows_in_shard
from probesheets.project.kinds import Kind
from probesheets.project.models import Project
from probesheets.sql import quoted
from probesheets.warehouse import Warehouse, select

PROBE_COLUMNS = ("probe", "file_stem", "text_count", "link_count", "first_date", "last_date")


@dataclass(frozen=True)
class Selection:
    """Kinds of spreadsheet, and the file_stems of some probes, or None for all probes (of a shard such as 3/10)."""

    kinds: tuple[Kind, ...]
    file_stems: tuple[str, ...] | None
    everything: bool  # neither kinds nor probes were named
    shard: str | None = None

    def of(self, kind: Kind) -> tuple[str, ...] | None:
        return self.file_stems if kind.one_file_per == "file_stem" else None

    def has(self, file_stem: str) -> bool:
        return in_shard(file_stem, self.shard) and (self.file_stems is None or file_stem in self.file_stems)

    def where(self, kind: Kind, quote: str) -> str:
        """The SQL condition for the rows of a kind that are selected; empty for all rows."""
        if (stems := self.of(kind)) is None:
            return rows_in_shard(kind, self.shard, quote)
        # file_stems are ASCII letters, digits and hyphens: no text of a probe gets into the SQL
        listed = ", ".join(f"'{stem}'" for stem in stems if stem.replace("-", "").isalnum())
        return f"{quoted('file_stem', quote)} in ({listed})"


def read_probes(project: Project, warehouse: Warehouse) -> list[dict[str, Any]]:
    """The rows of the model probes, sorted by probe."""
    relation = project.relation("probes")
    warehouse.columns(relation)
    rows = warehouse.rows(select(warehouse, relation, PROBE_COLUMNS, order_by=("probe",)))
    return [dict(zip(PROBE_COLUMNS, row, strict=True)) for row in rows]


def choose(
    project: Project,
    probes: Sequence[dict[str, Any]],
    wanted: Sequence[str],
    only: Sequence[str],
    held: Collection[str] = (),
    shard: str | None = None,
) -> Selection:
    """The kinds that `only` names (or else the default ones and those `held`), and the probes `wanted`: see `_stems`.

    Of the kinds, those that the shard has. Raises ProbesheetsError for an unknown name, with names that resemble it.
    """
    for name in only:
        if name not in project.kinds:
            several = " Repeat --only for each kind." if "," in name else ""
            raise ProbesheetsError(f"There is no kind {name!r}. {near(name, project.kinds)}{several}")
    default = {kind.name for kind in project.kinds.values() if kind.default} | ({*held} if not wanted else set())
    kinds = [kind for kind in project.kinds.values() if kind.name in (only or default)]
    if not wanted:
        kinds = [kind for kind in kinds if is_first(shard) or kind.one_file_per == "file_stem"]
        return Selection(tuple(kinds), None, not only, shard)
    stems: list[str] = []
    for text in wanted:
        if not (found := _stems(text, probes)):
            choices = near(text, [row["probe"] for row in probes])
            raise ProbesheetsError(
                f"There is no probe {text!r}. {choices}\nTo list all probes, run: probesheets probes"
            )
        stems += found
    by_probe = tuple(kind for kind in kinds if kind.one_file_per == "file_stem")
    if only and len(by_probe) < len(kinds):
        without = ", ".join(kind.name for kind in kinds if kind not in by_probe)
        raise ProbesheetsError(f"{without} is not split by probe. Remove --probe, or name another kind with --only.")
    return Selection(by_probe, tuple(dict.fromkeys(stems)), everything=False)


def _stems(text: str, probes: Iterable[Mapping[str, Any]]) -> list[str]:
    """The file_stems of the probes with this text or file_stem; if there are none, * in it means any text."""
    exact = [row["file_stem"] for row in probes if text in (row["probe"], row["file_stem"])]
    if exact or "*" not in text:
        return exact
    pattern = re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)
    return [row["file_stem"] for row in probes if pattern.fullmatch(row["probe"])]


def check_columns(kind: Kind, warehouse: Warehouse) -> None:
    """Raises ProbesheetsError if the exposure names a column that its model lacks."""
    found = warehouse.columns(kind.relation)
    for name in (*kind.column_names, *kind.order_by):
        if name not in found:
            raise ProbesheetsError(
                f"Exposure {kind.name}: its model has no column {name!r}. {near(name, found, most=40)}"
            )
