"""Read the database of a QualCoder project: NAME.qda/data.qda, in SQLite."""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from probesheets.errors import ProbesheetsError
from probesheets.refi_qda.read import Source

TESTED = "v17"  # of the database
_SPEAKERS = "📌 Speaker coding"  # the owner of what QualCoder marks by itself
_RECORD = re.compile(r"T[0-9]+(-[0-9]+)?")


def read_qualcoder(file: Path) -> Iterator[Source]:
    """The texts of a project. Its survey import gives a source another name, but calls its case by the Record ID.

    Raises ProbesheetsError if the database has another form.
    """
    if not file.is_file():
        raise ProbesheetsError(f"{file} does not exist. Give the folder of a QualCoder project, NAME.qda.")
    version = "of an unknown version"
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as database:
            version = database.execute("select databaseversion from project").fetchone()[0]
            yield from _documents(database)
    except (sqlite3.Error, TypeError) as error:
        raise ProbesheetsError(
            f"{file} is not like QualCoder's database {TESTED}: it is {version} ({error}). Open the project with a "
            "current QualCoder, which updates it. Then run the same command again."
        ) from None


def _documents(database: sqlite3.Connection) -> Iterator[Source]:
    cases: dict[int, list[str]] = defaultdict(list)
    codings: dict[int, list[tuple[str | None, str, int, int]]] = defaultdict(list)
    for source, name in database.execute("select fid, name from case_text join cases using (caseid)"):
        cases[source].append(name)
    for source, *coding in database.execute(
        "select fid, code_text.owner, code_name.name, pos0, pos1 from code_text join code_name using (cid) "
        "where code_text.owner is not ? order by fid, pos0, pos1",
        [_SPEAKERS],
    ):
        codings[source].append((coding[0], coding[1], coding[2], coding[3]))
    texts = database.execute("select id, name, fulltext from source where fulltext is not null order by id")
    for source, name, text in texts.fetchall():
        record = next((some for some in (name, *cases[source]) if _RECORD.fullmatch(some)), name)
        yield Source(record, f"source {name}", text, codings[source])
