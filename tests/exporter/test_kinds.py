"""Exposures define the spreadsheets: an analyst's new one, and the messages about wrong ones."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from probesheets.errors import ProbesheetsError
from probesheets.project.kinds import read_kinds
from tests.build import Build, Source, make_project, run
from tests.build import command as executable
from tests.exporter.command import probesheets
from tests.exports import sheet

NEW_KIND = """
version: 2
exposures:
  - name: by_month
    type: analysis
    owner: {name: an analyst, email: analyst@example.org}
    depends_on: [ref('texts')]
    config:
      meta:
        sheet: One month
        one_file_per: month
        order_by: [probe, text_id]
        long_text: text
        columns:
          - {name: record_id, header: Record ID}
          - {name: probe, header: Prompt, width: 30}
          - {more: "{{ var('extra_tags') }}"}
          - {name: text, header: Answer, wrap: true}
"""


def test_a_new_exposure_is_a_new_kind(built_sample: Build, sample: Source, tmp_path: Path) -> None:
    make_project(tmp_path / "p")
    # no text may be without a group: the model says which texts are exported
    (tmp_path / "p" / "models" / "exports" / "dated_texts.sql").write_text(
        "{{ config(materialized='view') }}\nselect * from {{ ref('texts') }} where month is not null\n",
        encoding="utf-8",
    )
    new = NEW_KIND.replace("ref('texts')", "ref('dated_texts')")
    (tmp_path / "p" / "models" / "exports" / "by_month.yml").write_text(new, encoding="utf-8")
    environment = built_sample.environment | {"PROBESHEETS_DUCKDB": str(tmp_path / "copy.duckdb")}
    shutil.copy(built_sample.database, tmp_path / "copy.duckdb")
    arguments = ["run", "--select", "dated_texts", "--profiles-dir", ".", "--vars", json.dumps(dict(sample.variables))]
    dbt = run([str(executable("duckdb", "dbt")), *arguments], tmp_path / "p", environment)
    assert dbt.returncode == 0, dbt.stdout
    result = probesheets(tmp_path / "p", environment, "export", "--only", "by_month", "--out", str(tmp_path / "out"))
    assert result.code == 0, result.err
    months = sorted(path.stem for path in (tmp_path / "out" / "by_month").iterdir())
    assert "March, 2020" in months and len(months) > 20
    rows = sheet(tmp_path / "out" / "by_month" / "March, 2020.xlsx")
    assert rows[0] == ["Record ID", "Prompt", "location", "author", "Answer"]
    assert [row[1] for row in rows[1:]] == sorted(row[1] for row in rows[1:])


def with_meta(build: Build, folder: Path, kind: str, change: Callable[[dict[str, Any]], object]) -> dict[str, str]:
    """The environment of a copy of a build that saw another exposure: what `dbt build` records, without its seconds."""
    database = folder / "probesheets.duckdb"
    shutil.copy(build.database, database)
    with duckdb.connect(str(database)) as connection:
        started = "where event = 'started'"
        [(details,)] = connection.execute(f"select details from probesheets_builds {started}").fetchall()
        seen = json.loads(details)
        change(next(exposure["meta"] for exposure in seen["kinds"] if exposure["name"] == kind))
        connection.execute(f"update probesheets_builds set details = ? {started}", [json.dumps(seen)])
    return {**build.environment, "PROBESHEETS_DUCKDB": str(database)}


@pytest.mark.parametrize("column", ["link_count", "starts_with_probe", "date_match"])
def test_one_file_per_value_of_any_column(column: str, built_sample: Build, tmp_path: Path) -> None:
    """Numbers and truth values name files, too; the accounts and verify know them by these names."""
    environment = with_meta(built_sample, tmp_path, "with_links", lambda meta: meta.update(one_file_per=column))
    arguments = ["export", "--only", "with_links", "--out", str(tmp_path / "out")]
    assert probesheets(built_sample.folder, environment, *arguments).code == 0
    values = {row[0] for row in built_sample.rows("texts", [column])}
    names = {str(value).upper() if isinstance(value, bool) else str(value) for value in values}
    assert {path.stem for path in (tmp_path / "out" / "with_links").iterdir()} == names
    arguments = ["verify", str(tmp_path / "out"), "--target", "duckdb"]
    assert probesheets(built_sample.folder, environment, *arguments).code == 0
    arguments = ["export", "--new", "--only", "with_links", "--out", str(tmp_path / "out")]
    result = probesheets(built_sample.folder, environment, *arguments)
    assert result.code == 0 and "There is nothing new" in result.err and "instead" not in result.err


WRONG: dict[str, tuple[Callable[[dict[str, Any]], object], list[str]]] = {
    "a key": (lambda meta: meta.update(ordered_by=["url"]), ["`ordered_by`", "order_by"]),
    "a column's key": (lambda meta: meta["columns"][0].update(wide=3), ["`wide`", "width"]),
    "a column": (lambda meta: meta["columns"].append({"name": "ur"}), ["'ur'", "url", "host"]),
    "an order": (lambda meta: meta.update(order_by=["text"]), ["'text'", "text_id"]),
    "an order that is no text": (
        lambda meta: meta.update(order_by=[1]),
        ["Expected `str`, got `int` - at `$.order_by[0]`"],
    ),
    "an order that is a mapping": (lambda meta: meta.update(order_by={"a": 1}), ["got `object` - at `$.order_by`"]),
    "a key that was no text": (lambda meta: meta["columns"][0].update({"1": "x"}), ["`1`", "Valid: name, header"]),
    "a column without a name": (
        lambda meta: meta["columns"].append({"header": "X"}),
        ["missing key `name`"],
    ),
    "no columns": (lambda meta: meta.pop("columns"), ["missing key `columns`"]),
    "a sheet's name": (lambda meta: meta.update(sheet="A/B"), ["'A/B'"]),
    "dates": (lambda meta: meta.update(dates="iso"), ["'iso'", "cell", "text"]),
    "a format": (lambda meta: meta.update(format="pdf"), ["no format 'pdf'. Valid: xlsx, html, txt, qdpx."]),
    "pieces": (lambda meta: meta.update(format="html", pieces="ur"), ["no column 'ur'", "url"]),
    "a use in a page": (lambda meta: meta["columns"][0].update(page="tab"), ["'tab' - at `$.page`"]),
    "a header twice": (lambda meta: meta["columns"][1].update(header="record id"), ["record id"]),
    "a type": (lambda meta: meta["columns"][0].update(width="wide"), ["width"]),
    "true for a number": (lambda meta: meta["columns"][0].update(width=True), ["got `bool` - at `$.width`"]),
    "a width that is no number": (lambda meta: meta["columns"][0].update(width=float("nan")), ["width nan"]),
}


@pytest.mark.parametrize(("change", "parts"), WRONG.values(), ids=WRONG)
def test_wrong_exposures_are_named(
    built_sample: Build, tmp_path: Path, change: Callable[[dict[str, Any]], object], parts: list[str]
) -> None:
    environment = with_meta(built_sample, tmp_path, "links", change)
    result = probesheets(built_sample.folder, environment, "export", "--out", str(tmp_path / "out"))
    assert result.code == 1
    assert "links" in result.err and all(part in result.err for part in parts), result.err
    assert not list((tmp_path / "out").rglob("*.xlsx"))


@pytest.mark.parametrize("key", [1, None, True, 1.5])
def test_a_key_that_is_no_text(key: Any) -> None:
    """dbt makes texts of such keys; whoever reads an exposure otherwise gets the same sentence."""
    meta = {"sheet": "S", "columns": [{"name": "record_id", key: "x"}]}
    exposures = [{"name": "links", "file": "a.yml", "meta": meta, "models": ["model.probesheets.links"]}]
    with pytest.raises(ProbesheetsError, match=r"in columns is not valid.*Valid: name, header"):
        list(read_kinds(exposures))
    meta["columns"] = [{"name": "record_id"}]
    meta[key] = "x"
    with pytest.raises(ProbesheetsError, match=r"config\.meta is not valid.*Valid: sheet, columns"):
        list(read_kinds(exposures))


def test_every_bundled_exposure_names_its_columns_once() -> None:
    text = (Path(__file__).resolve().parents[2] / "models" / "exports" / "spreadsheets.yml").read_text(encoding="utf-8")
    for exposure in yaml.safe_load(text)["exposures"]:
        names = [column["name"] for column in exposure["config"]["meta"]["columns"] if "name" in column]
        assert len(names) == len(set(names))
