"""`probesheets run`: copy a source, build and test the models, and export."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from probesheets.check.database import check_database
from probesheets.check.loss import refuse_loss
from probesheets.errors import ProbesheetsError
from probesheets.export.batches import refuse_folder
from probesheets.export.export import export
from probesheets.export.report import Report
from probesheets.progress import progress
from probesheets.project.build import build, check_dbt
from probesheets.project.models import opened
from probesheets.settings import database_file
from probesheets.source.asked import Source, with_shape
from probesheets.source.copy import ACCEPT, copy_source, discard_copy, shape_in
from probesheets.warehouse import sole_builder


def run(
    target: str,
    variables: str,
    source: Source | None,
    shape: str | None,
    out: Path,
    *,
    new: bool,
    quiet: bool,
    verbose: bool,
    say: Callable[[str], None],
) -> Report:
    """Raises ProbesheetsError if anything is wrong. Only a build that passes its checks replaces the previous copy."""
    check_dbt(target, variables)
    refuse_folder(out, new)
    check_database(target, copying=source is not None)
    with sole_builder(target):
        if source:
            copied = copy_source(database_file(target), source)
            say("\n".join([*copied.said, *copied.advice]))
        try:
            variables = with_shape(variables, copied.shape if source else shape or shape_in(target))
            if source and new and not source.append:
                refuse_loss(database_file(target), out, source.name, copied.shape)
            with progress(quiet=quiet or verbose) as track:
                environment = ACCEPT if source else {}
                said = build(target, variables, environment, quiet=quiet, verbose=verbose, track=track)
            say(said)
        except BaseException:
            if source:
                with suppress(ProbesheetsError):  # the reason why the build failed is more important
                    discard_copy(database_file(target))
            raise
        with opened(target) as (project, warehouse), progress(quiet=quiet) as track:
            return export(project, warehouse, out, new=new, track=track)
