"""Read a codebook: a CSV file with the names of codes and what they mean."""

import csv
from pathlib import Path

from probesheets.errors import ProbesheetsError

_EXAMPLE = "It needs a column code with the names of the codes, and may have a column description."


def read_codebook(file: Path | None) -> list[tuple[str, str]]:
    """The codes of a file and their descriptions, in its order. Raises ProbesheetsError if it is no codebook."""
    if file is None:
        return []
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            separator = max(",;\t", key=stream.readline().count)
            stream.seek(0)
            rows = list(csv.DictReader(stream, delimiter=separator, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ProbesheetsError(f"The codebook {file} cannot be read: {error}. {_EXAMPLE}") from None
    if not rows or "code" not in rows[0]:
        has = f"its columns are {', '.join(map(str, rows[0]))}" if rows else "it has no rows"
        raise ProbesheetsError(f"The codebook {file} has no codes: {has}. {_EXAMPLE}")
    codes = [((row["code"] or "").strip(), (row.get("description") or "").strip()) for row in rows]
    seen = set[str]()
    for number, (name, _) in enumerate(codes, 1):
        if said := fault_of_code(name) or ("is listed twice" if name.casefold() in seen else None):
            raise ProbesheetsError(f"The codebook {file}, code {number} of {len(codes)}: {name!r} {said}.")
        seen.add(name.casefold())
    return codes


def fault_of_code(name: str) -> str | None:
    """Why a code cannot have this name; None if it can."""
    if not name or not name.isprintable():
        return "must be one line with at least one character"
    if ";" in name:
        return "must not have a semicolon, which separates codes in a cell"
    return "must be renamed, because dbt reads it as empty" if name.casefold() == "null" else None
