"""The sample before it grew: what `export --new` finds in a folder, and what has changed since."""

from collections.abc import Mapping
from typing import Any

from tests.build import Source

NEW_ROOTS = range(280, 9_000)  # roots of the sample that its earlier state did not have
CHANGED, GONE = "T2", "T999001"  # record IDs: another text now, no text now


def earlier_source(sample: Source) -> Source:
    """The sample without its new texts, with another text CHANGED and the text GONE."""
    rows: list[Mapping[str, Any]] = []
    for row in sample.outputs:
        root = int(row["root_id"] or 0) or int(row["id"])
        if root not in NEW_ROOTS:
            rows.append({**row, "content": "Masks are gone."} if int(row["id"]) == 2 else row)
    model = next(row for row in rows if row["tag"] == "trimmed")
    rows.append({**model, "id": 999_001, "content": "Masks are a thing of the past."})
    return Source("earlier", rows, sample.experiments, sample.variables)
