"""Before `run --source --new` replaces the copy: would it lose most of what was delivered?"""

from pathlib import Path

from probesheets.errors import ProbesheetsError
from probesheets.folder.delivered import load
from probesheets.folder.manifest import DELIVERED, MANIFEST
from probesheets.source.copy import INCOMING, connect

MOST_GONE = 0.5  # of the delivered records


def refuse_loss(database: Path, out: Path, source: str) -> None:
    """Raises ProbesheetsError if over half of the records delivered to `out` are not in the incoming copy.

    A record is also missing if the id had other content in the previous copy: ids may have begun at 1 again.
    """
    with connect(database) as connection:
        names = {str(name) for (name,) in connection.execute("show tables").fetchall()}
        old = "main.table_output" if "table_output" in names else f"(from main.{INCOMING}table_output limit 0)"
        try:
            records = load(out / DELIVERED)
        except (OSError, ValueError, KeyError):
            if "table_output" not in names or not (out / MANIFEST).exists():
                return  # nothing to lose here
            raise ProbesheetsError(
                f"{out / DELIVERED} is missing or damaged, so what {source} lacks cannot be known. To restore it, run: "
                f"probesheets export --new --out {out}\nThen run the same command again."
            ) from None
        connection.register("records", records)
        [(count, gone)] = connection.execute(
            f"""
            with delivered as (
                select distinct try_cast(substr(record_id, 2) as bigint) as id from records  -- T12 or R12, not T12-L1
            )
            select
                count(*),
                count(*) filter (
                    new.id is null
                    or concat(new.probe, new.content) <> concat(old.probe, old.content) and old.id is not null
                )
            from delivered
            left join main.{INCOMING}table_output as new using (id)
            left join {old} as old using (id)
            where delivered.id is not null
            """
        ).fetchall()
        if gone > count * MOST_GONE:
            raise ProbesheetsError(
                f"{gone:,} of the {count:,} records delivered to {out} are not in {source}, or have other content "
                "there. Nothing was replaced.\n"
                f"If {source} has only new rows, add --append. If it replaces everything, choose another folder with "
                "--out."
            )
