"""Batches: which export may follow which in a folder, and which files it replaces."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from probesheets.errors import ProbesheetsError
from probesheets.export.sampling import Sample, as_options
from probesheets.export.selection import Selection
from probesheets.folder.manifest import CHANGED, DELIVERED, INDEX, Entry
from probesheets.folder.publish import Folder, check_name, check_place, open_folder


@dataclass(frozen=True)
class Batch:
    """One export into a folder: the first has plain names, the second STEM-batch2.xlsx, and so on."""

    number: int
    new: bool  # only what has not been delivered yet
    sample: Sample | None
    again: bool = False  # it replaces a batch that was stopped

    @property
    def suffix(self) -> str:
        return f"-batch{self.number}" if self.number > 1 else ""


def next_batch(folder: Folder, selection: Selection, new: bool, sample: Sample | None) -> Batch:
    """The batch that an export would write. Raises ProbesheetsError if it cannot follow those in the folder."""
    refuse_other_shard(folder, selection.shard)
    if new:
        refuse_other_deal(folder, sample)
    held = last_batch(folder)
    if new:
        stopped = not folder.manifest.complete
        again = stopped and (held > 1 or not folder.manifest.batches)
        if stopped and not again:
            raise ProbesheetsError(
                f"An export into {folder.path} was stopped. First run that command again to complete the folder. "
                "Then run this one again."
            )
        batch = Batch(max(held, 1) if again else held + 1, new, sample, again)
    else:
        refuse_mixture(folder, sample, everything=selection.everything)
        batch = Batch(1, new, sample)
    if new or not selection.everything:
        folder.check(replaced_files(folder, batch, {kind.name: selection.of(kind) for kind in selection.kinds}))
    folder.check([INDEX, DELIVERED, *(f"{kind.directory}/" for kind in selection.kinds if kind.directory)])
    return batch


def last_batch(folder: Folder) -> int:
    """The number of the last batch in the folder; 0 if there is none."""
    return max((entry.batch for entry in folder.manifest.files if entry.columns), default=0)


def refuse_mixture(folder: Folder, sample: Sample | None, *, everything: bool) -> None:
    """Raises ProbesheetsError if a plain export would mix with batches, samples or shorter file names in the folder."""
    held = last_batch(folder)
    if held > 1:
        raise ProbesheetsError(
            f"{folder.path} has {held} batches, and an export without --new would duplicate their records. Add --new "
            "to write only what has not been delivered yet, or choose another folder with --out."
        )
    drawn = next((batch.sample for batch in folder.manifest.batches if batch.batch == 1), None)
    wanted = sample.as_json() if sample else None
    if held and drawn != wanted and not (everything and drawn and wanted):
        has = f"a sample ({as_options(drawn)})" if drawn else "an export of all texts"
        raise ProbesheetsError(
            f"{folder.path} has {has}. {'This sample' if wanted else 'An export of all texts'} cannot be added to it. "
            "Add --new to write only what has not been delivered yet, or choose another folder with --out."
        )
    if everything:
        folder.check(folder.listed)
    elif folder.manifest.old_stems():
        raise ProbesheetsError(
            f"Version 1.0.0 wrote {folder.path}, with shorter file names: some workbooks would be duplicated. Remove "
            "--probe and --only to replace everything, add --new to write only what has not been delivered yet, or "
            "choose another folder with --out."
        )


def refuse_other_shard(folder: Folder, shard: str | None) -> None:
    """Raises ProbesheetsError if what the folder has is another shard, or is one and the export is not."""
    held = folder.manifest.shard
    if folder.listed and held != shard:
        has, added = (f"shard {some}" if some else "an export without --shard" for some in (held, shard))
        todo = f"export with --shard {held}" if held else "remove --shard"
        raise ProbesheetsError(
            f"{folder.path} has {has}; {added} cannot be added to it. Choose another folder with --out, or {todo}."
        )


def refuse_other_deal(folder: Folder, sample: Sample | None) -> None:
    """Raises ProbesheetsError if the folder was dealt to coders and the batch would not be, or with other columns."""
    held, deal = [some for some in folder.manifest.samples if "coders" in some], sample.deal if sample else None
    said = None
    if folder.listed and bool(held) != bool(deal):
        said = "was dealt to coders. Add --coders and a sample" if held else "was not dealt to coders. Remove --coders"
    elif held and deal and held[0].get("blind", False) != deal.blind:
        said = "was dealt without --blind. Remove --blind" if deal.blind else "was dealt with --blind. Add --blind"
    if said:
        raise ProbesheetsError(f"{folder.path} {said}, or choose another folder with --out.")


def refuse_folder(out: Path, new: bool) -> None:
    """Before a build that takes minutes, raises ProbesheetsError for a folder that the export would refuse."""
    check_name(out)
    check_place(out)
    if out.exists():
        with open_folder(out) as folder:
            refuse_other_shard(folder, None)
            if not new:
                refuse_mixture(folder, None, everything=True)


def with_columns_of(folder: Folder, selection: Selection, batch: Batch) -> Selection:
    """The selection with its columns in the order of the workbooks that the folder keeps.

    Raises ProbesheetsError if a batch would have other columns: NVivo would see another form of dataset.
    """
    held = {entry.kind: entry for entry in folder.manifest.files if entry.columns}
    ordered = {kind: kind.in_order(held[kind.name].columns) if kind.name in held else kind for kind in selection.kinds}
    fitting = "".join(f" --only {kind.name}" for kind, fits in ordered.items() if fits)
    for kind, fits in ordered.items():
        if not fits and batch.number > 1:
            entry, headers = held[kind.name], [column.header for column in kind.layout.columns]
            command = f"\nTo export the other kinds, run: probesheets export --new --out {folder.path}{fitting}"
            raise ProbesheetsError(
                f"{entry.path} has the columns {', '.join(entry.columns)}; this batch would have {', '.join(headers)}. "
                "All batches need the same columns: build with the same --vars, or choose another folder with --out."
                + (command if fitting else "")
            )
    return replace(selection, kinds=tuple(fits or kind for kind, fits in ordered.items()))


def replaced_files(folder: Folder, batch: Batch, groups: Mapping[str, Collection[str | None] | None]) -> set[str]:
    """Our files that an export rewrites or removes.

    They are those of the batch that it repeats, or of the given groups (None: of all groups) of each kind.
    """

    def is_replaced(entry: Entry) -> bool:
        if batch.new:
            return batch.again and entry.batch == batch.number
        some = groups.get(entry.kind, ())
        return some is None or entry.group in some

    return {INDEX, DELIVERED, CHANGED, *(entry.path for entry in folder.manifest.files if is_replaced(entry))}
