"""What coders send back: a database of QualCoder, workbooks with codes typed in, projects of other programs."""

import contextlib
import sqlite3
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

import openpyxl

Coding = tuple[str, str, int, int]  # record, code, start, end
# the tables of QualCoder's database v17 that hold codings, with the columns that they have
SCHEMA = """
create table project (databaseversion text, date text, memo text, about text);
create table source (id integer primary key, name text, fulltext text, mediapath text, memo text, owner text, date text,
    av_text_id integer, risid integer, unique(name));
create table cases (caseid integer primary key, name text, memo text, owner text, date text, unique(name));
create table case_text (id integer primary key, caseid integer, fid integer, pos0 integer, pos1 integer, owner text,
    date text, memo text);
create table code_name (cid integer primary key, name text, memo text, catid integer, owner text, date text, color text,
    supercid integer, unique(name));
create table code_text (ctid integer primary key, cid integer, fid integer, seltext text, pos0 integer, pos1 integer,
    owner text, date text, memo text, avid integer, important integer, unique(cid, fid, pos0, pos1, owner));
insert into project values ('v17', '', '', '');
"""


def qualcoder_project(folder: Path, texts: Mapping[str, str], *, survey: bool = False) -> Path:
    """A project of QualCoder, NAME.qda, as after its import of a .qdpx, or of a survey: with cases and openings."""
    folder.mkdir()
    with contextlib.closing(sqlite3.connect(folder / "data.qda")) as database:
        database.executescript(SCHEMA)
        for number, (record, text) in enumerate(texts.items(), 1):
            name, fulltext = (f"{record}_Text", f"[Text]:\n{text}") if survey else (record, text)
            database.execute("insert into source (id, name, fulltext) values (?, ?, ?)", [number, name, fulltext])
            if survey:
                database.execute("insert into cases (caseid, name) values (?, ?)", [number, record])
                database.execute("insert into case_text (caseid, fid) values (?, ?)", [number, number])
        database.commit()
    return folder


def code_in_qualcoder(folder: Path, codings: Sequence[Coding], owner: str) -> None:
    """Code stretches of sources in the database of a project, as QualCoder does. The positions are of its own texts."""
    with contextlib.closing(sqlite3.connect(folder / "data.qda")) as database:
        for source, code, start, end in codings:
            database.execute("insert or ignore into code_name (name) values (?)", [code])
            database.execute(
                "insert into code_text (cid, fid, seltext, pos0, pos1, owner) "
                "select cid, id, substr(fulltext, ?, ?), ?, ?, ? from code_name, source "
                "where code_name.name = ? and source.name = ?",
                [start + 1, end - start, start, end, owner, code, source],
            )
        database.commit()


def type_codes(file: Path, codes: Mapping[str, Mapping[str, object]], *, more: str | None = None) -> None:
    """Type into the columns of codes: {record: {header: cell}}; `more` is the header of a column to add."""
    book = openpyxl.load_workbook(file)
    sheet = book.active
    if more:
        sheet.cell(1, sheet.max_column + 1, more)
    headers = [cell.value for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=2):
        for header, value in codes.get(str(row[0].value), {}).items():
            row[headers.index(header)].value = value
    book.save(file)


def foreign_project(file: Path, texts: Mapping[str, str], codings: Sequence[Coding], user: str, origin: str) -> Path:
    """A .qdpx as another program writes it: new GUIDs in lower case, a byte order mark, CR LF that positions count."""
    guids = {name: str(uuid.uuid4()) for name in [user, *texts, *(coding[1] for coding in codings)]}
    names = dict.fromkeys(coding[1] for coding in codings)
    codes = "".join(f'<Code guid="{guids[name]}" name={quoteattr(name)} isCodable="true"/>' for name in names)
    with zipfile.ZipFile(file, "w") as archive:
        sources = []
        for record, text in texts.items():
            selections = "".join(
                f'<PlainTextSelection guid="{uuid.uuid4()}" startPosition="{start}" endPosition="{end}" '
                f'creatingUser="{guids[user]}"><Coding guid="{uuid.uuid4()}">'
                f'<CodeRef targetGUID="{guids[code]}"/></Coding></PlainTextSelection>'
                for name, code, start, end in codings
                if name == record
            )
            sources.append(
                f'<TextSource guid="{guids[record]}" name={quoteattr(record)} '
                f'plainTextPath="internal://{guids[record]}.txt">{selections}</TextSource>'
            )
            archive.writestr(f"Sources/{guids[record]}.txt", text.encode("utf-8-sig"))
        archive.writestr(
            "project.qde",
            '<?xml version="1.0" encoding="utf-8"?><Project xmlns="urn:QDA-XML:project:1.0" name="p" '
            f"origin={quoteattr(origin)}>"
            f'<Users><User guid="{guids[user]}" name={quoteattr(user)}/></Users>'
            f"<CodeBook><Codes>{codes}</Codes></CodeBook><Sources>{''.join(sources)}</Sources></Project>",
        )
    return file
