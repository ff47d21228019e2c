"""Shards such as 3/10: parts of an export that several machines write, each into a folder of its own. None is all.

The SHA-256 at the end of its file_stem decides in which shard a probe is. What is not split by probe is in shard 1.
"""

from probesheets.project.kinds import Kind
from probesheets.sql import quoted

_DIGITS = 16  # hexadecimal, of the SHA-256


def _edges(shard: str | None) -> tuple[str, str]:
    """The first digits of a shard, and those of the next one; all parts are equally large. "" is no limit."""
    number, of = map(int, (shard or "1/1").split("/"))
    low, high = (f"{-(-edge * 16**_DIGITS // of):0{_DIGITS}x}" for edge in (number - 1, number))
    return low if number > 1 else "", high if number < of else ""


def in_shard(file_stem: str, shard: str | None) -> bool:
    low, high = _edges(shard)
    return low <= file_stem[-_DIGITS:] and (not high or file_stem[-_DIGITS:] < high)


def rows_in_shard(kind: Kind, shard: str | None, quote: str) -> str:
    """The SQL condition for the rows of a kind; empty for all rows. Nulls are in shard 1, where they are an error."""
    low, high = _edges(shard)
    if kind.one_file_per != "file_stem":
        return "1 = 0" if low else ""
    digits = f"right(coalesce({quoted('file_stem', quote)}, ''), {_DIGITS})"
    return " and ".join([f"{digits} >= '{low}'"] * bool(low) + [f"{digits} < '{high}'"] * bool(high))


def is_first(shard: str | None) -> bool:
    return not _edges(shard)[0]
