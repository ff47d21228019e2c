"""What an export did: in a few lines for people, as one JSON object for scripts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from probesheets.errors import shown
from probesheets.export.batches import Batch, Passage
from probesheets.folder.manifest import CHANGED

_LISTED = 10


@dataclass
class Report:
    """What was written into the folder `out`, by kind, and what became of the records delivered earlier."""

    out: Path
    batch: Batch
    totals: dict[str, Any]
    passages: list[Passage]
    complete: bool  # neither kinds nor probes were named
    notes: list[str]
    files: list[str] = field(default_factory=list)

    @property
    def new(self) -> dict[str, int]:
        """How many records were written, by kind."""
        return {passage.kind.name: passage.written for passage in self.passages}

    @property
    def records(self) -> int:
        return sum(self.new.values())

    @property
    def changed(self) -> list[str]:
        """The Record IDs of what is another text now than the one that was delivered."""
        return _ordered(record for passage in self.passages for record in passage.changed)

    @property
    def gone(self) -> list[str]:
        """The Record IDs of what was delivered and is not there any more."""
        return _ordered(record for passage in self.passages for record in passage.unseen)

    def as_json(self) -> dict[str, Any]:
        return {
            "out": str(self.out),
            "files": self.files,
            "totals": self.totals,
            "batch": self.batch.number if self.records else None,
            "new": self.new,
            "changed": self.changed,
            "gone": self.gone,
        }

    def message(self) -> str:
        return "\n".join([*self.notes, self._first_line(), *self._limit_lines(), *self._change_lines()])

    def _first_line(self) -> str:
        out, written = shown(str(self.out)), ", ".join(f"{count:,} in {name}" for name, count in self.new.items())
        if self.batch.new and not self.records:
            return f"Nothing is new: {out} holds all that was asked for. No spreadsheet was written."
        if self.batch.new:
            drawn = f" ({self.batch.sample.described()})" if self.batch.sample else ""
            return f"Batch {self.batch.number} in {out}, {len(self.files)} files{drawn}. New records: {written}."
        if self.batch.sample:
            return f"{len(self.files)} files in {out}, a sample: {self.batch.sample.described()}. Records: {written}."
        if not self.complete:
            return f"{len(self.files)} files in {out}. Records: {written}."
        totals, left_out = self.totals, {reason: count for reason, count in self.totals["left_out"].items() if count}
        reasons = f" ({', '.join(f'{count:,} {reason}' for reason, count in left_out.items())})" if left_out else ""
        return (
            f"{len(self.files)} files in {out}: "
            f"{totals['texts']:,} of {totals['text_rows']:,} text rows are texts, "
            f"with {totals['links']:,} links; {sum(left_out.values()):,} rows left out{reasons}, "
            f"{totals['dates_not_understood']:,} dates not understood."
        )

    def _limit_lines(self) -> list[str]:
        """What a text or a cell was too long for, where there is such a one."""
        counted = {
            "texts_too_long_for_links": "texts have a run of more than 32,767 characters without a space, in which no "
            "links were looked for.",
            "cells_shortened": "cells were too long and end in …",
            "cells_escaped": "cells hold text such as _x005F_, which openpyxl and pandas do not show as it is.",
            "cells_like_nothing": "cells hold NA, None, null or the like as text, which some readers take for empty.",
        }
        return [f"{self.totals[name]:,} {said}" for name, said in counted.items() if self.totals[name]]

    def _change_lines(self) -> list[str]:
        lines = [
            f"{len(some):,} records {what} since they were delivered: {', '.join(map(shown, some[:_LISTED]))}"
            + (", …" if len(some) > _LISTED else ".")
            for what, some in (("have changed", self.changed), ("are gone", self.gone))
            if some
        ]
        if lines and self.files:
            lines.append(f"All of them are listed in {shown(str(self.out / CHANGED))}.")
        return lines


def probes_table(probes: Sequence[Mapping[str, Any]]) -> str:
    """The rows of the model probes as a table for people."""
    import pandas as pd

    columns = ["text_count", "link_count", "first_date", "last_date", "file_stem", "probe"]
    frame = pd.DataFrame(probes, columns=columns, dtype=object)
    frame.columns = pd.Index(["texts", "links", "first date", "last date", "workbook", "probe"])
    frame["probe"] = [shown(text) if len(text) <= 100 else shown(text[:99]) + "…" for text in frame["probe"]]
    widths = {name: max(map(len, frame[name])) for name in ("workbook", "probe")}
    formatters = {name: f"{{:<{width}}}".format for name, width in widths.items()}
    table = frame.fillna("-").to_string(index=False, justify="left", formatters=formatters)
    return "\n".join(line.rstrip() for line in table.splitlines())


def _ordered(records: Iterable[str]) -> list[str]:
    return sorted(set(records), key=lambda record: (len(record), record))
