"""A sample to code: some texts of every probe (and month), the same ones on every engine and every day."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from probesheets.errors import ProbesheetsError
from probesheets.export.selection import Selection
from probesheets.project.models import Project
from probesheets.warehouse import Warehouse, select


@dataclass(frozen=True)
class Sample:
    """So many texts of every probe, or of every probe and month, chosen by a seed."""

    size: int
    per_month: bool
    seed: str

    @classmethod
    def asked(cls, size: int | None, per: str | None, seed: str | None) -> "Sample | None":
        """The sample that the options ask for. Raises ProbesheetsError if they do not go together."""
        if size is None:
            if per is not None or seed is not None:
                raise ProbesheetsError("--per and --seed go with --sample, as in: --sample 20 --per month --seed 7")
            return None
        if per not in (None, "probe", "month"):
            raise ProbesheetsError(f"There is no --per {per!r}. Valid: probe, month.")
        return cls(size, per == "month", seed or "0")

    def described(self) -> str:
        every = "probe and month" if self.per_month else "probe"
        return f"{self.size:,} texts of every {every}, seed {self.seed}"

    def as_json(self) -> dict[str, Any]:
        return {"size": self.size, "per": "month" if self.per_month else "probe", "seed": self.seed}


def draw(project: Project, warehouse: Warehouse, sample: Sample, delivered: Collection[str]) -> pa.Array:
    """The text_ids of a sample; none of a text that repeats another, none whose record_id is in `delivered`.

    Those with the smallest SHA-256 of `seed:text_id` are drawn, so a smaller sample is part of a larger one.
    """
    columns = ("text_id", "record_id", "file_stem", "month", "duplicate_of")
    texts: dict[tuple[str, str | None], list[tuple[bytes, int]]] = defaultdict(list)
    for batch in warehouse.batches(select(warehouse, project.relation("texts"), columns)):
        for text_id, record, stem, month, duplicate_of in zip(
            *(column.to_pylist() for column in batch.columns), strict=True
        ):
            if duplicate_of is None and record not in delivered:
                digest = hashlib.sha256(f"{sample.seed}:{text_id}".encode()).digest()
                texts[stem, month if sample.per_month else None].append((digest, text_id))
    drawn = (text_id for some in texts.values() for _, text_id in sorted(some)[: sample.size])
    return pa.array(sorted(drawn), pa.int64())


def drawable(selection: Selection, warehouse: Warehouse, *, named: bool) -> Selection:
    """The kinds of a selection that a sample can be drawn for: those that say which text each row belongs to."""
    kinds = tuple(kind for kind in selection.kinds if "text_id" in warehouse.columns(kind.relation))
    if named and len(kinds) < len(selection.kinds):
        without = ", ".join(kind.name for kind in selection.kinds if kind not in kinds)
        raise ProbesheetsError(f"{without} has no column text_id, so no sample of it can be drawn. Leave --sample out.")
    return replace(selection, kinds=kinds)


def shares(project: Project, probes: Sequence[Mapping[str, Any]], records: pa.Table) -> list[dict[str, Any]]:
    """How many texts of each probe a folder holds, of how many."""
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
