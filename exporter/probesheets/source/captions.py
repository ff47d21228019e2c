"""Read the captions of a .vtt or .srt file."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from probesheets.errors import ProbesheetsError
from probesheets.source.batches import registered, text_batch
from probesheets.source.files import Rows


@contextmanager
def open_captions(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], _: Sequence[str]) -> Iterator[Rows]:
    """A row per caption, in the order of the files: its text with all tags, start and end (HH:MM:SS.mmm)."""
    import webvtt
    from webvtt.errors import MalformedCaptionError, MalformedFileError

    rows = []
    for file in files:
        try:
            read = webvtt.from_srt if file.suffix.lower() == ".srt" else webvtt.read
            captions = read(str(file), "utf-8-sig").captions
            _refuse_lost_lines(file, [line for caption in captions for line in caption.raw_text.splitlines()])
            rows += [(None, caption.raw_text, caption.start, caption.end) for caption in captions]
        except (MalformedCaptionError, MalformedFileError, UnicodeDecodeError) as error:
            raise ProbesheetsError(
                f"{file} cannot be read as captions: {error or 'it is not WebVTT or SRT'}.\n"
                "Check the file, and save it as UTF-8."
            ) from None
    if not rows:
        raise ProbesheetsError(f"{files[0]} has no captions. Choose another file.")
    names = ["speaker", "text", "start", "end"]
    with registered(connection, [text_batch(names, rows)]):
        yield Rows("incoming", names, frozenset(), "transcript", "because it has captions")


def _refuse_lost_lines(file: Path, kept: Sequence[str]) -> None:
    """Raises ProbesheetsError for a line of text that webvtt-py passes over, such as one after a wrong time."""
    text = file.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    left, number = Counter(map(str.strip, kept)), 1
    for block in re.split(r"\n[ \t]*\n", text):
        lines = block.split("\n")
        times = next((place for place, line in enumerate(lines) if "-->" in line), -1)
        if times >= 0 or not re.match(r"\s*(WEBVTT|NOTE|STYLE|REGION)\b", block):
            for place, line in enumerate(lines):
                if place > times and line.strip() and not left[line.strip()]:
                    raise ProbesheetsError(
                        f"{file}, line {number + place}: {line.strip()[:60]!r} belongs to no caption, or its time is "
                        "wrong.\nA time is 00:01:02.500 --> 00:01:04.000 (in SRT, 00:01:02,500). Its text follows "
                        "without an empty line."
                    )
                left[line.strip()] -= place > times
        number += len(lines) + 1
