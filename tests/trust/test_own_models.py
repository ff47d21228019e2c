"""A build includes what users add to the project: models, seeds, snapshots, variables, kinds."""

from pathlib import Path

import pytest

from tests.exporter.command import probesheets
from tests.trust.build_case import EXPOSURE, TEXTS, Case

pytestmark = pytest.mark.parametrize("case", ["duckdb"], indirect=True)
SNAPSHOT = """
{% snapshot kept %}
{{ config(target_schema=target.schema, unique_key='record_id', strategy='check', check_cols=['text']) }}
select record_id, text from {{ ref('texts') }}
{% endsnapshot %}
"""


def add(case: Case, questions: str, **others: str) -> None:
    """The kind `questions`, made of a model of that name, and other files by path."""
    kind = EXPOSURE[EXPOSURE.index("exposures:") :]
    files = {"models/exports/questions.yml": f"version: 2\n{kind}", "models/exports/questions.sql": questions}
    for name, text in (files | others).items():
        file = case.models.parent / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def build(case: Case, *arguments: str) -> None:
    code, said = case.dbt(*arguments)
    assert code == 0, said


def refused_questions(case: Case, *parts: str) -> None:
    code, said = case.probesheets("export")
    assert code == 1 and "The models of questions are not ready" in said, said
    assert all(part in said for part in parts), said


def test_a_snapshot_that_is_older_than_its_model(case: Case) -> None:
    add(case, "select record_id, text from {{ ref('kept') }}", **{"snapshots/kept.sql": SNAPSHOT})
    build(case, "build")
    case.exported()
    build(case, "run", "--select", TEXTS, "questions")
    build(case, "run", "--select", f"{TEXTS}+", "--exclude", "questions")
    build(case, "test")
    refused_questions(case, "kept is older than texts, which it reads")
    build(case, "snapshot")
    refused_questions(case, "questions is older than kept, which it reads")
    build(case, "build", "--select", "questions")
    case.exported()


def test_a_seed(case: Case) -> None:
    """It depends on neither the source nor the variables, but a newer seed makes its models out of date."""
    seed = {"seeds/labels.csv": "record_id,text\nT1,first\n"}
    add(case, "select record_id, text from {{ ref('labels') }}", **seed)
    build(case, "build")
    case.grow()
    build(case, "run", "--vars", "{bare_links: false}")
    build(case, "test", "--vars", "{bare_links: false}")
    case.exported()
    build(case, "seed")
    refused_questions(case, "questions is older than labels, which it reads")


def test_an_ephemeral_model(case: Case) -> None:
    """It is never built; a model that reads it depends on what it reads."""
    text = "{{ config(materialized='ephemeral') }} select record_id, text from {{ ref('texts') }}"
    add(case, "select * from {{ ref('between') }}", **{"models/exports/between.sql": text})
    build(case, "build")
    case.exported()
    build(case, "run", "--select", f"{TEXTS}+", "--exclude", "questions")
    build(case, "test")
    refused_questions(case, "questions is older than texts, which it reads")


def test_a_variable_of_ones_own(case: Case) -> None:
    project = case.build.folder / "dbt_project.yml"
    text = project.read_text(encoding="utf-8")
    project.unlink()
    project.write_text(text.replace("  text_tag:", "  word: a\n  text_tag:"), encoding="utf-8")
    between = "select record_id, text, '{{ var('word') }}' as word from {{ ref('texts') }}"
    add(case, "select * from {{ ref('between') }}", **{"models/exports/between.sql": between})
    build(case, "build")
    case.exported()
    build(case, "build", "--select", "questions", "--vars", "{word: b}")
    refused_questions(case, "different variables", """--vars '{"word": "b"}'""")


def test_the_version_is_that_of_the_project(case: Case) -> None:
    """Whatever a model says of itself, and whichever model is read last."""
    add(case, "{{ config(meta={'project_version': '7'}) }} select record_id, text from {{ ref('texts') }}")
    build(case, "build")
    build(case, "build", "--select", "path:models/texts/links.sql", "questions")
    case.exported()


def test_a_model_that_failed(case: Case) -> None:
    """The message does not say that it is still running."""
    (case.models / "texts" / "links.sql").write_text("select * from nowhere\n", encoding="utf-8")
    assert case.dbt("run", "--select", "path:models/texts/links.sql")[0] == 1
    code, said = case.probesheets("export")
    assert code == 1 and "links failed in the dbt build that began at" in said and "running" not in said, said


def test_tests_with_other_variables_do_not_count(case: Case) -> None:
    build(case, "run")
    build(case, "test", "--vars", "{bare_links: false}")
    assert case.refused("has not run since its models were built") == "dbt test --target duckdb"
    build(case, "test")
    case.exported()


def test_empty_models_are_not_built(case: Case) -> None:
    code, said = case.dbt("build", "--empty")
    assert code != 0 and "Remove --empty" in said, said
    case.exported()


def test_each_file_has_the_build_that_it_is_of(case: Case) -> None:
    case.grow()
    build(case, "build")
    code, said = case.probesheets("export", "--only", "links")
    assert code == 0, said
    code, said = case.probesheets("verify", "out")
    assert code == 1 and "xlsx was exported from the build of" in said, said
    assert "links.xlsx was exported" not in said, said
    assert "the build of" not in case.exported()


def test_verify_knows_the_build_of_a_kind(case: Case) -> None:
    """A part of the models may be newer, and all exported: nothing was built since."""
    build(case, "build", "--select", "left_out+")
    case.exported()
    assert "the build of" not in case.exported("--only", "links")
    assert "the build of" not in case.probesheets("verify", "out")[1]


@pytest.mark.parametrize("name", ["DBT_PRINT", "DBT_LOG_FORMAT"])
def test_settings_of_dbt_do_not_stop_check(case: Case, name: str) -> None:
    environment = {**case.build.environment, name: {"DBT_PRINT": "false", "DBT_LOG_FORMAT": "json"}[name]}
    result = probesheets(case.build.folder, environment, "check")
    assert result.code == 0 and "run would succeed" in result.out, result.out + result.err


def test_a_home_that_is_not_there(case: Case, tmp_path: Path) -> None:
    for arguments in (["export"], ["check"]):
        environment = {"PROBESHEETS_DUCKDB": "~nobody-of-that-name/x.duckdb"}
        result = probesheets(case.build.folder, environment, *arguments)
        assert result.code == 1 and "~nobody-of-that-name" in result.out + result.err
