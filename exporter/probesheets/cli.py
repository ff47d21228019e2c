"""The command line. Only here do errors become messages and exit codes. Data goes to stdout, messages to stderr."""

import importlib.metadata
import io
import json
import sys
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from probesheets import options as option
from probesheets.errors import ProbesheetsError, printable, shown
from probesheets.progress import progress
from probesheets.project.lab import write_lab

if TYPE_CHECKING:  # each command imports what takes long to import
    from probesheets.export.report import Report


class Commands(TyperGroup):
    """Turns Ctrl-C at any moment into exit code 130 and one sentence."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, RuntimeError) as error:
            # if Ctrl-C interrupts DuckDB, it raises a RuntimeError
            if isinstance(error, RuntimeError) and not isinstance(error.__cause__, KeyboardInterrupt):
                raise
            _say("Stopped. No file was left half-written. To complete the work, run the same command again.")
            raise typer.Exit(130) from None


app = typer.Typer(
    cls=Commands,
    help="One spreadsheet per probe, from a database of model outputs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

MOST_DIFFERENCES = 10  # that verify lists


@app.callback(invoke_without_command=True)
def general(version: option.Version = False) -> None:
    """Options that come before the command."""
    if version:
        _print(f"probesheets {importlib.metadata.version('probesheets')}")
        raise typer.Exit()


@app.command()
def init(folder: option.NewFolder, quiet: option.Quiet = False) -> None:
    """Write a dbt project with sample data into a new folder.

    Example: probesheets init lab
    """
    write_lab(folder)
    steps = [] if folder.resolve() == Path.cwd() else [f"cd {quote(str(folder))}"]
    _say("\n  ".join([f"Wrote the project into {folder}. Next, run:", *steps, "probesheets run"]), quiet)


@app.command()
def run(
    source: option.Source = None,
    query: option.Query = None,
    shape: option.ShapeName = None,
    columns: option.Columns = None,
    date: option.Date = None,
    experiments: option.Experiments = None,
    append: option.Append = False,
    offset_ids: option.OffsetIds = 0,
    null: option.Null = None,
    target: option.Target = "duckdb",
    variables: option.Variables = "{}",
    out: option.Out = Path("out"),
    new: option.New = False,
    take_over: option.TakeOver = False,
    quiet: option.Quiet = False,
    verbose: option.Verbose = False,
    as_json: option.Json = False,
) -> None:
    """Copy a source if you name one, build and test the models, and export.

    Example: probesheets run --source outputs.csv --out sheets

    Example: probesheets run --source batch2.csv --append --out sheets --new
    """
    from probesheets.run import run as copy_build_export
    from probesheets.source.asked import Source

    copied = Source.asked(target, source, experiments, append, offset_ids, null or (), columns, shape, query, date)
    say = partial(_say, quiet=quiet)
    how = {"new": new, "take_over": take_over, "quiet": quiet, "verbose": verbose}
    report = copy_build_export(target, variables, copied, shape, out, **how, say=say)
    _show(report, quiet, as_json)


@app.command()
def export(
    target: option.Target = "duckdb",
    out: option.Out = Path("out"),
    probe: option.Probes = None,
    only: option.Only = None,
    new: option.New = False,
    sample: option.Size = None,
    sample_total: option.Total = None,
    per: option.Per = None,
    seed: option.Seed = None,
    shard: option.Shard = None,
    coders: option.Coders = None,
    overlap: option.Overlap = None,
    blind: option.Blind = False,
    codebook: option.Codebook = None,
    quiet: option.Quiet = False,
    as_json: option.Json = False,
) -> None:
    """Write the spreadsheets from the models that have been built.

    Example: probesheets export --probe "Masks are" --probe "The best *" --only with_links

    Example: probesheets export --new --out sheets

    Example: probesheets export --sample 20 --per month --seed 7 --out to_code

    Example: probesheets export --shard 3/10 --out sheets3

    Example: probesheets export --sample 200 --coders Ana,Ben --overlap 25% --codebook codes.csv --out coding
    """
    from probesheets.export.codebook import read_codebook
    from probesheets.export.dealing import Deal
    from probesheets.export.export import export as write
    from probesheets.export.sampling import Sample
    from probesheets.folder.publish import check_place
    from probesheets.project.models import opened

    check_place(out)
    codes = read_codebook(codebook)
    deal = Deal.asked(coders, overlap, blind, [name for name, _ in codes])
    drawn = Sample.asked(sample, sample_total, per, seed, deal)
    with opened(target) as (project, warehouse), progress(quiet=quiet) as track:
        say = partial(_say, quiet=quiet)
        how: dict[str, Any] = {"new": new, "sample": drawn, "shard": shard, "codes": codes}
        report = write(project, warehouse, out, probe or [], only or [], **how, track=track, say=say)
    _show(report, quiet, as_json)


@app.command()
def check(
    target: option.Target = "duckdb",
    source: option.Source = None,
    query: option.Query = None,
    shape: option.ShapeName = None,
    columns: option.Columns = None,
    date: option.Date = None,
    experiments: option.Experiments = None,
    append: option.Append = False,
    offset_ids: option.OffsetIds = 0,
    null: option.Null = None,
    variables: option.Variables = "{}",
    as_json: option.Json = False,
) -> None:
    """Check whether `run` would work, without building anything. The exit code is 1 if it would fail.

    On a server, it tests your rights: it creates small tables and a view (and a missing schema), then drops them.

    Example: probesheets check --source outputs.csv
    """
    from probesheets.check.findings import check as find
    from probesheets.source.asked import Source

    copied = Source.asked(target, source, experiments, append, offset_ids, null or (), columns, shape, query, date)
    findings = find(target, variables, copied, shape)
    failing = any(finding.level == "STOP" for finding in findings)
    if as_json:
        _print(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=1))
    else:
        _print("\n".join(map(str, findings)))
        _print("\nrun would fail. Fix the lines marked STOP." if failing else "\nrun would succeed.")
    sys.exit(1 if failing else 0)


@app.command()
def probes(target: option.Target = "duckdb", as_json: option.Json = False) -> None:
    """List the probes: how many texts and links each has, its dates and its workbook's name without .xlsx.

    Example: probesheets probes
    """
    from probesheets.export.report import probes_table
    from probesheets.export.selection import read_probes
    from probesheets.project.models import opened

    with opened(target) as (project, warehouse):
        project.require((), ["probes"])
        rows = read_probes(project, warehouse)
    if rows or as_json:
        _print(json.dumps(rows, ensure_ascii=False, default=str) if as_json else probes_table(rows))
    else:
        _say("There are no probes: the models contain no texts.")


@app.command()
def codes(
    files: option.Coded,
    coder: option.Coder = None,
    deal: option.DealFolder = None,
    replace: option.Replace = False,
    target: option.Target = "duckdb",
    quiet: option.Quiet = False,
) -> None:
    """Read codings from the files of coders into seeds/codings.csv, and build their models.

    Example: probesheets codes ana.qda --deal coding

    Example: probesheets codes coding/Ben/with_links/*.xlsx --coder Ben --deal coding
    """
    from probesheets.coding.codes import read_codings

    read_codings(target, files, coder, deal, replace=replace, quiet=quiet, say=partial(_say, quiet=quiet))


@app.command()
def agreement(target: option.Target = "duckdb", only: option.Round = None, as_json: option.Json = False) -> None:
    """Print whether the coders agree, for each code.

    Example: probesheets agreement
    """
    from probesheets.coding.agreement import COLUMNS, agreement_table, read_agreement
    from probesheets.project.models import opened

    with opened(target) as (project, warehouse):
        rows = read_agreement(project, warehouse, only)
    measures = [{name: row[name] for name in COLUMNS} for row in rows]
    _print(json.dumps(measures, ensure_ascii=False) if as_json else agreement_table(rows))


@app.command()
def verify(
    folder: option.Exported,
    target: option.CompareTo = None,
    quiet: option.Quiet = False,
    as_json: option.Json = False,
) -> None:
    """Compare the spreadsheets of a folder with what was exported. The exit code is 1 if they differ.

    Example: probesheets verify out --target duckdb
    """
    from probesheets.folder.verify import other_build
    from probesheets.folder.verify import verify as differences
    from probesheets.project.models import opened

    places = opened(target) if target else nullcontext((None, None))
    with places as (project, warehouse), progress(quiet=quiet) as track:
        found = list(islice(differences(folder, project, warehouse, track), MOST_DIFFERENCES + 1))
        note = other_build(folder, project) if project else None
        if project:
            project.refuse_if_rebuilt(project.models(project.kinds.values()))
    if note:
        _say(note, quiet)
    listed, more = found[:MOST_DIFFERENCES], len(found) > MOST_DIFFERENCES
    if as_json:
        result = {"folder": str(folder), "differences": listed, "more": more, "other_build": note}
        _print(json.dumps(result, ensure_ascii=False))
    for difference in [] if as_json else listed:
        _print(shown(difference))
    if more:
        _say(f"Only the first {MOST_DIFFERENCES} differences are listed.", quiet)
    if found:
        sys.exit(1)
    if not as_json and not quiet:
        cells = f", and every cell matches {target}" if target else ""
        _print(f"{folder}: no file has changed since the export{cells}.")


def _show(report: "Report", quiet: bool, as_json: bool) -> None:
    if as_json:
        _print(json.dumps(report.as_json(), ensure_ascii=False))
    _say(report.message(), quiet)


def _say(message: str, quiet: bool = False) -> None:
    if not quiet:
        _print(message, err=True)


def _print(message: str, *, err: bool = False) -> None:
    """Everything for people, and all JSON, is printed here, so that no text of a source can control the terminal."""
    typer.echo(printable(message), err=err)


def main(*arguments: Any) -> None:
    """The command `probesheets`. Exit code 0, 1 for an error that the user can fix, 2 for a wrong command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a character that the terminal lacks appears as its code
            stream.reconfigure(errors="backslashreplace")
    try:
        app(*arguments)
    except ProbesheetsError as error:
        _print(f"Error: {error}", err=True)
        sys.exit(1)
