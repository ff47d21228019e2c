"""The command line. Only here do errors become messages and exit codes. stdout is data, stderr is messages."""

import io
import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from probesheets.errors import ProbesheetsError, printable, shown
from probesheets.options import Experiments, Json, New, Out, Quiet, Source, Target, Variables, path, text

if TYPE_CHECKING:  # what takes long to import is imported by the command that needs it
    from probesheets.export.report import Report
    from probesheets.export.sampling import Sample
    from probesheets.project.models import Project
    from probesheets.warehouse import Warehouse


class Commands(TyperGroup):
    """Ctrl-C at any moment is exit code 130 and one sentence."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, RuntimeError) as error:
            # DuckDB makes a RuntimeError of a Ctrl-C that finds it at work
            if isinstance(error, RuntimeError) and not isinstance(error.__cause__, KeyboardInterrupt):
                raise
            _print("Stopped. Nothing was left half-written; type the command again to complete.", err=True)
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


def _show_version(wanted: bool) -> None:
    from importlib.metadata import version

    if wanted:
        _print(f"probesheets {version('probesheets')}")
        raise typer.Exit()


@app.callback()
def general(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """What comes before the command."""


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(parser=path, metavar="DIR", help="A folder that is new or empty.")],
    quiet: Quiet = False,
) -> None:
    """Write the dbt project, with a sample to try it on, into a folder where you can change it.

    Example: probesheets init lab
    """
    from shlex import quote

    from probesheets.project.lab import write_lab

    write_lab(folder)
    steps = [] if folder.resolve() == Path.cwd() else [f"cd {quote(str(folder))}"]
    _say("\n  ".join([f"Wrote the project into {folder}. Next, run:", *steps, "probesheets run"]), quiet)


@app.command()
def run(
    source: Source = None,
    experiments: Experiments = None,
    target: Target = "duckdb",
    variables: Variables = "{}",
    out: Out = Path("out"),
    new: New = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Copy the source (if one is named), build and test the models, and export.

    Example: probesheets run --source outputs.csv --out sheets
    """
    from probesheets.check.findings import check_place
    from probesheets.progress import progress
    from probesheets.project.build import build, read_variables
    from probesheets.project.models import check_target, find_root
    from probesheets.source.copy import replace_copy
    from probesheets.warehouse import building_alone, database_file, memory

    root = find_root(Path.cwd())
    check_target(target)
    memory()  # dbt's own words for a wrong one would be less clear
    _check_source(target, source, experiments)
    settings = read_variables(root, variables)
    _refuse_mixture(out, new)
    check_place(root, target, copying=source is not None)
    if source:
        _say(replace_copy(database_file(root), source, experiments, str(settings["text_tag"])), quiet)
    with building_alone(target):
        with progress(quiet=quiet) as track:
            build(root, target, variables, quiet=quiet, track=track)
        report = _export(target, out, [], [], new=new, quiet=quiet)
    _tell(report, quiet, as_json)


@app.command()
def export(
    target: Target = "duckdb",
    out: Out = Path("out"),
    probe: Annotated[
        list[str] | None, typer.Option(help="Only this probe, by its text or its workbook's name. May be repeated.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this kind, such as with_links or qualcoder. May be repeated.")
    ] = None,
    new: New = False,
    sample: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only N texts of every probe, chosen by a seed.")
    ] = None,
    per: Annotated[
        str | None, typer.Option(help="With --sample: probe (default), or month for N of each month.")
    ] = None,
    seed: Annotated[
        str | None,
        typer.Option(parser=text, metavar="S", help="With --sample: another seed draws other texts (default: 0)."),
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Write the spreadsheets from the models that have been built.

    Example: probesheets export --probe "Masks are" --only with_links

    Example: probesheets export --new --out sheets

    Example: probesheets export --sample 20 --per month --seed 7 --out to_code
    """
    from probesheets.export.sampling import Sample

    drawn = Sample.asked(sample, per, seed)
    report = _export(target, out, probe or [], only or [], new=new, sample=drawn, quiet=quiet)
    _tell(report, quiet, as_json)


@app.command()
def check(
    target: Target = "duckdb",
    source: Source = None,
    experiments: Experiments = None,
    variables: Variables = "{}",
    as_json: Json = False,
) -> None:
    """Say what `run` would do with a source, before anything is built. Exit code 1 if it would fail.

    Example: probesheets check --source outputs.csv
    """
    from probesheets.check.findings import check as find
    from probesheets.project.models import check_target, find_root

    root = find_root(Path.cwd())
    check_target(target)
    _check_source(target, source, experiments)
    findings = find(root, target, variables, source, experiments)
    failing = any(finding.level == "STOP" for finding in findings)
    if as_json:
        _print(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=1))
    else:
        for finding in findings:
            _print(str(finding))
        _print("\nrun would fail: fix what is marked STOP." if failing else "\nrun would go through.")
    sys.exit(1 if failing else 0)


@app.command()
def probes(target: Target = "duckdb", as_json: Json = False) -> None:
    """List the probes: texts, links, first and last date, and the name of their workbooks, which --probe takes, too.

    Example: probesheets probes
    """
    from probesheets.export.report import probes_table
    from probesheets.export.selection import read_probes

    with _opened(target) as (project, warehouse):
        project.require((), ["probes"])
        rows = read_probes(project, warehouse)
    if as_json:
        _print(json.dumps(rows, ensure_ascii=False, default=str))
        return
    if not rows:
        _say("There are no probes: no text has been built.")
        return
    _print(probes_table(rows))


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(parser=path, metavar="DIR", help="A folder that an export wrote.")],
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="Compare every cell with this target's models, too.")
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Read the spreadsheets of a folder again and compare them with what was exported. Exit code 1 for a difference.

    Example: probesheets verify out --target duckdb
    """
    from itertools import islice

    from probesheets.folder.verify import other_build
    from probesheets.folder.verify import verify as differences
    from probesheets.progress import progress

    with _opened(target) if target else nullcontext((None, None)) as opened, progress(quiet=quiet) as track:
        project, warehouse = opened
        found = list(islice(differences(folder, project, warehouse, track), MOST_DIFFERENCES + 1))
        note = other_build(folder, project) if project else None
        if project:
            project.refuse_if_rebuilt(project.models(project.kinds.values()))
    if note:
        _say(note, quiet)
    listed, more = found[:MOST_DIFFERENCES], len(found) > MOST_DIFFERENCES
    if as_json:
        told = {"folder": str(folder), "differences": listed, "more": more, "other_build": note}
        _print(json.dumps(told, ensure_ascii=False))
    else:
        for difference in listed:
            _print(shown(difference))
    if more:
        _say(f"There are more than these {MOST_DIFFERENCES} differences.", quiet)
    if found:
        sys.exit(1)
    if not as_json and not quiet:
        _print(f"{folder}: every file is as it was exported" + (f", every cell as in {target}." if target else "."))


def _check_source(target: str, source: str | None, experiments: Path | None) -> None:
    if target != "duckdb" and (source or experiments):
        raise ProbesheetsError(
            f"Target {target} reads its own server. Leave --source and --experiments out, or --target {target}."
        )
    if experiments and not source:
        raise ProbesheetsError("--experiments goes with --source: both are copied together.")


def _refuse_mixture(out: Path, new: bool) -> None:
    """Before a build that takes minutes: a folder that the export after it would refuse."""
    from probesheets.export.batches import refuse_mixture
    from probesheets.folder.publish import check_name, open_folder

    check_name(out)
    if out.exists():
        with open_folder(out) as folder:
            if not new:
                refuse_mixture(folder, None, complete=True)


def _export(
    target: str,
    out: Path,
    wanted: list[str],
    only: list[str],
    *,
    new: bool = False,
    sample: "Sample | None" = None,
    quiet: bool = False,
) -> "Report":
    from probesheets.export.job import export as write
    from probesheets.progress import progress

    with _opened(target) as (project, warehouse), progress(quiet=quiet) as track:
        return write(project, warehouse, out, wanted, only, new=new, sample=sample, track=track)


@contextmanager
def _opened(target: str) -> "Iterator[tuple[Project, Warehouse]]":
    """The models of a target, and the connection to them."""
    from probesheets.project.models import Project, check_target, find_root
    from probesheets.warehouse import open_warehouse

    root = find_root(Path.cwd())
    check_target(target)
    with closing(open_warehouse(target, root)) as warehouse:
        yield Project(root, target, warehouse), warehouse


def _tell(report: "Report", quiet: bool, as_json: bool) -> None:
    if as_json:
        _print(json.dumps(report.as_json(), ensure_ascii=False))
    _say(report.message(), quiet)


def _say(message: str, quiet: bool = False) -> None:
    if not quiet:
        _print(message, err=True)


def _print(message: str, *, err: bool = False) -> None:
    """Whatever is printed for people or as JSON goes this way, so nothing of a source controls the terminal."""
    typer.echo(printable(message), err=err)


def main(*arguments: Any) -> None:
    """The command `probesheets`: exit code 0, 1 for an error that the user can fix, 2 for a wrong command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a character shows its code instead
            stream.reconfigure(errors="backslashreplace")
    try:
        app(*arguments)
    except ProbesheetsError as error:
        _print(f"Error: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
