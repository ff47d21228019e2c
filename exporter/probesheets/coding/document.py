"""A text in a coder's file."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Document:
    """A text: its Record ID, its place in the file, and (coder or None, code, start, end) of its codings."""

    record: str
    place: str
    text: str
    codings: list[tuple[str | None, str, int, int]] = field(default_factory=list)
