"""Check the names of a source's columns."""

from collections.abc import Sequence

from probesheets.errors import ProbesheetsError, shown


def check_names(place: str, found: Sequence[str]) -> None:
    """Raises ProbesheetsError for columns that are repeated, or impossible in DuckDB."""
    if odd := [name for name in found if "\0" in name]:  # DuckDB would end the name there
        raise ProbesheetsError(f"{place}: the column name {odd[0][:40]!r} contains a NUL character. Rename the column.")
    lower = [name.lower() for name in found]  # databases ignore case in column names
    if repeated := sorted({name for name in found if lower.count(name.lower()) > 1}):
        raise ProbesheetsError(
            f"{place} has the column {', '.join(map(shown, repeated))} more than once. Keep one of them."
        )
