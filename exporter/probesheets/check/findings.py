"""What `run` would do with a source, before anything is built. Each finding says what to do about it.

dbt answers what it would stop for, and what the source contains (macros/project/inspect_source.sql).
"""

import platform
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probesheets.check.database import check_database
from probesheets.check.rights import missing_rights
from probesheets.errors import ProbesheetsError, counted, near, shortened, shown
from probesheets.project.build import inspect_source, installed
from probesheets.project.kinds import read_kinds
from probesheets.settings import database_file, find_root, is_duckdb, setting
from probesheets.source.copy import ACCEPT, Source, copy_source
from probesheets.warehouse import DuckDB, NotBuiltError, Server
from probesheets.warehouse.server import HOW_TO_GRANT

_TAGS, _EXAMPLES = 8, 3  # that a finding lists


@dataclass(frozen=True)
class Finding:
    """`level` is ok, look (run works, but you should know this) or STOP (run would fail); `todo` says what to do."""

    level: str
    text: str
    todo: str = ""

    def __str__(self) -> str:
        return f"{self.level:<5} {self.text}" + "".join(f"\n      {line}" for line in self.todo.splitlines())


def check(target: str, variables: str, source: Source | None) -> list[Finding]:
    """Look at versions, settings, source, tags, dates, probes and rights. `variables` is the text of --vars."""
    findings = [_versions(target)]
    try:
        check_database(target, copying=source is not None)
        if is_duckdb(target):
            findings += _check_copy(target, variables, source)
        else:
            findings += _check_server(target, variables)
    except ProbesheetsError as error:
        findings.append(_stop(str(error)))
    return findings


def _stop(message: str) -> Finding:
    first, *others = message.splitlines()
    return Finding("STOP", first, "\n".join(others))


def _versions(target: str) -> Finding:
    packages = ["probesheets", "dbt-core", *(["dbt-duckdb", "duckdb"] if is_duckdb(target) else ["dbt-mysql"])]
    found = {package: installed(package) for package in packages}
    listed = ", ".join(f"{package} {version}" for package, version in found.items() if version)
    return Finding("ok", f"Python {platform.python_version()}, {listed}")


def _check_copy(target: str, variables: str, source: Source | None) -> Iterator[Finding]:
    """The source to be copied, else the copy in the DuckDB file, else the bundled sample."""
    database = database_file(target)
    if source is None and _has_copy(database):
        yield Finding("ok", f"The copy of the source in {database} can be read.")
        yield from _check_source(target, variables, {})
        return
    if source is None:
        yield Finding(
            "look", "No source copied yet; `run` will use the sample.", "To use your own data, add --source FILE."
        )
        sample = find_root() / "sample"
        source = Source(str(sample / "table_output.csv"), sample / "table_experiment.csv")
    with tempfile.TemporaryDirectory(prefix="probesheets-") as folder:
        copy = Path(folder) / "check.duckdb"
        said, advice = copy_source(copy, source, database if database.is_file() else None)
        yield Finding("ok", said)
        yield from (Finding("look", line) for line in (advice or "").splitlines())
        yield from _check_source(target, variables, {"PROBESHEETS_DUCKDB": str(copy), **ACCEPT})


def _has_copy(database: Path) -> bool:
    if not database.is_file():
        return False
    with closing(DuckDB(database)) as warehouse:
        try:
            return bool(warehouse.columns("main.table_output"))
        except NotBuiltError:
            return False


def _check_server(target: str, variables: str) -> Iterator[Finding]:
    with closing(Server(target)) as server:
        version = str(server.rows("select version()")[0][0])
        yield Finding("ok", f"The server answers: {'MariaDB' if 'mariadb' in version.lower() else 'MySQL'} {version}")
        schema = setting(target, "schema")
        found = list(_check_source(target, variables, {}))
        yield from (finding for finding in found if finding.level == "STOP")
        if missing := missing_rights(server, schema):
            text = f"The user cannot build in the schema {schema}. Missing rights: {', '.join(missing)}."
            yield Finding("STOP", text, HOW_TO_GRANT.format(schema, shown(next(iter(missing.values())))))
        else:
            yield Finding("ok", f"The user can build in the schema {schema}.")
        yield from (finding for finding in found if finding.level != "STOP")


def _check_source(target: str, variables: str, environment: Mapping[str, str]) -> Iterator[Finding]:
    """What would stop a build, the kinds of spreadsheet that an export would refuse, and what the source contains."""
    answer = inspect_source(target, variables, environment)
    yield from map(_stop, answer["faults"])
    try:
        list(read_kinds(answer["kinds"]))
    except ProbesheetsError as error:
        yield _stop(str(error))
    if found := answer["source"]:
        if not found["has_experiments"]:
            text = "There is no table_experiment, so the column Model will be empty."
            todo = "To add model names, add a table_experiment to the source, or use --source with --experiments FILE."
            yield Finding("look", text, todo)
        yield from _check_tags(found)
        yield from _check_dates(found)
        yield from _check_probes(found)


def _check_tags(found: Mapping[str, Any]) -> Iterator[Finding]:
    tags, used = {tag or "": count for tag, count in found["tags"]}, dict(found["used_tags"])
    listed = [
        f"{shown(tag)} {count:,}" + (f" ({used[tag]})" if tag in used else "") for tag, count in tags.items() if tag
    ]
    more = f", and {len(listed) - _TAGS} more" if len(listed) > _TAGS else ""
    yield Finding("ok", f"Tags and their rows: {', '.join(listed[:_TAGS])}{more}.")
    blank = f"; {found['blank']:,} blank, to be listed in left_out" if found["blank"] else ""
    yield Finding("ok", f"{counted(found['texts'], 'text row')} of {counted(found['probes'], 'probe')}{blank}.")
    for tag, use in used.items():
        if tag not in tags and use != "raw":
            yield Finding("look", f"No row has the tag {tag!r}.", near(tag, [name for name in tags if name]))
    nearly = [name for name in tags if name and name not in used and name.strip().casefold() in used]
    if nearly:
        todo = "To use these rows, correct their tags in the source."
        yield Finding(
            "look",
            f"These tags differ from a used tag only in case or spaces: {_quoted(nearly)}. Their rows are not used.",
            todo,
        )


def _check_dates(found: Mapping[str, Any]) -> Iterator[Finding]:
    if found["without_date"]:
        tag = next(tag for tag, use in found["used_tags"] if use == "dates")
        text = f"Texts without a row with the tag {tag!r}: {found['without_date']:,} of {found['texts']:,}."
        yield Finding("look", text, "They are exported without a date; nothing is lost.")
    if odd := found["odd_dates"]:
        text = f"Dates that cannot be read: {odd:,} of {found['dates']:,}, such as {_quoted(found['odd_examples'])}."
        todo = "They stay as text in the column Date as stored. Valid formats: 2020-03-05, 2020/3/5, 20200305."
        yield Finding("look", text, todo)
    elif found["dates"]:
        yield Finding("ok", f"Dates that can be read: all {found['dates']:,}.")


def _check_probes(found: Mapping[str, Any]) -> Iterator[Finding]:
    text = f"Texts that begin with their probe, which is removed: {found['begin']:,}"
    text += f" ({found['begin_flat']:,} with other white space)" if found["begin_flat"] else ""
    if found["begin_not"]:
        yield Finding("look", f"{text}. Texts that do not: {found['begin_not']:,}.", "These are exported unchanged.")
    else:
        yield Finding("ok", f"{text}.")
    for name, difference, todo in (
        ("alike_case", "case", "Each gets its own workbooks. If they are meant to be one probe, correct the source."),
        ("alike_spaces", "white space", "They become one probe, with one workbook of each kind."),
    ):
        if count := found[name]:
            text = f"Probes that differ only in {difference} ({count:,}): {_quoted(found[f'{name}_example'])}."
            yield Finding("look", text, todo)


def _quoted(texts: Any) -> str:
    return ", ".join(repr(shortened(text, 40)) for text in list(texts)[:_EXAMPLES])
