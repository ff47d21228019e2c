"""Write Arrow record batches as .qdpx files, the projects of REFI-QDA 1.5. Knows no database and no dbt.

A project is a zip with a text file for each source, and project.qde, XML that describes them. All that grows with the
number of texts is on disk, so memory does not.
"""

import hashlib
import shutil
import struct
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from uuid import NAMESPACE_URL, uuid5
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa

from probesheets.workbooks.cells import TEXT, typed_columns
from probesheets.workbooks.container import CHUNK_BYTES, DEFLATE, LEVEL, ZIP32, Written, file_name, zip_headers
from probesheets.workbooks.layout import Layout, check
from probesheets.workbooks.write import slices

NAMESPACE = "urn:QDA-XML:project:1.0"
PROJECT, SOURCES = "project.qde", "sources"
_MANY = 0xFFFF  # entries of a zip; with so many, its end is ZIP64
_Record = tuple[str | None, str, str, list[tuple[str, str, str]]]


def write_projects(
    chunks: Iterable[pa.RecordBatch],
    layout: Layout,
    directory: Path,
    *,
    group_by: str | None,
    default_name: str,
    created: datetime,
    suffix: str = "",
) -> Iterator[Written]:
    """Write one project per value of `group_by`, or DEFAULT_NAME.qdpx; yield each when it is complete.

    As `write_workbooks`, but without `created`, and no text is divided or shortened. The first column names a source,
    the long text is its text, and each other column is a variable.
    """
    check(layout)
    types: dict[str, str] = {}
    for group, records in groupby(_records(chunks, layout, group_by, types), itemgetter(0)):
        path = directory / file_name((default_name if group is None else group) + suffix, 1, "qdpx")
        try:
            count = _write(path, layout, records, types)
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        yield Written(path, group, 1, count, count, 0, 0, 0, digest)


def _records(
    chunks: Iterable[pa.RecordBatch], layout: Layout, group_by: str | None, types: dict[str, str]
) -> Iterator[_Record]:
    """For each record its group, first column and text, and (header, type, value) of the variables with a value.

    Puts the type of each variable into `types`, by header, in the order of the columns.
    """
    key, long = layout.columns[0].name, layout.long_text
    for chunk in slices(chunks):
        columns = typed_columns(chunk, layout, group_by)
        texts = {name: array.cast(TEXT).to_pylist() for name, array in columns.items()}
        variables = [column for column in layout.columns if column.name not in (key, long)]
        types |= {column.header: _type(columns[column.name].type) for column in variables}
        for row in range(chunk.num_rows):
            every = ((column.header, types[column.header], texts[column.name][row]) for column in variables)
            group, text = (texts[name][row] if name else None for name in (group_by, long))
            yield group, texts[key][row], text or "", [value for value in every if value[2] is not None]


def _type(kind: pa.DataType) -> str:
    return "Integer" if pa.types.is_integer(kind) else "Date" if pa.types.is_date(kind) else "Text"


@cache
def guid(what: str, name: str) -> str:
    """The GUID of a code, variable or user, the same in every project. In upper case, because some programs need it."""
    return source_guid(f"{what} {name}")


def source_guid(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"probesheets {name}")).upper()


def _write(path: Path, layout: Layout, records: Iterable[_Record], types: dict[str, str]) -> int:
    """Write a project; returns the number of its sources."""
    with path.open("xb") as file, TemporaryFile(dir=path.parent) as xml, TemporaryFile(dir=path.parent) as directory:
        archive = _Zip(file, directory)
        for _, record, text, values in records:
            source = source_guid(f"source {record}")
            archive.add(f"{SOURCES}/{source}.txt", [text.encode()])
            xml.write(_source(source, record, values).encode())
        count = archive.count
        xml.seek(0)
        rest = iter(lambda: xml.read(CHUNK_BYTES), b"")
        archive.add(PROJECT, (block for some in ([_head(layout, path.stem, types)], rest, [_TAIL]) for block in some))
        archive.close()
    return count


_TAIL = b"</Sources>\n</Project>\n"


def _head(layout: Layout, name: str, types: dict[str, str]) -> bytes:
    """The XML before the sources. A user is there only if the project is for one: QualCoder takes its name."""
    users = [f"<User guid={quoteattr(guid('user', user))} name={quoteattr(user)}/>" for user in layout.coders]
    codes = [
        f'<Code guid="{guid("code", code)}" name={quoteattr(code)} isCodable="true">'
        + (f"<Description>{escape(meaning)}</Description>" if meaning else "")
        + "</Code>"
        for code, meaning in layout.codes
    ]
    variables = [
        f'<Variable guid="{guid("variable", header)}" name={quoteattr(header)} typeOfVariable="{kind}"/>'
        for header, kind in types.items()
    ]
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<Project xmlns="{NAMESPACE}" name={quoteattr(name)} origin="probesheets">',  # QualCoder needs an origin
        *(["<Users>", *users, "</Users>"] if users else []),
        *(["<CodeBook>", "<Codes>", *codes, "</Codes>", "</CodeBook>"] if codes else []),
        *(["<Variables>", *variables, "</Variables>"] if variables else []),
        "<Sources>",
        "",
    ]
    return "\n".join(parts).encode()


def _source(source: str, record: str, values: Iterable[tuple[str, str, str]]) -> str:
    variables = (
        f'<VariableValue><VariableRef targetGUID="{guid("variable", header)}"/>'
        f"<{kind}Value>{escape(value)}</{kind}Value></VariableValue>"
        for header, kind, value in values
    )
    place = f'plainTextPath="internal://{source}.txt"'  # not in the XML, where QualCoder does not read it
    return f'<TextSource guid="{source}" name={quoteattr(record)} {place}>{"".join(variables)}</TextSource>\n'


class _Zip:
    """A zip that is being written. Its directory is in a file, too, until `close`."""

    def __init__(self, file: IO[bytes], directory: IO[bytes]) -> None:
        self._file, self._directory, self.count = file, directory, 0

    def add(self, name: str, blocks: Iterable[bytes]) -> None:
        file, start, crc, size = self._file, self._file.tell(), 0, 0
        file.write(zip_headers(name, start, 0, 0, 0)[0])  # until the sizes are known
        body, deflater = file.tell(), DEFLATE.compressobj(LEVEL, zlib.DEFLATED, -15)
        for block in blocks:
            crc, size = DEFLATE.crc32(block, crc), size + len(block)
            file.write(deflater.compress(block))
        file.write(deflater.flush())
        end = file.tell()
        if max(size, end) > ZIP32:
            raise ValueError("a project would exceed 4 GiB. Set one_file_per to divide its texts.")
        local, central = zip_headers(name, start, crc, end - body, size)
        file.seek(start)
        file.write(local)
        file.seek(end)
        self._directory.write(central)
        self.count += 1

    def close(self) -> None:
        start = self._file.tell()
        self._directory.seek(0)
        shutil.copyfileobj(self._directory, self._file)
        end, count = self._file.tell(), self.count
        if count >= _MANY:
            self._file.write(struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, end - start, start))
            self._file.write(struct.pack("<4sLQL", b"PK\6\7", 0, end, 1))
        count = min(count, _MANY)
        self._file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, end - start, start, 0))
