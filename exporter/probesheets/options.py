"""The options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer


def text(value: str) -> str:
    """What an option names; Path("") would be the current folder."""
    if not value.strip():
        raise typer.BadParameter("is empty. Give a name, or leave the option out.")
    return value


def path(value: str | Path) -> Path:
    return Path(text(str(value)))


Target = Annotated[str, typer.Option("--target", "-t", help="duckdb, mariadb or mysql.")]
Out = Annotated[Path, typer.Option("--out", "-o", parser=path, metavar="DIR", help="The folder to write into.")]
_SOURCE = "CSV or Parquet file of table_output, or mysql://user@host:port/schema with PROBESHEETS_PASSWORD set."
Source = Annotated[str | None, typer.Option(parser=text, metavar="SOURCE", help=_SOURCE)]
_EXPERIMENTS = "CSV or Parquet file of table_experiment: id, model_name."
Experiments = Annotated[Path | None, typer.Option(parser=path, metavar="FILE", help=_EXPERIMENTS)]
Variables = Annotated[
    str, typer.Option("--vars", help="dbt variables, as YAML: '{extra_tags: [author]}'.", metavar="YAML")
]
New = Annotated[bool, typer.Option("--new", help="Only what no earlier export into the folder has delivered.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, messages on stderr.")]
