"""Read a codebook: a CSV file with the names of codes and what they mean."""

import csv
from pathlib import Path

from probesheets.errors import ProbesheetsError
from probesheets.project.kinds import CODE
from probesheets.workbooks.layout import Column, Layout, check

_EXAMPLE = "It needs a column code with the names of the codes, and may have a column description."
REFUSED = ("null", "(all codes)")  # dbt reads the first as an empty value; the other names a row of the agreement


def read_codebook(file: Path | None) -> list[tuple[str, str]]:
    """The codes of a file and their descriptions, in its order. Raises ProbesheetsError if it is no codebook."""
    if file is None:
        return []
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            separator = max(",;\t", key=stream.readline().count)
            stream.seek(0)
            rows = list(csv.DictReader(stream, delimiter=separator, strict=True))
        if not rows or "code" not in rows[0]:
            raise ValueError(f"its columns are {', '.join(map(str, rows[0]))}" if rows else "it has no rows")
        if wrong := next((row for row in rows if None in row), None):
            raise ValueError(f"the row of {wrong['code']!r} has more cells than the header; put its texts into quotes")
        codes = [((row["code"] or "").strip(), (row.get("description") or "").strip()) for row in rows]
        for name, _ in codes:
            if not name or ";" in name or name.casefold() in REFUSED:
                raise ValueError(f"a code cannot have the name {name!r}")
        check(Layout("Codes", tuple(Column(f"code {place}", CODE + name) for place, (name, _) in enumerate(codes, 1))))
    except (OSError, ValueError, csv.Error) as error:
        raise ProbesheetsError(f"The codebook {file} cannot be used: {error}. {_EXAMPLE}") from None
    return codes
