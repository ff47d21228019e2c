"""What `check` promises, `run` does: both over bad inputs, on DuckDB.

Neither gives a traceback; what stops `run` is what `check` has said.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from probesheets.project.build import inspect_source
from probesheets.workbooks.layout import Column, Layout
from probesheets.workbooks.layout import check as check_layout
from tests.build import command, dbt_build, make_project, own_part, run
from tests.exporter.command import Result, probesheets
from tests.exporter.promises import as_yaml, at, both, write_source


@dataclass(frozen=True)
class Case:
    """An input; `says` is a part of what both commands say of it, "" if it is good."""

    says: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Path], object] = lambda folder: None
    source: tuple[str, ...] = ("--source", "source.csv")


def a_folder(folder: Path) -> None:
    (folder / "there.duckdb").mkdir()


def a_text(folder: Path) -> None:
    (folder / "there.duckdb").write_text("no database " * 500, encoding="utf-8")


def a_view(folder: Path) -> None:
    with duckdb.connect(str(folder / "there.duckdb")) as connection:
        connection.execute("create view table_output as select 1 as id")


def integers(folder: Path) -> None:
    with duckdb.connect(str(folder / "there.duckdb")) as connection:
        connection.execute(f"create table table_output as from read_csv('{folder / 'source.csv'}', all_varchar = true)")


def a_variable(name: str) -> Callable[[Path], None]:
    """Beside those of dbt_project.yml."""

    def prepare(folder: Path) -> None:
        file = folder / "dbt_project.yml"
        changed = file.read_text(encoding="utf-8").replace("  bare_links:", f"  {name}: [mood]\n  bare_links:")
        file.unlink()  # a link to the checkout's
        file.write_text(changed, encoding="utf-8")

    return prepare


def an_exposure(change: Callable[[dict[Any, Any]], object], model: str = "links") -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        file = own_part(folder, "models") / "exports" / "spreadsheets.yml"
        exports = yaml.safe_load(file.read_text(encoding="utf-8"))
        [exposure] = [exposure for exposure in exports["exposures"] if exposure["name"] == "links"]
        exposure["depends_on"] = [f"ref('{model}')"]
        change(exposure["config"]["meta"])
        file.write_text(yaml.safe_dump(exports, sort_keys=False), encoding="utf-8")

    return prepare


THERE, BUNDLED = at("there.duckdb"), ()
ON_DUCKDB = {
    "a misspelt tag": Case("dbt_project.yml sets the variable 'text_tga'", prepare=a_variable("text_tga")),
    "a column that is missing": Case("has no column nope", {"extra_columns": ["mood", "nope"]}),
    "a text tag with an escape": Case("text_tag is ", {"text_tag": "\x1b[2Jtrimmed"}),
    "a folder": Case("there.duckdb cannot be opened for writing", {}, THERE, a_folder),
    "a folder, the sample": Case("there.duckdb cannot be opened for writing", {}, THERE, a_folder, BUNDLED),
    "a text file": Case("there.duckdb cannot be opened for writing", {}, THERE, a_text),
    "a text file, the sample": Case("there.duckdb cannot be opened for writing", {}, THERE, a_text, BUNDLED),
    "a view": Case("there.duckdb has a view table_output", {}, THERE, a_view),
    "no folder": Case("no is not a folder that you can write to", {}, at("no/there.duckdb")),
    "an empty name": Case("PROBESHEETS_DUCKDB must name a file", {}, at("")),
    "a catalog of DuckDB": Case("PROBESHEETS_DUCKDB must name a file", {}, at("main.duckdb")),
    "a quotation mark": Case("PROBESHEETS_DUCKDB must name a file", {}, at("o'b.duckdb"), source=BUNDLED),
    "no file": Case("PROBESHEETS_DUCKDB must name a file", {}, at(":memory:")),
    "a table of texts": Case("table_output.id is of the type VARCHAR", {}, THERE, integers, BUNDLED),
    "an order that is no column": Case(
        "Exposure links (models/exports/spreadsheets.yml): config.meta is not valid: Expected `str`, got `int`",
        prepare=an_exposure(lambda meta: meta.update(order_by=[1])),
    ),
    "a project that dbt cannot read": Case("no_such_model", prepare=an_exposure(lambda _: None, "no_such_model")),
}


@pytest.mark.parametrize("case", ON_DUCKDB.values(), ids=ON_DUCKDB)
def test_what_stops_run_is_what_check_has_said(case: Case, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    make_project(folder)
    write_source(folder / "source.csv")
    case.prepare(folder)

    def ask(command: str, *arguments: str) -> Result:
        return probesheets(folder, case.environment, command, *arguments)

    both(ask, [case.says], case.variables, *case.source)
    assert not (folder / "out").exists() or not list((folder / "out").rglob("*.xlsx"))


@pytest.mark.parametrize("wrong", [None, ["a"], True], ids=repr)
def test_every_wrong_variable_is_named_by_both(wrong: object, tmp_path: Path) -> None:
    make_project(tmp_path / "p")
    write_source(tmp_path / "p" / "source.csv")
    variables = {"extra_tags": [wrong], "extra_columns": [{"a": "b"}], "date_tag": True, "dirty_data": "wran"}
    says = [f"{name} must be a list of names" for name in ("extra_tags", "extra_columns")]
    says += ["date_tag must be a name", "dirty_data must be warn, error or ignore"]
    both(lambda *more: probesheets(tmp_path / "p", {}, *more), says, variables, "--source", "source.csv")


BAD_NAMES = {
    "a-b": "appears twice",
    "A b": "appears twice",
    "日本!": "appears twice",
    "---": "cannot be the name of a column",
    "_x0041_": "cannot be the name of a column",
    "x\\u001b[2J": "cannot be the name of a column",
    "x\\u202ey": "cannot be the name of a column",
    "x\\u00a0y": "cannot be the name of a column",
    "x ": "cannot be the name of a column",
    'a\\"b'.replace("\\", ""): "cannot be the name of a column",
    "ſame as": "is a header of the spreadsheets",
    "ID": "is a header of the spreadsheets",
    "Text_İd": "is taken",
    "file_stem": "is taken",
}


def test_every_name_that_is_no_column_is_named_by_both(tmp_path: Path) -> None:
    make_project(tmp_path / "p")
    write_source(tmp_path / "p" / "source.csv")
    given = [json.loads(f'"{name}"') if "\\u" in name else name for name in BAD_NAMES]
    says = [f'the name "{name}" {fault}' for name, fault in BAD_NAMES.items()]
    both(
        lambda *arguments: probesheets(tmp_path / "p", {}, *arguments),
        says,
        {"extra_tags": ["a b", "日本", "fine", *given]},
        "--source",
        "source.csv",
    )
    with duckdb.connect(str(tmp_path / "p" / "probesheets.duckdb"), read_only=True) as connection:
        assert connection.execute("show tables").fetchall() == []  # neither a copy nor a model


def test_a_name_that_dbt_takes_is_a_header_that_the_export_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two rules, one in Jinja and one in Python: what the first lets through must not stop the export after it."""
    make_project(tmp_path / "p")
    make = [chr(code) for code in [*range(1, 0x180), 0x2028, 0x200B, 0x3000, 0xFB01, 0xFFFF, 0x1F600]]
    names = [f"x{character}{number}" for number, character in enumerate(make)]
    names += [f"{character}y{number}" for number, character in enumerate(make)]
    names += ["z" * 63, "z" * 64, "_", "٣", "漢字", "Ⅷ", "x_x00e9_", "x_x00g9_"]
    monkeypatch.chdir(tmp_path / "p")
    answer = inspect_source("duckdb", as_yaml({"extra_tags": names}), at(str(tmp_path / "probesheets.duckdb")))
    refused = {name for name in names if any(f'"{shown_by_jinja(name)}" cannot' in fault for fault in answer["faults"])}
    assert refused == {name for name in names if not fits(name)}
    assert 50 < len(refused) < len(names) / 2


def shown_by_jinja(name: str) -> str:
    return "".join(character if character.isprintable() else json.dumps(character)[1:-1] for character in name)


def fits(name: str) -> bool:
    try:
        check_layout(Layout("Sheet", (Column("record_id", "Record ID"), Column(name, name))))
    except ValueError:
        return False
    return '"' not in name and "`" not in name  # which end a name in SQL


def test_dbt_by_hand_refuses_the_same(tmp_path: Path) -> None:
    make_project(tmp_path / "p")
    variables = {"extra_tags": [None], "date_tag": True, "bare_links": "no", "text_tga": "x"}
    result = dbt_build(tmp_path / "p", "duckdb", {}, variables)
    assert result.returncode
    said = ["extra_tags must be a list of names", "date_tag must be a name", "bare_links must be true or false"]
    for part in [*said, "There is no variable 'text_tga'", "Valid: shape, text_tag, date_tag"]:
        assert part in result.stdout
    with duckdb.connect(str(tmp_path / "p" / "probesheets.duckdb"), read_only=True) as connection:
        assert connection.execute("show tables").fetchall() == []


@pytest.mark.parametrize(("severity", "code"), [("ignore", 0), ("warn", 1), ("error", 1)])
def test_dirty_data_may_warn_stop_or_be_ignored(tmp_path: Path, severity: str, code: int) -> None:
    """`dbt --warn-error build` passes on the sample, whose data is dirty, if it is told to ignore it."""
    make_project(tmp_path / "p")
    dbt = [str(command("duckdb", "dbt")), "--warn-error", "build", "--exclude-resource-type", "unit_test"]
    done = run([*dbt, "--profiles-dir", ".", "--vars", f"{{dirty_data: {severity}}}"], tmp_path / "p", {})
    assert bool(done.returncode) == bool(code), done.stdout
    if severity == "ignore":
        assert "WARN=0 ERROR=0" in done.stdout


def test_a_variable_of_the_users_own_is_no_fault(tmp_path: Path) -> None:
    """One of their macros may read it, which dbt does not say."""
    make_project(tmp_path / "p")
    a_variable("my_table")(tmp_path / "p")
    done = probesheets(tmp_path / "p", {}, "check")
    assert done.code == 0, done.out
