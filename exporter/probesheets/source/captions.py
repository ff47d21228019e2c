"""Read the captions of a .vtt or .srt file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from probesheets.errors import ProbesheetsError
from probesheets.source.files import Rows, registered


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
            rows += [(None, caption.raw_text, caption.start, caption.end) for caption in captions]
        except (MalformedCaptionError, MalformedFileError, UnicodeDecodeError) as error:
            raise ProbesheetsError(
                f"{file} cannot be read as captions: {error or 'it is not WebVTT or SRT'}.\n"
                "Check the file, and save it as UTF-8."
            ) from None
    if not rows:
        raise ProbesheetsError(f"{files[0]} has no captions. Choose another file.")
    names = ["speaker", "text", "start", "end"]
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    with registered(connection, [pa.RecordBatch.from_arrays(columns, names=names)]):
        yield Rows("incoming", names, frozenset(), "transcript", "because it has captions")
