"""What `run` would do with a source, before anything is built. Each finding says what to do about it.

dbt answers what it would stop for, and what the source contains (macros/project/inspect_source.sql).
"""

import platform
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from probesheets.check.database import check_database
from probesheets.check.rights import missing_rights
from probesheets.errors import ProbesheetsError, counted, near, shortened, shown
from probesheets.project.build import check_variables, inspect_source
from probesheets.project.kinds import read_kinds
from probesheets.settings import database_file, find_root, is_duckdb, is_spark, setting
from probesheets.source.asked import Source, with_shape
from probesheets.source.copy import ACCEPT, copy_source, shape_in
from probesheets.source.spark import offer_source
from probesheets.warehouse import Server
from probesheets.warehouse.server import HOW_TO_GRANT
from probesheets.warehouse.spark import files

_TAGS, _EXAMPLES = 8, 3  # that a finding lists
_CELL = 40  # characters of a cell that a finding shows


@dataclass(frozen=True)
class Finding:
    """`level` is ok, look (run works, but you should know this) or STOP (run would fail); `todo` says what to do."""

    level: str
    text: str
    todo: str = ""

    def __str__(self) -> str:
        return f"{self.level:<5} {self.text}" + "".join(f"\n      {line}" for line in self.todo.splitlines())


def check(target: str, variables: str, source: Source | None, shape: str | None = None) -> list[Finding]:
    """Look at versions, settings, source, tags, dates, probes and rights. `variables` is the text of --vars."""
    findings = [_versions(target)]
    try:
        check_variables(variables)
        if spark := check_database(target, copying=source is not None):
            findings.append(Finding("ok", spark))
        if is_duckdb(target):
            findings += _check_copy(target, variables, source, shape)
        elif is_spark(target):
            findings += _check_on_spark(target, variables, source, shape)
        else:
            findings += _check_server(target, with_shape(variables, shape))
    except ProbesheetsError as error:
        findings.append(_stop(str(error)))
    return findings


def _stop(message: str) -> Finding:
    first, *others = message.splitlines()
    return Finding("STOP", first, "\n".join(others))


def _versions(target: str) -> Finding:
    adapters = {"duckdb": ["dbt-duckdb", "duckdb"], "spark": ["dbt-spark", "pyspark"]}
    packages = ["probesheets", "dbt-core", *adapters.get(setting(target, "type"), ["dbt-mysql"])]
    found = [f"Python {platform.python_version()}"]
    for package in packages:
        with suppress(PackageNotFoundError):
            found.append(f"{package} {version(package)}")
    return Finding("ok", ", ".join(found))


def _check_copy(target: str, variables: str, source: Source | None, shape: str | None) -> Iterator[Finding]:
    """The source to be copied, else the copy in the DuckDB file, else the bundled sample."""
    database = database_file(target)
    if source is None and shape_in(target):
        yield Finding("ok", f"The copy of the source in {database} can be read.")
        yield from _check_source(target, with_shape(variables, shape or shape_in(target)), {})
        return
    if source is None:
        text = "No source copied yet; `run` will use the sample."
        yield Finding("look", text, "To use your own data, add --source FILE.")
        sample = find_root() / "sample"
        source = Source(str(sample / "table_output.csv"), sample / "table_experiment.csv")
    with tempfile.TemporaryDirectory(prefix="probesheets-") as folder:
        copy = Path(folder) / "check.duckdb"
        found = copy_source(copy, source, database if database.is_file() else None)
        yield from (Finding("ok", line) for line in found.said)
        yield from (Finding("look", line) for line in found.advice)
        environment = {"PROBESHEETS_DUCKDB": str(copy), **ACCEPT}
        yield from _check_source(target, with_shape(variables, found.shape), environment)


def _check_on_spark(target: str, variables: str, source: Source | None, shape: str | None) -> Iterator[Finding]:
    """The source in a folder of its own, so that nothing is left; without one, the tables that exist."""
    if source is None:
        yield from _check_source(target, with_shape(variables, shape or shape_in(target)), {})
        return
    with tempfile.TemporaryDirectory(prefix="check-", dir=files(target)) as folder:
        found = offer_source(Path(folder), source)
        yield from (Finding("ok", line) for line in found.said)
        yield from (Finding("look", line) for line in found.advice)
        environment = {"PROBESHEETS_SPARK_FILES": folder, **found.environment}
        yield from _check_source(target, with_shape(variables, found.shape), environment)


def _check_server(target: str, variables: str) -> Iterator[Finding]:
    with closing(Server(target)) as server:
        [(said,)] = server.rows("select version()")
        yield Finding("ok", f"The server answers: {'MariaDB' if 'mariadb' in said.lower() else 'MySQL'} {said}")
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
        for part in (_check_shape, _check_models, _check_tags, _check_dates, _check_probes):
            yield from part(found)


def _check_shape(found: Mapping[str, Any]) -> Iterator[Finding]:
    """The first records as the workbooks will show them, and the other shapes that a server has."""
    for name, table, count in found["others"]:
        text = f"The source also has {table}, with {counted(count, 'row')}."
        yield Finding("look", text, f"To read it, add --shape {name}")
    lines = [
        f"T{number}  {'  '.join(shown(shortened(cell, _CELL)) for cell in cells if cell not in ('', 'None'))}"
        for number, *cells in found["first"]
    ]
    yield Finding("ok", "The first records (ID, model, date, probe, text):", "\n".join(lines))


def _check_models(found: Mapping[str, Any]) -> Iterator[Finding]:
    if not found["has_models"]:
        text = "The source has no model names, so the column Model will be empty."
        todo = "To add them, add a column model to the file, or name it: --columns model=NAME"
        if found["has_tags"]:
            text = "There is no table_experiment, so the column Model will be empty."
            todo = "To add model names, add a table_experiment to the source, or use --source with --experiments FILE."
        yield Finding("look", text, todo)


def _check_tags(found: Mapping[str, Any]) -> Iterator[Finding]:
    tags, used = {tag or "": count for tag, count in found["tags"]}, dict(found["used_tags"])
    listed = [
        f"{shown(tag)} {count:,}" + (f" ({used[tag]})" if tag in used else "") for tag, count in tags.items() if tag
    ]
    more = f", and {len(listed) - _TAGS} more" if len(listed) > _TAGS else ""
    if found["has_tags"]:
        yield Finding("ok", f"Tags and their rows: {', '.join(listed[:_TAGS])}{more}.")
    reasons = [*found["reasons"], *([("blank", found["blank"])] if found["blank"] else [])]
    left_out = ", ".join(f"{count:,} {shown(reason)}" for reason, count in reasons)
    text = f"{counted(found['texts'], 'text row')} of {counted(found['probes'], 'probe')}"
    yield Finding("ok", f"{text}; {left_out}, to be listed in left_out." if left_out else f"{text}.")
    most = [f"{shown(shortened(probe, _CELL)) or '(no probe)'} {count:,}" for probe, count in found["most_texts"]]
    if most:
        more = f", and {found['probes'] - len(most):,} more" if found["probes"] > len(most) else ""
        yield Finding("ok", f"Probes with the most texts: {', '.join(most)}{more}.")
    if not found["has_tags"]:
        return
    for tag, use in used.items():
        if tag not in tags and use != "raw":
            yield Finding("look", f"No row has the tag {tag!r}.", near(tag, [name for name in tags if name]))
    if nearly := [tag for tag in tags if tag and tag not in used and tag.strip().casefold() in used]:
        text = f"These tags differ from a used tag only in case or spaces: {_quoted(nearly)}. Their rows are not used."
        yield Finding("look", text, "To use these rows, correct their tags in the source.")


def _check_dates(found: Mapping[str, Any]) -> Iterator[Finding]:
    if found["without_date"]:
        tag = next(tag for tag, use in found["used_tags"] if use == "dates")
        what = f"a row with the tag {tag!r}" if found["has_tags"] else "a date"
        text = f"Texts without {what}: {found['without_date']:,} of {found['texts']:,}."
        yield Finding("look", text, "They are exported without a date; nothing is lost.")
    if odd := found["odd_dates"]:
        text = f"Dates that cannot be read: {odd:,} of {found['dates']:,}, such as {_quoted(found['odd_examples'])}."
        todo = "They stay as text in the column Date as stored. Valid formats: 2020-03-05, 2020/3/5, 20200305."
        if not found["has_tags"] and any(example.isdecimal() for example in found["odd_examples"]):
            todo += "\nSeconds since 1970 need an option, as in: --columns date=created:seconds"
        yield Finding("look", text, todo)
    elif found["dates"]:
        yield Finding("ok", f"Dates that can be read: all {found['dates']:,}.")


def _check_probes(found: Mapping[str, Any]) -> Iterator[Finding]:
    text = f"Texts that begin with their probe, which is removed: {found['begin']:,}"
    text += f" ({found['begin_flat']:,} with other white space)" if found["begin_flat"] else ""
    if not found["repeats_probe"]:
        yield Finding("ok", "Texts do not repeat their probe, so nothing is removed from their beginning.")
    elif found["begin_not"]:
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
    return ", ".join(repr(shortened(text, _CELL)) for text in list(texts)[:_EXAMPLES])
