"""What `run` would meet, before anything is built; each finding says what to do. It needs neither models nor dbt."""

import os
import platform
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from exporter.build import installed, missing_adapter
from exporter.errors import ProbesheetsError, near
from exporter.rights import missing_rights
from exporter.source import EXPERIMENT_COLUMNS, OUTPUT_COLUMNS, replace_copy
from exporter.survey import EXAMPLES, Survey, server_version, survey
from exporter.warehouse import DuckDB, Server, Warehouse, database_file, schemas

_OLDEST = {"MariaDB": (10, 6), "MySQL": (8, 0, 17)}
# fmt: off
TAKEN = (  # by columns of the model texts
    "record_id", "text_id", "root_id", "experiment_id", "model_name", "probe", "file_stem", "date", "date_text",
    "date_match", "month", "text", "starts_with_probe", "link_count", "duplicate_of",
)
# fmt: on
_NAME = re.compile(r'[^!^&<.:#"`\s](?:[^"`\n\t]{0,61}[^"`\s])?')  # of a column, as macros/check_names.sql has it
_TAGS = 8  # that are listed


@dataclass(frozen=True)
class Finding:
    """`ok`, `look` (run goes through, but one should know) or `STOP` (run would fail); and what to do."""

    level: str
    text: str
    todo: str = ""

    @property
    def fails(self) -> bool:
        return self.level == "STOP"

    def as_json(self) -> dict[str, str]:
        return {"level": self.level, "text": self.text, "todo": self.todo}

    def __str__(self) -> str:
        return f"{self.level:<5} {self.text}" + "".join(f"\n      {line}" for line in self.todo.splitlines())


def check(
    root: Path, target: str, source: str | None, experiments: Path | None, settings: Mapping[str, Any]
) -> list[Finding]:
    """Look at versions, source, tags, dates, probes and rights; `settings` are the project's variables."""
    findings = [*_versions(target), *_check_names(settings, _headers(root))]
    try:
        if target == "duckdb":
            findings += _check_copy(root, source, experiments, settings)
        else:
            findings += _check_server(target, settings)
    except ProbesheetsError as error:
        first, *others = str(error).splitlines()
        findings.append(Finding("STOP", first, "\n".join(others)))
    return findings


def _versions(target: str) -> Iterator[Finding]:
    packages = ["probesheets", "dbt-core", *(["dbt-duckdb", "duckdb"] if target == "duckdb" else ["dbt-mysql"])]
    found = {package: installed(package) for package in packages}
    listed = ", ".join(f"{package} {version}" for package, version in found.items() if version)
    yield Finding("ok", f"Python {platform.python_version()}, {listed}")
    if missing := missing_adapter(target):
        first, *others = missing.split(" Type: ", 1)
        yield Finding("STOP", first, "Type: " + "".join(others))


# --- where the source is


def _check_copy(
    root: Path, source: str | None, experiments: Path | None, settings: Mapping[str, Any]
) -> Iterator[Finding]:
    """A source to be copied, else the copy that is there, else the bundled sample."""
    database = database_file(root)
    if not os.access(database if database.exists() else database.parent, os.W_OK):
        yield Finding("STOP", f"{database} cannot be written.", "Name another file in PROBESHEETS_DUCKDB.")
    if source is None and database.is_file():
        with closing(DuckDB(database)) as warehouse:
            if _columns(warehouse, "main.table_output"):
                yield Finding("ok", f"The copy of the source in {database} can be read.")
                yield from _check_content(warehouse, "main.table_output", "main.table_experiment", settings)
                return
    if source is None:
        yield Finding("look", "There is no copy of a source yet: run takes the bundled sample.", "Yours: --source FILE")
        source = str(root / "exporter" / "sample" / "table_output.csv")
        experiments = root / "exporter" / "sample" / "table_experiment.csv"
    with tempfile.TemporaryDirectory(prefix="probesheets-") as folder:
        copy = Path(folder) / "check.duckdb"
        yield Finding("ok", replace_copy(copy, source, experiments).replace("Copied", "Read"))
        with closing(DuckDB(copy)) as warehouse:
            yield from _check_content(warehouse, "main.table_output", "main.table_experiment", settings)


def _check_server(target: str, settings: Mapping[str, Any]) -> Iterator[Finding]:
    with closing(Server(target)) as server:
        stated = server_version(server)
        name = "MariaDB" if "mariadb" in stated.lower() else "MySQL"
        if name.lower() != target:
            yield Finding("STOP", f"The server is {name} {stated}.", f"Type --target {name.lower()} instead.")
            return
        if tuple(map(int, re.findall("[0-9]+", stated)[:3])) < _OLDEST[name]:
            needed = ".".join(map(str, _OLDEST[name]))
            todo = "Read it into DuckDB instead: probesheets run --source mysql://user@host:port/schema"
            yield Finding("STOP", f"The server is {name} {stated}; building on it needs {name} {needed}.", todo)
            return
        yield Finding("ok", f"The server answers: {name} {stated}")
        source, schema = schemas()
        if missing := missing_rights(server, schema):
            text = f"The user may not build in the schema {schema}: {', '.join(missing)} is missing."
            yield Finding(
                "STOP", text, f"Ask who runs the server to create {schema} and to grant ALL on it to this user."
            )
        else:
            yield Finding("ok", f"The user may build in the schema {schema}.")
        output, experiment = (f"`{source.replace('`', '``')}`.{name}" for name in ("table_output", "table_experiment"))
        if not _columns(server, output):
            todo = f"PROBESHEETS_SOURCE_SCHEMA names its schema (now: {source}); the user needs SELECT on it."
            yield Finding("STOP", f"{source}.table_output is not there, or may not be read.", todo)
            return
        yield from _check_content(server, output, experiment, settings)


def _columns(warehouse: Warehouse, relation: str) -> list[str]:
    try:
        return warehouse.columns(relation)
    except ProbesheetsError:
        return []


# --- what it holds


def _check_content(
    warehouse: Warehouse, output: str, experiment: str, settings: Mapping[str, Any]
) -> Iterator[Finding]:
    found, text_tag, date_tag = _columns(warehouse, output), str(settings["text_tag"]), str(settings["date_tag"])
    needed = [*OUTPUT_COLUMNS, "depth", *map(str, settings["extra_columns"])]
    if missing := [name for name in needed if name not in found]:
        yield Finding("STOP", f"table_output has no column {', '.join(missing)}.", f"Found: {', '.join(found[:30])}")
        return
    if any(name not in _columns(warehouse, experiment) for name in EXPERIMENT_COLUMNS):
        yield Finding(
            "look", "There is no table_experiment: model names stay empty.", "A file of it: --experiments FILE"
        )
    counts = survey(warehouse, output, text_tag, date_tag)
    yield from _check_tags(counts, text_tag, date_tag, list(map(str, settings["extra_tags"])))
    if counts.texts:
        yield from _check_dates(counts, date_tag)
        yield from _check_probes(counts)


def _headers(root: Path) -> set[str]:
    """The headers, letters and digits alone, of all kinds of spreadsheet that have the extra columns, too."""
    headers = {"id"}
    for file in (root / "models" / "exports").glob("*.yml"):
        for exposure in yaml.safe_load(file.read_text(encoding="utf-8")).get("exposures", []):
            columns = exposure.get("config", {}).get("meta", {}).get("columns", [])
            if any("more" in column for column in columns):
                headers |= {_letters(column.get("header", column["name"])) for column in columns if "name" in column}
    return headers


def _letters(header: str) -> str:
    return re.sub("[^0-9a-z]", "", header.lower()) or header


def _check_names(settings: Mapping[str, Any], headers: set[str]) -> Iterator[Finding]:
    names = [str(name) for name in [*settings["extra_tags"], *settings["extra_columns"]]]
    lower = [name.lower() for name in names]
    for name in names:
        if not _NAME.fullmatch(name):
            todo = "1 to 63 characters on one line, no quotation mark, not beginning with one of ! ^ & < . : #"
            yield Finding("STOP", f"extra_tags or extra_columns: {name!r} cannot be the name of a column.", todo)
        elif name.lower() in TAKEN or lower.count(name.lower()) > 1:
            text = f"extra_tags or extra_columns: the name {name} is taken."
            yield Finding("STOP", text, f"The columns of texts are: {', '.join(TAKEN)}.")
        elif _letters(name) in headers:
            text = f"extra_tags or extra_columns: the name {name} is a header of the spreadsheets."
            yield Finding("STOP", text, f"Taken, whatever the case and punctuation: {', '.join(sorted(headers))}.")


def _check_tags(counts: Survey, text_tag: str, date_tag: str, extra: list[str]) -> Iterator[Finding]:
    used = {text_tag: "texts", date_tag: "dates", "raw": "raw", **dict.fromkeys(extra, "extra column")}
    ordered = sorted(counts.tags.items(), key=lambda item: -item[1])
    listed = [f"{tag} {count:,}" + (f" ({used[tag]})" if tag in used else "") for tag, count in ordered if tag]
    more = f", and {len(listed) - _TAGS} more" if len(listed) > _TAGS else ""
    if not counts.texts:
        todo = f"{near(text_tag, [tag for tag in counts.tags if tag])} Choose one: --vars '{{text_tag: ...}}'"
        yield Finding("STOP", f"No row has the tag {text_tag!r}, which text_tag names.", todo)
        return
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
