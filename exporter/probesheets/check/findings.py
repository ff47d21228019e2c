"""What `run` would meet, before anything is built; each finding says what to do.

What would stop a build at its start is said by the macros that stop it (macros/project/prepare_source.sql).
"""

import os
import platform
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from probesheets.check.rights import missing_rights
from probesheets.check.survey import EXAMPLES, Survey, server_version, survey
from probesheets.errors import ProbesheetsError, near, shown
from probesheets.project.build import find_faults, installed, read_variables
from probesheets.project.models import read_kinds
from probesheets.source.copy import replace_copy
from probesheets.warehouse import DuckDB, Server, Warehouse, database_file, schemas

_TAGS = 8  # that are listed


@dataclass(frozen=True)
class Finding:
    """`ok`, `look` (run goes through, but one should know) or `STOP` (run would fail); and what to do."""

    level: str
    text: str
    todo: str = ""

    def __str__(self) -> str:
        return f"{self.level:<5} {self.text}" + "".join(f"\n      {line}" for line in self.todo.splitlines())


Faults = Callable[..., list[Finding]]  # what dbt says of a place, given its environment variables


def check(root: Path, target: str, variables: str, source: str | None, experiments: Path | None) -> list[Finding]:
    """Look at versions, settings, source, tags, dates, probes and rights. `variables` are the --vars."""
    findings, settings = [_versions(target)], read_variables(root, variables)
    faults = partial(_faults, root, target, variables)
    try:
        if target == "duckdb":
            findings += _check_copy(root, source, experiments, faults, settings)
        else:
            findings += _check_server(target, faults, settings)
    except ProbesheetsError as error:
        findings.append(_stop(str(error)))
    return findings


def _stop(message: str) -> Finding:
    first, *others = message.splitlines()
    return Finding("STOP", first, "\n".join(others))


def _versions(target: str) -> Finding:
    packages = ["probesheets", "dbt-core", *(["dbt-duckdb", "duckdb"] if target == "duckdb" else ["dbt-mysql"])]
    found = {package: installed(package) for package in packages}
    listed = ", ".join(f"{package} {version}" for package, version in found.items() if version)
    return Finding("ok", f"Python {platform.python_version()}, {listed}")


def _faults(root: Path, target: str, variables: str, **environment: str) -> list[Finding]:
    """What a build would stop for at its start, and the kinds of spreadsheet that an export would refuse."""
    answer = find_faults(root, target, variables, environment)
    findings = [_stop(fault) for fault in answer["faults"]]
    try:
        list(read_kinds(answer["kinds"]))
    except ProbesheetsError as error:
        findings.append(_stop(str(error)))
    return findings


# --- where the source is


def check_place(root: Path, target: str, *, copying: bool) -> None:
    """Raises ProbesheetsError unless dbt can work where the models will be: what dbt's own errors do not make clear."""
    if target == "duckdb":
        _check_database(root, copying)
    else:
        with closing(Server(target)) as server:
            _check_mode(server)


def _check_mode(server: Server) -> None:
    [(sql_mode,)] = server.rows("select @@sql_mode")
    if "ORACLE" in sql_mode.split(","):
        raise ProbesheetsError(
            "The server's sql_mode holds ORACLE, in which dbt cannot work.\n"
            "Ask who runs the server to take it out: set global sql_mode = ...\n"
            "To read the source into DuckDB instead, run: probesheets run --source mysql://user@host:port/schema"
        )


def _check_database(root: Path, copying: bool) -> None:
    """The DuckDB file may not be there yet."""
    named, file = os.environ.get("PROBESHEETS_DUCKDB", "probesheets.duckdb"), database_file(root)
    # dbt takes what begins like a URL for another database; the file's name becomes the name of a catalog in its SQL
    if re.match(r":|\w\w+:|$", named) or re.search("[\"';#\n]|^(main|temp|system)(\\.[^.]*)?$", file.name, re.I):
        raise ProbesheetsError(
            f"PROBESHEETS_DUCKDB must name a file that dbt can use, and not {named!r}.\n"
            "Its name may not be main, temp or system, nor hold a quotation mark, ; or #. Name it probesheets.duckdb."
        )
    try:
        if not file.exists() and not os.access(file.parent, os.W_OK):
            raise duckdb.IOException(f"{file.parent} is no folder that can be written")
        if file.exists():
            with duckdb.connect(str(file)) as connection:
                views = "select view_name from duckdb_views() where view_name in ('table_output', 'table_experiment')"
                if copying and (found := connection.execute(views).fetchone()):
                    raise duckdb.CatalogException(f"{found[0]} is a view in it")
    except duckdb.Error as error:
        raise ProbesheetsError(
            f"{file} cannot be opened for writing: {str(error).splitlines()[0]}\n"
            "Close the program that uses it, or name another file in PROBESHEETS_DUCKDB."
        ) from None


def _check_copy(
    root: Path, source: str | None, experiments: Path | None, faults: Faults, settings: Mapping[str, Any]
) -> Iterator[Finding]:
    """A source to be copied, else the copy that is there, else the bundled sample."""
    _check_database(root, copying=source is not None)
    database = database_file(root)
    if source is None and database.is_file():
        with closing(DuckDB(database)) as warehouse:
            copied = bool(_columns(warehouse, "main.table_output"))
        if copied:
            yield Finding("ok", f"The copy of the source in {database} can be read.")
            yield from _check_duckdb(database, faults, settings)
            return
    if source is None:
        yield Finding("look", "There is no copy of a source yet: run takes the bundled sample.", "Yours: --source FILE")
        source = str(root / "sample" / "table_output.csv")
        experiments = root / "sample" / "table_experiment.csv"
    with tempfile.TemporaryDirectory(prefix="probesheets-") as folder:
        copy = Path(folder) / "check.duckdb"
        yield Finding("ok", replace_copy(copy, source, experiments).replace("Copied", "Read"))
        yield from _check_duckdb(copy, faults, settings)


def _check_duckdb(database: Path, faults: Faults, settings: Mapping[str, Any]) -> Iterator[Finding]:
    found = faults(PROBESHEETS_DUCKDB=str(database))
    yield from found
    if not found:
        with closing(DuckDB(database)) as warehouse:
            yield from _check_content(warehouse, "main", settings)


def _check_server(target: str, faults: Faults, settings: Mapping[str, Any]) -> Iterator[Finding]:
    with closing(Server(target)) as server:
        stated = server_version(server)
        yield Finding("ok", f"The server answers: {'MariaDB' if 'mariadb' in stated.lower() else 'MySQL'} {stated}")
        _check_mode(server)
        source, schema = schemas()
        found = faults()
        yield from found
        if missing := missing_rights(server, schema):
            text = f"The user may not build in the schema {schema}: {', '.join(missing)} is missing."
            todo = f"Ask who runs the server to create {schema} and to grant ALL on it to this user.\nThe server says: "
            todo += shown(next(iter(missing.values())))
            yield Finding("STOP", text, todo)
        else:
            yield Finding("ok", f"The user may build in the schema {schema}.")
        if not found:
            yield from _check_content(server, "`" + source.replace("`", "``") + "`", settings)


def _columns(warehouse: Warehouse, relation: str) -> list[str]:
    try:
        return warehouse.columns(relation)
    except ProbesheetsError:
        return []


# --- what it holds


def _check_content(warehouse: Warehouse, schema: str, settings: Mapping[str, Any]) -> Iterator[Finding]:
    text_tag, date_tag = str(settings["text_tag"]), str(settings["date_tag"])
    if not _columns(warehouse, f"{schema}.table_experiment"):
        yield Finding(
            "look", "There is no table_experiment: model names stay empty.", "A file of it: --experiments FILE"
        )
    counts = survey(warehouse, f"{schema}.table_output", text_tag, date_tag)
    yield from _check_tags(counts, text_tag, date_tag, list(map(str, settings["extra_tags"])))
    yield from _check_dates(counts, date_tag)
    yield from _check_probes(counts)


def _check_tags(counts: Survey, text_tag: str, date_tag: str, extra: list[str]) -> Iterator[Finding]:
    used = {text_tag: "texts", date_tag: "dates", "raw": "raw", **dict.fromkeys(extra, "extra column")}
    ordered = sorted(counts.tags.items(), key=lambda item: -item[1])
    listed = [f"{shown(tag)} {count:,}" + (f" ({used[tag]})" if tag in used else "") for tag, count in ordered if tag]
    more = f", and {len(listed) - _TAGS} more" if len(listed) > _TAGS else ""
    yield Finding("ok", f"Tags and their rows: {', '.join(listed[:_TAGS])}{more}.")
    blank = f"; {counts.blank:,} of them are blank and will be listed in left_out" if counts.blank else ""
    yield Finding("ok", f"{counts.texts:,} text rows of {counts.probe_count:,} probes{blank}.")
    for tag in (date_tag, *extra):
        if tag not in counts.tags:
            yield Finding("look", f"No row has the tag {tag!r}.", near(tag, [name for name in counts.tags if name]))
    nearly = [name for name in counts.tags if name and name not in used and name.strip().casefold() in used]
    if nearly:
        todo = "Other case or spaces make another tag. Correct them in the source if they are meant."
        yield Finding("look", f"Tags that are nearly one in use: {_quoted(nearly)}. Their rows are not used.", todo)


def _check_dates(counts: Survey, date_tag: str) -> Iterator[Finding]:
    if counts.without_date:
        todo = "They are exported without a date; nothing is lost."
        text = f"{counts.without_date:,} of {counts.texts:,} texts have no row with the tag {date_tag!r}."
        yield Finding("look", text, todo)
    if odd := counts.odd_dates.total():
        text = f"{odd:,} of {counts.dates:,} dates are not understood, such as {_quoted(counts.odd_dates)}."
        yield Finding(
            "look", text, "They stay as text under Date as stored. Understood: 2020-03-05, 2020/3/5, 20200305."
        )
    elif counts.dates:
        yield Finding("ok", f"All {counts.dates:,} dates are understood.")


def _check_probes(counts: Survey) -> Iterator[Finding]:
    begin, rest = counts.beginnings, counts.beginnings["none"]
    text = f"{begin['exact'] + begin['flat']:,} texts begin with their probe, which is split off"
    text += f" ({begin['flat']:,} of them but for white space)" if begin["flat"] else ""
    if rest:
        yield Finding("look", f"{text}; {rest:,} do not.", "Their text is exported whole.")
    else:
        yield Finding("ok", f"{text}.")
    spaces, case = counts.alike()
    if case:
        todo = "Each gets workbooks of its own. Correct the probe in the source if they are meant to be one."
        yield Finding("look", f"Probes that differ by case alone ({len(case):,}): {_quoted(case[0])}.", todo)
    if spaces:
        todo = "They become one probe, with one workbook of each kind."
        yield Finding("look", f"Probes that differ by white space alone ({len(spaces):,}): {_quoted(spaces[0])}.", todo)


def _quoted(texts: Any) -> str:
    return ", ".join(repr(text if len(text) <= 40 else text[:39] + "…") for text in list(texts)[:EXAMPLES])
