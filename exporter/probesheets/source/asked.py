"""The source that the options of a command describe."""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date as day
from pathlib import Path

import yaml

from probesheets.errors import ProbesheetsError
from probesheets.settings import check_target, is_duckdb, is_spark
from probesheets.settings import variables as project_variables
from probesheets.source.query import QUERY
from probesheets.source.shapes import columns_asked, named_shape


def with_shape(variables: str, shape: str | None) -> str:
    """The value of --vars with the variable shape unless it is the default. Raises ProbesheetsError for two."""
    given = yaml.safe_load(variables)
    if shape is None or (shape == project_variables()["shape"] and "shape" not in given):
        return variables
    if given.get("shape", shape) != shape:
        raise ProbesheetsError(
            f"The source has the shape {shape}, but --vars says {given['shape']!r}. Remove it from --vars. To read the "
            f"source in another way, add --shape NAME."
        )
    return json.dumps({**given, "shape": shape}, ensure_ascii=False)


@dataclass(frozen=True)
class Source:
    """What to copy: files or `mysql://user@host:port/schema`, and the file of table_experiment if it is separate.

    `append` adds the rows to the copy that exists; `offset` is added to their ids. Cells with one of the texts `nulls`
    become null. `columns` and `shape` say how to read files, if their columns do not (shapes.py). `date` is
    the date of every row of a file without a column for it.
    """

    place: str
    experiments: Path | None = None
    append: bool = False
    offset: int = 0
    nulls: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    shape: str | None = None
    date: str | None = None

    @classmethod
    def asked(
        cls,
        target: str,
        place: str | None,
        experiments: Path | None = None,
        append: bool = False,
        offset: int = 0,
        nulls: Iterable[str] = (),
        columns: str | None = None,
        shape: str | None = None,
        query: Path | None = None,
        date: str | None = None,
    ) -> "Source | None":
        """The source that the options describe. Raises ProbesheetsError if they do not fit together."""
        given = {"--experiments": experiments, "--append": append, "--offset-ids": offset, "--null": nulls}
        given |= {"--columns": columns, "--date": date}
        options = [name for name, value in given.items() if value]
        if place and query:
            raise ProbesheetsError("--source and --query each name a source. Remove one of them.")
        if shape == QUERY or (query and shape):
            raise ProbesheetsError("--query FILE reads a query; --shape is for --source. Remove --shape.")
        if query:
            place, shape = str(query), QUERY
        if place and "://" in place and (columns or date):
            raise ProbesheetsError("--columns and --date are for files; a server names its columns. Remove them.")
        check_target(target)
        if shape:
            named_shape(shape)
        if is_spark(target) and (append or offset):
            raise ProbesheetsError(
                f"Target {target} has no --append. Add the new file to a folder, and name the folder: --source DIR"
            )
        if not (is_duckdb(target) or is_spark(target)) and (place or options):
            listed = ", ".join(["--query" if query else "--source", *options])
            raise ProbesheetsError(
                f"Target {target} reads its own server. Remove {listed}, or remove --target {target}."
            )
        if not place:
            if options:
                raise ProbesheetsError(f"{options[0]} needs --source, because it is about the copy. Add --source.")
            return None
        if offset and not append:
            raise ProbesheetsError("--offset-ids needs --append. Add --append, or remove --offset-ids.")
        if date and not _is_day(date):
            raise ProbesheetsError(f"--date {date!r} is not a date. Write it like this: --date 2020-09-29")
        return cls(place, experiments, append, offset, tuple(nulls), columns_asked(columns), shape, date)

    @property
    def name(self) -> str:
        """The place as messages may show it: without a password."""
        scheme, found, place = self.place.partition("://")
        user, at, host = re.split("[?#;]", place)[0].rpartition("@")
        return f"{scheme}://{user.partition(':')[0]}{at}{host}" if found else self.place


def _is_day(text: str) -> bool:
    with suppress(ValueError):
        return day.fromisoformat(text).isoformat() == text
    return False
