"""How long the rows of a source may be, so that a build can hold them in its memory."""

from probesheets.errors import ProbesheetsError
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
