"""The dbt seeds codings.csv and codebook.csv: what coders have sent back, and the codes that count."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from probesheets.errors import ProbesheetsError, counted

COLUMNS = ["coder", "file", "place", "record", "text_sha256", "text_length"]
COLUMNS += ["round", "code", "start_position", "end_position"]
CODINGS, CODEBOOK = "seeds/codings.csv", "seeds/codebook.csv"
Row = dict[str, str]


def read(file: Path, columns: Sequence[str]) -> list[Row]:
    """The rows of a seed; none if there is no file. Raises ProbesheetsError if it is not CSV with these columns."""
    if not file.is_file():
        return []
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream, strict=True)
            found = list(rows)
        if list(rows.fieldnames or ()) != list(columns) or any(None in (*row, *row.values()) for row in found):
            raise ValueError(f"it must have the columns {','.join(columns)} in each row")
    except (ValueError, csv.Error) as error:
        raise ProbesheetsError(f"{file} cannot be read: {error}. Correct the file, or restore it with git.") from None
    return found


def write(file: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Replace a seed at once."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    file.parent.mkdir(exist_ok=True)
    staged = file.with_name(f"{file.name}.new")
    staged.write_text(text.getvalue(), encoding="utf-8", newline="")
    staged.replace(file)


def record_of(record: str) -> str:
    """The record that a piece of a long text belongs to: T5-2 is a piece of T5."""
    return record.partition("-")[0]


def united(held: list[Row], new: list[Row], *, replace: bool) -> list[Row]:
    """The rows, with new ones in the place of those of the same coder and file.

    Raises ProbesheetsError if a coder has coded a record differently in another file, unless `replace` is set: then the
    new rows take the place of those about this record.
    """
    files = {(row["coder"], row["file"]) for row in new}
    kept = [row for row in held if (row["coder"], row["file"]) not in files]
    before, now = _codes(kept), _codes(new)
    differing = {key for key in now if key in before and before[key] != now[key]}
    if differing and not replace:
        coder, record = min(differing, key=lambda key: (key[0], len(key[1]), key[1]))
        said = [", ".join(sorted(codes[coder, record])) or "no code" for codes in (before, now)]
        other = next(row["file"] for row in kept if (row["coder"], record_of(row["record"])) == (coder, record))
        raise ProbesheetsError(
            f"{coder} has coded {counted(len(differing), 'record')} differently in two files. One of them is {record}: "
            f"{said[0]} in {other}, {said[1]} in {new[0]['file']}. To count what is in the second file, add --replace."
        )
    return [row for row in kept if (row["coder"], record_of(row["record"])) not in differing] + new


def _codes(rows: Iterable[Row]) -> dict[tuple[str, str], set[str]]:
    """The codes of each coder and record."""
    found: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        found.setdefault((row["coder"], record_of(row["record"])), set()).update([row["code"]] if row["code"] else [])
    return found
