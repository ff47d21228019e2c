"""A sample to code: some texts of every probe (and month). The same ones on every engine and on every day."""

import hashlib
import shlex
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from heapq import merge
from itertools import islice
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from probesheets.errors import ProbesheetsError
from probesheets.export.dealing import Deal
from probesheets.export.selection import Selection
from probesheets.folder.manifest import Drawn
from probesheets.project.models import Project
from probesheets.warehouse import Warehouse, select

Group = tuple[str, str]  # file_stem, and the month or ""


@dataclass(frozen=True)
class Sample:
    """`size` texts of every probe (and month), or `size` texts in all, drawn by a seed."""

    size: int
    per_month: bool
    seed: str
    in_all: bool = False
    deal: Deal | None = None

    @classmethod
    def asked(
        cls, size: int | None, total: int | None, per: str | None, seed: str | None, deal: Deal | None = None
    ) -> "Sample | None":
        """The sample that the options describe. Raises ProbesheetsError if they do not fit together."""
        if size and total:
            raise ProbesheetsError("--sample is for every probe, --sample-total for all together. Remove one of them.")
        number = size or total
        if number is None:
            if per is not None or seed is not None:
                raise ProbesheetsError("--per and --seed need a sample, as in: --sample 20 --per month --seed 7")
            if deal:
                raise ProbesheetsError(f"--coders needs a sample, as in: --sample 200 --coders {','.join(deal.coders)}")
            return None
        if per not in (None, "probe", "month"):
            raise ProbesheetsError(f"--per cannot be {per!r}. Valid: probe, month.")
        return cls(number, per == "month", seed or "0", total is not None, deal)

    def as_json(self) -> Drawn:
        drawn: Drawn = {"size": self.size, "per": "month" if self.per_month else "probe", "seed": self.seed}
        more = {"in_all": True} if self.in_all else {}
        return cast(Drawn, {**drawn, **more, **(self.deal.as_json() if self.deal else {})})


def as_options(drawn: Drawn) -> str:
    """The options that ask for this sample."""
    option = "--sample-total" if drawn.get("in_all") else "--sample"
    sample = f"{option} {drawn['size']} --per {drawn['per']} --seed {shlex.quote(drawn['seed'])}"
    if "coders" not in drawn:
        return sample
    coders = f" --coders {shlex.quote(','.join(drawn['coders']))} --overlap {drawn['overlap']}"
    return sample + coders + " --codebook FILE" * ("codes" in drawn) + " --blind" * drawn.get("blind", False)


def draw(project: Project, warehouse: Warehouse, sample: Sample, delivered: Collection[str]) -> list[int]:
    """The text_ids of a sample, without texts that repeat another one and without those in `delivered` (Record IDs).

    The texts with the smallest SHA-256 of `seed:text_id` are drawn, so a smaller sample is part of a larger one.
    Raises ProbesheetsError for a total that is smaller than the number of probes (and months).
    """
    query = select(warehouse, project.relation("texts"), ("text_id", "record_id", "file_stem", "month"))
    texts: dict[Group, list[tuple[bytes, int]]] = defaultdict(list)
    for chunk in warehouse.stream(query + " where duplicate_of is null"):
        for text_id, record, stem, month in zip(*(column.to_pylist() for column in chunk.columns), strict=True):
            if record not in delivered:
                digest = hashlib.sha256(f"{sample.seed}:{text_id}".encode()).digest()
                texts[stem, (month or "") if sample.per_month else ""].append((digest, text_id))
    sizes = {group: len(some) for group, some in texts.items()}
    shares = divide(sizes, sample.size) if sample.in_all else dict.fromkeys(sizes, sample.size)
    return [text_id for group in sorted(texts) for _, text_id in sorted(texts[group])[: shares[group]]]


def divide(sizes: Mapping[Group, int], total: int) -> dict[Group, int]:
    """How many of `total` texts each group gets: one, and further ones by Sainte-Laguë's rule.

    The rule gives one text after the other, each to the group with the largest size / (2 x texts so far + 1), so a
    smaller total is part of a larger one. Equal groups get theirs in the order of their names.
    """
    if total < len(sizes):
        raise ProbesheetsError(
            f"--sample-total {total} is too small: every probe (with --per month, every probe and month) gets at "
            f"least one text. Give at least {len(sizes)}."
        )

    def further(group: Group, size: int) -> Iterator[tuple[Fraction, Group]]:
        return ((-Fraction(size, 2 * held + 1), group) for held in range(1, size))

    queue = merge(*(further(*each) for each in sizes.items()))
    return Counter([*sizes, *(group for _, group in islice(queue, total - len(sizes)))])


def drawable(selection: Selection, warehouse: Warehouse, *, named: bool) -> Selection:
    """The kinds of a selection that can be sampled: those whose rows name the text that they belong to."""
    kinds = tuple(kind for kind in selection.kinds if "text_id" in warehouse.columns(kind.relation))
    if named and len(kinds) < len(selection.kinds):
        without = ", ".join(kind.name for kind in selection.kinds if kind not in kinds)
        raise ProbesheetsError(f"{without} has no column text_id and cannot be sampled. Name other kinds with --only.")
    return replace(selection, kinds=kinds)


def shares(
    project: Project, warehouse: Warehouse, probes: Sequence[Mapping[str, Any]], records: pa.Table
) -> list[dict[str, Any]]:
    """For each probe, how many of its texts the folder has."""
    held, delivered = Counter[str](), pc.unique(records["record_id"])
    for chunk in warehouse.stream(select(warehouse, project.relation("texts"), ("record_id", "file_stem"))):
        known = chunk.filter(pc.is_in(chunk["record_id"].cast(pa.string()), value_set=delivered))
        held.update(known["file_stem"].to_pylist())
    return [
        {
            "probe": probe["probe"],
            "file_stem": probe["file_stem"],
            "texts": int(probe["text_count"]),
            "drawn": held[probe["file_stem"]],
        }
        for probe in probes
    ]
