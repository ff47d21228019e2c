"""`run --append`: new rows join the copy. What would lose or mix records is refused before anything is replaced."""

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from probesheets.errors import ProbesheetsError
from probesheets.source.asked import Source
from probesheets.source.copy import copy_source
from probesheets.source.keep import INCOMING
from tests.build import make_project
from tests.copies import replace_copy
from tests.exporter.command import probesheets
from tests.exports import contents, records

HEADER = "id,experiment_id,root_id,depth,tag,probe,content\n"


def outputs(first: int, *texts: str) -> str:
    """Rows of table_output: one raw row, then a text and its date for each of `texts`."""
    rows = [f"{first},1,0,0,raw,P,all of it"]
    for depth, text in enumerate(texts, 1):
        rows.append(f"{first + 2 * depth - 1},1,{first},{depth},trimmed,P,P {text}")
        rows.append(f"{first + 2 * depth},1,{first},{depth},date,P,2020-03-0{depth}")
    return HEADER + "\n".join(rows) + "\n"


@pytest.fixture(scope="module")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("append") / "p"
    make_project(folder)
    (folder / "batch1.csv").write_text(outputs(1, "one", "two", "three"), encoding="utf-8")
    (folder / "batch2.csv").write_text(outputs(11, "four", "five"), encoding="utf-8")
    (folder / "again.csv").write_text(outputs(1, "six", "seven"), encoding="utf-8")
    (folder / "models.csv").write_text("id,model_name\n1,small\n", encoding="utf-8")
    (folder / "large.csv").write_text("id,model_name\n1,large\n", encoding="utf-8")
    done = probesheets(folder, {}, "run", "--source", "batch1.csv", "--experiments", "models.csv")
    assert done.code == 0, done.err
    return folder


@pytest.fixture
def project(built_once: Path, tmp_path: Path) -> Path:
    """A project whose copy is batch1.csv, exported into out/, and more batches."""
    return Path(shutil.copytree(built_once, tmp_path / "p", symlinks=True))


def ids(database: Path, table: str = "table_output") -> list[tuple[Any, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(f"select id, root_id, experiment_id from {table} order by id").fetchall()


def test_only_new_rows_are_appended_and_exported(project: Path) -> None:
    arguments = ("run", "--source", "batch2.csv", "--append", "--new")
    done = probesheets(project, {}, *arguments)
    assert done.code == 0 and "Read 5 rows of table_output from batch2.csv, 5 of them new" in done.err, done.err
    assert records(project / "out", "with_links/*-batch2.xlsx") == ["T12", "T14"]
    assert "to replace" not in done.err
    assert "disappeared" not in done.err and "changed" not in done.err
    before = contents(project / "out")
    again = probesheets(project, {}, *arguments)
    assert again.code == 0 and "0 of them new" in again.err and "There is nothing new" in again.err
    assert contents(project / "out") == before
    with duckdb.connect(str(project / "probesheets.duckdb"), read_only=True) as connection:
        [row] = connection.execute("select count(*), min(model_name), max(model_name) from texts").fetchall()
        comments = connection.execute("select comment from duckdb_tables() where comment is not null").fetchall()
    assert row == (5, "small", "small") and comments == [("batch1.csv, batch2.csv",)]


def test_an_id_with_other_content_is_refused_with_both_rows(project: Path) -> None:
    for command in ("check", "run"):
        done = probesheets(project, {}, command, "--source", "again.csv", "--append")
        said = done.out + done.err
        assert done.code == 1 and "the same id for different rows of table_output (2). The first is 2:" in said, said
        assert "the copy: id 2, experiment_id 1, root_id 1, tag trimmed, depth 1, probe P, content P one" in said
        assert "again.csv: id 2, experiment_id 1, root_id 1, tag trimmed, depth 1, probe P, content P six" in said
        assert "--offset-ids 10" in said
    assert len(ids(project / "probesheets.duckdb")) == 7


def test_of_long_rows_the_place_where_they_differ_is_shown(project: Path) -> None:
    text, more = "b" * 100, "c" * 100
    replace_copy(project / "probesheets.duckdb", written(project, outputs(1, f"{text} old {more}")))
    with pytest.raises(ProbesheetsError) as refused:
        later = written(project, outputs(1, f"{text} new {more}"))
        copy_source(project / "probesheets.duckdb", Source(later, append=True))
    assert f"content …{'b' * 29} old c" in str(refused.value) and f"content …{'b' * 29} new c" in str(refused.value)
    with pytest.raises(ProbesheetsError) as refused:
        copy_source(project / "probesheets.duckdb", Source(written(project, outputs(1, text)), append=True))
    assert f"content …{'b' * 30}\n" in str(refused.value)


def written(project: Path, rows: str) -> str:
    (project / "rows.csv").write_text(rows, encoding="utf-8")
    return str(project / "rows.csv")


def test_an_offset_moves_every_id_and_repeats_without_effect(project: Path) -> None:
    source = Source(str(project / "again.csv"), project / "large.csv", append=True, offset=100)
    database = project / "probesheets.duckdb"
    said = copy_source(database, source).said[0]
    assert said.endswith(", 5 of them new")
    every = ids(database, f"{INCOMING}table_output")
    assert every[:7] == ids(database)
    assert every[7:] == [(101, 0, 101), (102, 101, 101), (103, 101, 101), (104, 101, 101), (105, 101, 101)]
    with duckdb.connect(str(database), read_only=True) as connection:
        models = connection.execute(f"from {INCOMING}table_experiment order by id").fetchall()
    assert models == [(1, "small"), (101, "large")]
    replace_copy(database, source)
    said = copy_source(database, source).said[0]
    assert said.endswith(", 0 of them new")
    assert ids(database, f"{INCOMING}table_output") == ids(database) == every


def test_a_copy_that_takes_the_place_of_another_one_is_named(project: Path) -> None:
    assert "to replace the copy of batch1.csv" in probesheets(project, {}, "check", "--source", "again.csv").out
    done = probesheets(project, {}, "run", "--source", "again.csv")
    assert "To keep them, add --experiments FILE." in done.err
    assert "Read 5 rows of table_output from again.csv, to replace the copy of batch1.csv" in done.err, done.err
    assert "to replace" not in probesheets(project, {}, "run", "--source", "again.csv").err


def test_models_with_the_same_id_are_refused(project: Path) -> None:
    source = Source(str(project / "batch2.csv"), project / "large.csv", append=True)
    rows = r"id 1, model_name small\n.*id 1, model_name large\n"
    with pytest.raises(ProbesheetsError, match=rf"{rows}.*--offset-ids 10\."):
        copy_source(project / "probesheets.duckdb", source)


def test_columns_may_differ_between_batches(project: Path) -> None:
    (project / "more.csv").write_text(
        "id,experiment_id,root_id,tag,probe,content,mood\n12,1,11,trimmed,P,P four,glad\n1,1,0,raw,P,all of it,\n",
        encoding="utf-8",
    )
    replace_copy(project / "probesheets.duckdb", Source(str(project / "more.csv"), append=True))
    with duckdb.connect(str(project / "probesheets.duckdb"), read_only=True) as connection:
        rows = connection.execute("select id, depth, mood from table_output where id in (1, 2, 12)").fetchall()
    assert sorted(rows) == [(1, 0, None), (2, 1, None), (12, None, "glad")]
    (project / "moody.csv").write_text(
        "id,experiment_id,root_id,tag,probe,content,mood\n1,1,0,raw,P,all of it,sad\n", encoding="utf-8"
    )
    with pytest.raises(ProbesheetsError, match=r"different rows of table_output \(1\)"):
        copy_source(project / "probesheets.duckdb", Source(str(project / "moody.csv"), append=True))


@pytest.mark.parametrize("built", [False, True])
def test_nothing_is_appended_to_the_sample(tmp_path: Path, built: bool) -> None:
    make_project(tmp_path / "p")
    (tmp_path / "p" / "batch2.csv").write_text(outputs(11, "four"), encoding="utf-8")
    if built:
        assert probesheets(tmp_path / "p", {}, "run").code == 0
    for command in ("check", "run"):
        done = probesheets(tmp_path / "p", {}, command, "--source", "batch2.csv", "--append")
        assert done.code == 1 and "There is no copy to append to" in done.out + done.err, done.out + done.err


@pytest.mark.parametrize("source", ["batch2.csv", "again.csv"])
def test_new_stops_before_most_of_what_was_delivered_is_gone(project: Path, source: str) -> None:
    before, delivered = ids(project / "probesheets.duckdb"), contents(project / "out")
    done = probesheets(project, {}, "run", "--source", source, "--new")
    assert done.code == 1 and "of the 3 records delivered to out are not in" in done.err, done.err
    assert source in done.err and "--append" in done.err and "--out" in done.err
    assert ids(project / "probesheets.duckdb") == before and contents(project / "out") == delivered
    with duckdb.connect(str(project / "probesheets.duckdb"), read_only=True) as connection:
        assert not [name for (name,) in connection.execute("show tables").fetchall() if name.startswith(INCOMING)]
    assert probesheets(project, {}, "verify", "out", "--target", "duckdb").code == 0


def test_new_accepts_a_source_that_lost_less_than_half(project: Path) -> None:
    whole = outputs(1, "one", "two", "three").splitlines(keepends=True)
    (project / "most.csv").write_text("".join(whole[:-2]) + "20,1,1,9,trimmed,P,P nine\n", encoding="utf-8")
    done = probesheets(project, {}, "run", "--source", "most.csv", "--new")
    assert done.code == 0 and "1 record disappeared" in done.err, done.err
    assert records(project / "out", "with_links/*-batch2.xlsx") == ["T20"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--append"], "--append needs --source"),
        (["--null", "NULL"], "--null needs --source"),
        (["--source", "batch2.csv", "--offset-ids", "5"], "--offset-ids needs --append"),
        (["--source", "batch2.csv", "--append", "--target", "mariadb"], "Remove --source, --append"),
    ],
)
def test_options_that_do_not_fit_together(project: Path, arguments: list[str], says: str) -> None:
    for command in ("check", "run"):
        done = probesheets(project, {}, command, *arguments)
        assert done.code == 1 and says in done.err, done.err


def test_words_for_null_are_named_and_become_null_on_request(project: Path) -> None:
    rows = "1,NULL,0,0,raw,NULL,NULL\n2,1,1,1,trimmed,NULL,some\n3,1,1,1,date,P,\\N\n4,1,1,2,trimmed,P,NULL a\n"
    (project / "nulls.csv").write_text(HEADER + rows, encoding="utf-8")
    copied = []
    for command in ("check", "run"):
        done = probesheets(project, {}, command, "--source", "nulls.csv")
        said = done.out + done.err
        assert "only NULL: 2 of probe, 1 of content." in said and "--null NULL" in said, said
        assert "only \\N: 1 of content." in said and "--null '\\N'" in said
        copied.append(done.code)
    assert copied == [0, 0]
    again = Source(str(project / "nulls.csv"), nulls=("NULL", "\\N"))
    assert copy_source(project / "probesheets.duckdb", again).advice == ()
    with duckdb.connect(str(project / "probesheets.duckdb"), read_only=True) as connection:
        query = "select id, experiment_id, probe, content from {} order by id"
        assert connection.execute(query.format("table_output")).fetchall()[0] == (1, None, "NULL", "NULL")
        incoming = connection.execute(query.format(f"{INCOMING}table_output")).fetchall()
    assert incoming == [(1, None, None, None), (2, 1, None, "some"), (3, 1, "P", None), (4, 1, "P", "NULL a")]


def test_two_studies_side_by_side(project: Path) -> None:
    other = {"PROBESHEETS_DUCKDB": str(project.parent / "other" / "probesheets.duckdb")}
    (project.parent / "other").mkdir()
    shutil.rmtree(project / "target")
    ran = [
        probesheets(project, other, "run", "--source", "batch2.csv", "--out", "other"),
        probesheets(project, {}, "run", "--vars", "{extra_columns: [depth]}"),
        probesheets(project, other, "export", "--out", "other"),
        probesheets(project, other, "verify", "other", "--target", "duckdb"),
        probesheets(project, {}, "verify", "out", "--target", "duckdb"),
    ]
    assert [done.code for done in ran] == [0] * 5, [done.err for done in ran]
    states = [*(project / "target").glob("duckdb-*/run_results.json")]
    assert len(states) == 2 and len({file.read_bytes() for file in states}) == 2


def test_an_empty_cell_and_null_are_the_same(project: Path) -> None:
    rows = "12,1,11,1,note,P,\n13,1,11,1,trimmed,P,P four\n"
    (project / "empty.csv").write_text(HEADER + rows, encoding="utf-8")
    (project / "null.csv").write_text(HEADER + rows.replace("P,\n", "P,NULL\n"), encoding="utf-8")
    database = project / "probesheets.duckdb"
    replace_copy(database, Source(str(project / "empty.csv"), append=True))
    said = copy_source(database, Source(str(project / "null.csv"), append=True, nulls=("NULL",))).said[0]
    assert said.endswith(", 0 of them new")


def test_without_its_list_of_deliveries_a_folder_is_not_trusted(project: Path) -> None:
    (project / "out" / "delivered.csv").unlink()
    before = ids(project / "probesheets.duckdb")
    done = probesheets(project, {}, "run", "--source", "again.csv", "--new")
    assert done.code == 1 and "To restore it, run: probesheets export --new --out out" in done.err, done.err
    assert ids(project / "probesheets.duckdb") == before
    assert probesheets(project, {}, "export", "--new", "--out", "out").code == 0
    done = probesheets(project, {}, "run", "--source", "again.csv", "--new")
    assert done.code == 1 and "of the 3 records delivered to out are not in again.csv" in done.err, done.err
