"""The options that several commands share."""

import re
from pathlib import Path
from typing import Annotated

import typer


def text(value: str) -> str:
    """The value of an option that must not be empty: Path("") would be the current folder."""
    if not value.strip():
        raise typer.BadParameter("must not be empty. Give a value, or remove the option.")
    return value


def path(value: str | Path) -> Path:
    return Path(text(str(value)))


def shard(value: str) -> str:
    found = re.fullmatch("([1-9][0-9]{0,8})/([1-9][0-9]{0,8})", value)
    if not found or int(found[1]) > int(found[2]):
        raise typer.BadParameter(f"{value!r} is not a shard. Give K/N with K from 1 to N, such as 3/10.")
    return value


_TARGET = "The database for the models: duckdb, mariadb, mysql or another target in profiles.yml."
Target = Annotated[str, typer.Option("--target", "-t", metavar="TARGET", help=_TARGET)]
Out = Annotated[Path, typer.Option("--out", "-o", parser=path, metavar="DIR", help="The folder to write into.")]
_SOURCE = "CSV, JSON, Parquet, Excel or caption file, or mysql://user@host:port/schema with PROBESHEETS_PASSWORD set."
Source = Annotated[str | None, typer.Option(parser=text, metavar="SOURCE", help=_SOURCE)]
_QUERY = (
    "Instead of --source: an SQL file with a select for DuckDB, with the columns id, text, and probe, date or model."
)
Query = Annotated[Path | None, typer.Option("--query", parser=path, metavar="FILE", help=_QUERY)]
_DATE = "The date of all rows of --source, such as 2020-09-29, if it has no column for it."
Date = Annotated[str | None, typer.Option("--date", parser=text, metavar="DATE", help=_DATE)]
_SHAPE = "How the source stores its texts, such as table_output or answers, if its tables or columns do not show it."
ShapeName = Annotated[str | None, typer.Option("--shape", parser=text, metavar="SHAPE", help=_SHAPE)]
_COLUMNS = "What each column of --source contains, if the names do not show it: probe=Q1,text=A1,date=when."
Columns = Annotated[str | None, typer.Option(parser=text, metavar="NAME=COLUMN,…", help=_COLUMNS)]
_EXPERIMENTS = "CSV or Parquet file of table_experiment: id, model_name."
Experiments = Annotated[Path | None, typer.Option(parser=path, metavar="FILE", help=_EXPERIMENTS)]
_APPEND = "Add the rows of --source to the copy that exists, instead of replacing it."
Append = Annotated[bool, typer.Option("--append", help=_APPEND)]
_OFFSET = "With --append: add N to the ids of these rows (id, root_id, experiment_id), if they began at 1 again."
OffsetIds = Annotated[int, typer.Option(min=0, max=10**15, metavar="N", help=_OFFSET, show_default=False)]
_NULL = "Cells of --source with exactly this text are null, such as NULL. Can be repeated."
Null = Annotated[list[str] | None, typer.Option("--null", metavar="TEXT", help=_NULL)]
_VARIABLES = "dbt variables as YAML: '{extra_tags: [author]}'."
Variables = Annotated[str, typer.Option("--vars", help=_VARIABLES, metavar="YAML")]
_NEW = "Write only records that no earlier export has delivered to the folder."
New = Annotated[bool, typer.Option("--new", help=_NEW)]
_PROBE = "Only this probe: its text (* is any text), or its workbook's name without .xlsx. Can be repeated."
Probes = Annotated[list[str] | None, typer.Option("--probe", metavar="PROBE", help=_PROBE)]
_ONLY = "Only this kind of spreadsheet, such as with_links or qualcoder. Can be repeated."
Only = Annotated[list[str] | None, typer.Option(metavar="KIND", help=_ONLY)]
Size = Annotated[int | None, typer.Option("--sample", min=1, metavar="N", help="Only N random texts of every probe.")]
_TOTAL = "Only N random texts in all: at least one of every probe, more of the large ones."
Total = Annotated[int | None, typer.Option("--sample-total", min=1, metavar="N", help=_TOTAL)]
_PER = "With a sample: probe (default), or month to count every probe and month by itself."
Per = Annotated[str | None, typer.Option(metavar="probe|month", help=_PER)]
_SEED = "With a sample: the random seed (default: 0). The same seed draws the same texts."
Seed = Annotated[str | None, typer.Option(parser=text, metavar="S", help=_SEED)]
_SHARD = "Only shard K of N: its part of the probes, so that N machines can write at once. Shard 1 has the other files."
Shard = Annotated[str | None, typer.Option("--shard", parser=shard, metavar="K/N", help=_SHARD)]
_CODERS = "With a sample: deal it among these coders, each of whom gets a folder."
Coders = Annotated[str | None, typer.Option("--coders", parser=text, metavar="A,B,…", help=_CODERS)]
_OVERLAP = "With --coders: the share of the texts that all coders get, such as 25%."
Overlap = Annotated[str | None, typer.Option("--overlap", parser=text, metavar="N%", help=_OVERLAP)]
_BLIND = "With --coders: leave out the columns that show the model or the date of a text."
Blind = Annotated[bool, typer.Option("--blind", help=_BLIND)]
_CODEBOOK = "A CSV file with a column code (and description). Each code becomes a column of dealt sheets."
Codebook = Annotated[Path | None, typer.Option("--codebook", parser=path, metavar="FILE", help=_CODEBOOK)]
_FILES = "QualCoder projects (NAME.qda), workbooks with codes typed in, or .qdpx files."
Coded = Annotated[list[Path], typer.Argument(parser=path, metavar="FILE…", help=_FILES)]
_CODER = "The name of the coder, if the files do not contain it."
Coder = Annotated[str | None, typer.Option("--coder", parser=text, metavar="NAME", help=_CODER)]
_DEAL = "The folder that export --coders wrote: a coder has seen the texts dealt there, not all of a project."
DealFolder = Annotated[Path | None, typer.Option("--deal", parser=path, metavar="DIR", help=_DEAL)]
_REPLACE = "If the coder coded a record differently in another file, use these files."
Replace = Annotated[bool, typer.Option("--replace", help=_REPLACE)]
_ROUND = "Only the texts of this batch of the deal."
Round = Annotated[int | None, typer.Option("--round", min=1, metavar="N", help=_ROUND)]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print only errors.")]
_TAKE_OVER = "Build although a build on the shared Spark has not ended, because it was stopped."
TakeOver = Annotated[bool, typer.Option("--take-over", help=_TAKE_OVER)]
Verbose = Annotated[bool, typer.Option("--verbose", help="Also print dbt's log.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout; messages go to stderr.")]
_COMPARE = "Also compare every cell with the models of this target."
CompareTo = Annotated[str | None, typer.Option("--target", "-t", metavar="TARGET", help=_COMPARE)]
Version = Annotated[bool, typer.Option("--version", help="Show the version and exit.")]
NewFolder = Annotated[Path, typer.Argument(parser=path, metavar="DIR", help="A new or empty folder.")]
Exported = Annotated[Path, typer.Argument(parser=path, metavar="DIR", help="A folder that an export wrote.")]
