"""`probesheets run`: copy a source, build and test the models, and export."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from socket import gethostname

from probesheets.check.database import check_database
from probesheets.check.loss import refuse_loss
from probesheets.errors import ProbesheetsError
from probesheets.export.batches import refuse_folder
from probesheets.export.export import export
from probesheets.export.report import Report
from probesheets.progress import progress
from probesheets.project.build import build, check_dbt
from probesheets.project.models import opened
from probesheets.settings import database_file, is_spark
from probesheets.source.asked import Source, with_shape
from probesheets.source.copy import Copied, copy_source, discard_copy, shape_in
from probesheets.source.spark import forget_copies, offer_source
from probesheets.warehouse import sole_builder
from probesheets.warehouse.spark import files


def run(
    target: str,
    variables: str,
    source: Source | None,
    shape: str | None,
    out: Path,
    *,
    new: bool,
    take_over: bool,
    quiet: bool,
    verbose: bool,
    say: Callable[[str], None],
) -> Report:
    """Raises ProbesheetsError if anything is wrong. Only a build that passes its checks replaces the previous copy."""
    started = datetime.now(UTC).isoformat()
    check_dbt(target, variables)
    refuse_folder(out, new)
    check_database(target, copying=source is not None)
    with sole_builder(target):
        with _copy(target, source, say) as copied:
            variables = with_shape(variables, copied.shape if copied else shape or shape_in(target))
            if source and copied and new and not source.append and not is_spark(target):
                refuse_loss(database_file(target), out, source.name, copied.shape)
            environment = {**(copied.environment if copied else {}), **_builder(target, take_over)}
            with progress(quiet=quiet or verbose) as track:
                said = build(target, variables, environment, quiet=quiet, verbose=verbose, track=track)
            say(said)
        with opened(target) as (project, warehouse), progress(quiet=quiet) as track:
            if is_spark(target) and project.builds.newest < started:
                raise ProbesheetsError(
                    f"Spark has not written its tables into {files(target)}. Set PROBESHEETS_SPARK_FILES to the folder "
                    f"of its tables, as this machine sees it. Then run: probesheets export --target {target}"
                )
            return export(project, warehouse, out, new=new, track=track)


@contextmanager
def _copy(target: str, source: Source | None, say: Callable[[str], None]) -> Iterator[Copied | None]:
    """The copy of a source, which is discarded if the build fails. On Spark, earlier copies go if it succeeds."""
    if not source:
        yield None
        return
    spark = is_spark(target)
    copied = offer_source(files(target), source) if spark else copy_source(database_file(target), source)
    say("\n".join([*copied.said, *copied.advice]))
    try:
        yield copied
        if spark:
            forget_copies(files(target), copied.environment)
    except BaseException:
        if not spark:
            with suppress(ProbesheetsError):  # the reason why the build failed is more important
                discard_copy(database_file(target))
        raise


def _builder(target: str, take_over: bool) -> dict[str, str]:
    """Who builds on a Spark that others may share, and whether a build that has not ended may be ignored."""
    if not is_spark(target):
        return {}
    user = os.environ.get("USER", "a user")
    return {"PROBESHEETS_BUILDER": f"{user}@{gethostname()}", "PROBESHEETS_TAKE_OVER": "1" * take_over}
