"""A sample to code: some texts of every probe (and month). The same ones on every engine and on every day."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from probesheets.errors import ProbesheetsError
from probesheets.export.selection import Selection
from probesheets.folder.manifest import Drawn
from probesheets.project.models import Project
from probesheets.warehouse import Warehouse, select


@dataclass(frozen=True)
class Sample:
    """`size` texts of every probe, or of every probe and month, drawn by a seed."""

    size: int
    per_month: bool
    seed: str

    @classmethod
    def asked(cls, size: int | None, per: str | None, seed: str | None) -> "Sample | None":
        """The sample that the options describe. Raises ProbesheetsError if they do not fit together."""
        if size is None:
            if per is not None or seed is not None:
                raise ProbesheetsError("--per and --seed need --sample, as in: --sample 20 --per month --seed 7")
            return None
        if per not in (None, "probe", "month"):
            raise ProbesheetsError(f"--per cannot be {per!r}. Valid: probe, month.")
        return cls(size, per == "month", seed or "0")

    def as_json(self) -> Drawn:
        return {"size": self.size, "per": "month" if self.per_month else "probe", "seed": self.seed}


def draw(project: Project, warehouse: Warehouse, sample: Sample, delivered: Collection[str]) -> pa.Array:
    """The text_ids of a sample, without texts that repeat another one and without those in `delivered` (Record IDs).

    The texts with the smallest SHA-256 of `seed:text_id` are drawn, so a smaller sample is part of a larger one.
    """
    columns = ("text_id", "record_id", "file_stem", "month", "duplicate_of")
    texts: dict[tuple[str, str | None], list[tuple[bytes, int]]] = defaultdict(list)
    for chunk in warehouse.stream(select(warehouse, project.relation("texts"), columns)):
        for text_id, record, stem, month, duplicate_of in zip(
            *(column.to_pylist() for column in chunk.columns), strict=True
        ):
            if duplicate_of is None and record not in delivered:
                digest = hashlib.sha256(f"{sample.seed}:{text_id}".encode()).digest()
                texts[stem, month if sample.per_month else None].append((digest, text_id))
    drawn = (text_id for some in texts.values() for _, text_id in sorted(some)[: sample.size])
    return pa.array(sorted(drawn), pa.int64())


def drawable(selection: Selection, warehouse: Warehouse, *, named: bool) -> Selection:
    """The kinds of a selection that can be sampled: those whose rows name the text that they belong to."""
    kinds = tuple(kind for kind in selection.kinds if "text_id" in warehouse.columns(kind.relation))
    if named and len(kinds) < len(selection.kinds):
        without = ", ".join(kind.name for kind in selection.kinds if kind not in kinds)
        raise ProbesheetsError(f"{without} has no column text_id and cannot be sampled. Remove --sample.")
    return replace(selection, kinds=kinds)


def shares(project: Project, probes: Sequence[Mapping[str, Any]], records: pa.Table) -> list[dict[str, Any]]:
    """For each probe, how many of its texts the folder has."""
    by_probe = [kind.name for kind in project.kinds.values() if kind.one_file_per == "file_stem"]
    texts = records.filter(pc.is_in(records["kind"], value_set=pa.array(by_probe, pa.string())))
    distinct = texts.group_by(["workbook", "record_id"]).aggregate([])
    held = Counter(distinct["workbook"].to_pylist())
    return [
        {
            "probe": probe["probe"],
            "file_stem": probe["file_stem"],
            "texts": int(probe["text_count"]),
            "drawn": held[probe["file_stem"]],
        }
        for probe in probes
    ]
