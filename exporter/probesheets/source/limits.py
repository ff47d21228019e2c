"""What a source may not have: impossible or repeated column names, and rows that a build cannot hold in memory."""

from collections.abc import Sequence

from probesheets.errors import ProbesheetsError, shown
from probesheets.settings import memory
from probesheets.warehouse.base import CHUNK_ROWS

_COPIES, _CHUNK_COPIES = 64, 12  # a build takes about this many times the memory of a text, and of CHUNK_ROWS rows


def longest() -> int:
    """The largest size of a cell, in bytes."""
    return min(memory() // _COPIES, 10**9)  # two of them fit into an Arrow string array


def check_size(place: str, size: float) -> None:
    """Raises ProbesheetsError if a build cannot hold CHUNK_ROWS rows of `size` bytes together."""
    if size > memory() / _CHUNK_COPIES:
        needed = f"PROBESHEETS_MEMORY={size * _CHUNK_COPIES / 1e9 + 1:.0f}GB"
        raise ProbesheetsError(
            f"{place} has rows that are too long: {CHUNK_ROWS:,} of them contain {size / 1e6:,.0f} MB, and a build "
            f"needs {_CHUNK_COPIES} times as much memory. Run the command again with {needed}."
        )


def check_names(place: str, found: Sequence[str]) -> None:
    """Raises ProbesheetsError for columns that are repeated, or impossible in DuckDB."""
    if odd := [name for name in found if "\0" in name]:  # DuckDB would end the name there
        raise ProbesheetsError(f"{place}: the column name {odd[0][:40]!r} contains a NUL character. Rename the column.")
    lower = [name.lower() for name in found]  # databases ignore case in column names
    if repeated := sorted({name for name in found if lower.count(name.lower()) > 1}):
        raise ProbesheetsError(
            f"{place} has the column {', '.join(map(shown, repeated))} more than once. Keep one of them."
        )
