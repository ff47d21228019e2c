"""What an export did: a few lines for people, one JSON object for scripts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from probesheets.errors import counted, shortened, shown
from probesheets.export.batches import Batch
from probesheets.export.records import RowPicker
from probesheets.folder.manifest import CHANGED

_LISTED = 10
# the totals that are worth a sentence unless they are 0
_LIMITS = {
    "texts_too_long_for_links": "Texts with a run of more than 32,767 characters without a space, which was not "
    "searched for links: {:,}.",
    "cells_shortened": "Cells that were too long, so they were shortened and end in …: {:,}.",
    "cells_escaped": "Cells with text such as _x005F_, which openpyxl and pandas change when they read it: {:,}.",
    "cells_like_nothing": "Cells with the text NA, None, null or similar, which some programs read as empty: {:,}.",
}


@dataclass
class Report:
    """What was written into the folder `out`, by kind, and what happened to the records delivered earlier."""

    out: Path
    batch: Batch
    totals: dict[str, Any]
    pickers: list[RowPicker]
    everything: bool  # neither kinds nor probes were named
    notes: list[str]
    files: list[str] = field(default_factory=list)

    @property
    def new(self) -> dict[str, int]:
        """The number of records that were written, by kind."""
        return {picker.kind.name: picker.written for picker in self.pickers}

    @property
    def records(self) -> int:
        return sum(self.new.values())

    @property
    def changed(self) -> list[str]:
        """The Record IDs whose text differs from the one that was delivered."""
        return _ordered(record for picker in self.pickers for record in picker.changed)

    @property
    def gone(self) -> list[str]:
        """The Record IDs that were delivered and no longer exist."""
        return _ordered(record for picker in self.pickers for record in picker.unseen)

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
        limits = [said.format(self.totals[name]) for name, said in _LIMITS.items() if self.totals[name]]
        return "\n".join([*self.notes, self._first_line(), *limits, *self._change_lines()])

    def _first_line(self) -> str:
        out, new = shown(str(self.out)), self.new.items()
        written = ", ".join(f"{count:,} in {name}" for name, count in new) or "none"
        if self.batch.new and not self.records:
            return f"There is nothing new: {out} already has everything that you selected. No spreadsheet was written."
        files = f"{counted(len(self.files), 'file')} in {out}"
        if self.batch.new:
            return f"Wrote batch {self.batch.number}: {files}. New records: {written}."
        if self.batch.sample or not self.everything:
            return f"Wrote {files}. Records: {written}."
        totals, left_out = self.totals, {reason: count for reason, count in self.totals["left_out"].items() if count}
        reasons = f" ({', '.join(f'{reason}: {count:,}' for reason, count in left_out.items())})" if left_out else ""
        return (
            f"Exported {totals['texts']:,} of {counted(totals['text_rows'], 'text row')} to {files}, with "
            f"{counted(totals['links'], 'link')}. Left out: {counted(sum(left_out.values()), 'row')}{reasons}. "
            f"Dates that could not be read: {totals['dates_not_understood']:,}."
        )

    def _change_lines(self) -> list[str]:
        lines = [
            f"{counted(len(some), 'record')} {what} since delivery: {', '.join(map(shown, some[:_LISTED]))}"
            + (", …" if len(some) > _LISTED else ".")
            for what, some in (("changed", self.changed), ("disappeared", self.gone))
            if some
        ]
        if lines and self.files:
            lines.append(f"{shown(str(self.out / CHANGED))} lists them all.")
        return lines


def probes_table(probes: Sequence[Mapping[str, Any]]) -> str:
    """The rows of the model probes as a table for the terminal."""
    import pandas as pd

    columns = ["text_count", "link_count", "first_date", "last_date", "file_stem", "probe"]
    frame = pd.DataFrame(probes, columns=columns, dtype=object)
    frame.columns = pd.Index(["texts", "links", "first date", "last date", "workbook", "probe"])
    frame["probe"] = [shown(shortened(text, 100)) for text in frame["probe"]]
    widths = {name: max(map(len, frame[name])) for name in ("workbook", "probe")}
    formatters = {name: f"{{:<{width}}}".format for name, width in widths.items()}
    table = frame.fillna("-").to_string(index=False, justify="left", formatters=formatters)
    return "\n".join(line.rstrip() for line in table.splitlines())


def _ordered(records: Iterable[str]) -> list[str]:
    return sorted(set(records), key=lambda record: (len(record), record))
