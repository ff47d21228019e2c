"""Models that do not fit together never become spreadsheets: builds that were killed, partial, or that failed.

Every case begins with complete models of a source and an export of them in out/.
"""

import os

import duckdb
import pytest

from tests.exports import contents
from tests.servers import ROOT
from tests.trust.build_case import EXPOSURE, TEXTS, Case

MODELS = sorted(path.relative_to(ROOT / "models").as_posix() for path in (ROOT / "models").rglob("*.sql"))
SOAK = "PROBESHEETS_SOAK" in os.environ
# a shape has no table of its own, these projects have no codings, only transcripts have a model transcript, and no
# spreadsheet needs combined v1
NOT_TESTED = ("shapes/", "coding/", "texts/transcript.sql", "combined/combined_v1.sql")
MODELS = [path for path in MODELS if not path.startswith(NOT_TESTED)]
# the log is read by the same queries on every engine
READ_ALIKE = pytest.mark.parametrize("case", ["duckdb", "mariadb"] if SOAK else ["duckdb"], indirect=True)


# --- killed


@pytest.mark.parametrize(
    ("case", "path"),
    [(engine, path) for engine in ("duckdb", "mariadb") for path in (MODELS if SOAK else MODELS[::6])],
    indirect=["case"],
)
def test_killed_after_a_model(case: Case, path: str) -> None:
    case.grow()
    case.killed_after(path)
    advice = f"dbt build --target {case.build.target}", f"dbt test --target {case.build.target}"
    assert case.refused() in advice


def test_what_is_advised_after_a_kill_helps(case: Case) -> None:
    case.grow()
    case.killed_after("texts/texts.sql")
    _, *arguments = case.refused().split()
    code, said = case.dbt(*arguments)
    assert code == 0, said
    case.exported()


def test_killed_before_any_model(case: Case) -> None:
    """A new copy, and a build that was killed before its first model: the models still belong to the old copy."""
    if case.build.server:
        pytest.skip("a server's source is not copied")
    case.grow()
    case.refused("was built before the source was copied again")


# --- parts, by hand


@READ_ALIKE
def test_some_models_alone(case: Case) -> None:
    assert case.dbt("run", "--select", TEXTS)[0] == 0
    case.refused("is older than texts, which it reads")
    assert case.dbt("run", "--select", f"{TEXTS}+")[0] == 0
    assert case.refused("has not run since its models were built") == f"dbt test --target {case.build.target}"
    assert case.dbt("test")[0] == 0
    case.exported()


@READ_ALIKE
def test_tests_are_not_advised_where_they_would_fail(case: Case) -> None:
    """Every model that the kinds need is built but not tested, and one kind reads an older model."""
    assert case.dbt("run", "--exclude", "path:models/texts/texts_without_links.sql")[0] == 0
    advised = case.refused("has not run since its models were built")
    assert advised == f"dbt build --target {case.build.target}"
    assert case.dbt(*advised.split()[1:])[0] == 0
    case.exported()


@READ_ALIKE
def test_a_folder_of_models(case: Case) -> None:
    """`texts` names the folder: all its models, of the same source as those before it."""
    assert case.dbt("build", "--select", "texts")[0] == 0
    case.exported()
    case.grow()
    assert case.dbt("build", "--select", "texts")[0] == 0
    case.refused("source was copied again" if case.build.target == "duckdb" else "different states of table_output")


@READ_ALIKE
def test_other_variables(case: Case) -> None:
    assert case.dbt("build", "--select", "path:models/texts/links.sql", "--vars", "{bare_links: false}")[0] == 0
    advice = case.refused("and links were built with different variables")
    assert advice == f"dbt build --target {case.build.target} --vars '" + '{"bare_links": false}' + "'"


@READ_ALIKE
def test_another_version(case: Case) -> None:
    project = case.build.folder / "dbt_project.yml"
    text = project.read_text(encoding="utf-8")
    project.unlink()
    project.write_text(text.replace('version: &version "', 'version: &version "9'), encoding="utf-8")
    assert case.dbt("build", "--select", "path:models/texts/links.sql")[0] == 0
    case.refused("and links were built by different versions")


def test_models_of_version_1_0_0(case: Case) -> None:
    """They have no record of a build."""
    if case.build.server:
        case.build.server.root.execute(f"drop table {case.build.schema}.probesheets_builds")
    else:
        with duckdb.connect(str(case.build.folder / "probesheets.duckdb")) as connection:
            connection.execute("drop table probesheets_builds")
    for arguments in (["export"], ["probes"], ["verify", "out"]):
        code, said = case.probesheets(*arguments)
        assert code == 1 and "has no record of a build" in said
        assert f"Run: probesheets run --target {case.build.target}" in said


# --- tests that fail


def test_a_failing_model_of_ones_own_blocks_its_kind_alone(case: Case) -> None:
    question = "select record_id, text from {{ ref('texts') }} where text like '%?%'\n"
    (case.models / "exports" / "questions.sql").write_text(f"{question} union all {question}", encoding="utf-8")
    (case.models / "exports" / "questions.yml").write_text(EXPOSURE, encoding="utf-8")
    assert case.dbt("build", "--select", "questions")[0] == 1
    said = case.probesheets("export")[1]
    assert "The models of questions are not ready: The test unique_questions_record_id did not pass" in said
    others = said.partition("run: probesheets export ")[2].split()
    assert [name for name in others if name[0] != "-"] == [
        case.build.target, "with_links", "without_links", "links", "left_out",
    ]  # fmt: skip
    case.exported(*others[2:])
    (case.models / "exports" / "questions.sql").write_text(question, encoding="utf-8")
    assert case.dbt("build", "--select", "questions")[0] == 0
    case.exported()
    assert (case.build.folder / "out" / "questions.xlsx").is_file()


def test_retry(case: Case) -> None:
    """dbt runs again what failed or was skipped; models built in between count, too."""
    model = case.models / "texts" / "texts.sql"
    before = model.read_text(encoding="utf-8")
    model.write_text("select 1 as nothing_of_it from nowhere\n", encoding="utf-8")
    assert case.dbt("build")[0] == 1
    case.refused()
    model.write_text(before, encoding="utf-8")
    assert case.dbt("retry")[0] == 0
    case.exported()


def test_fail_fast(case: Case) -> None:
    """dbt stops at the first test that fails, some models being new and some old."""
    model = case.models / "texts" / "texts.sql"
    before = model.read_text(encoding="utf-8")
    twice = "from (select * from marked union all select * from marked) as marked\n"
    model.write_text(before.replace("from marked\n", twice), encoding="utf-8")
    assert case.dbt("build", "--fail-fast")[0] == 1
    case.refused()
    model.write_text(before, encoding="utf-8")
    assert case.dbt("build", "--fail-fast")[0] == 0
    case.exported()


def test_a_misspelt_tag_builds_nothing(case: Case) -> None:
    """dbt 1.7 goes on after an error in on-run-start: each model refuses to be built then."""
    code, said = case.dbt("build", "--vars", "{text_tag: trimmd}")
    assert code != 0 and "text_tag is 'trimmd', but no row of table_output has this tag" in said
    case.exported()


# --- later commands of dbt


@READ_ALIKE
@pytest.mark.parametrize("arguments", [["parse"], ["docs", "generate"], ["compile"]])
def test_commands_that_build_nothing(case: Case, arguments: list[str]) -> None:
    """They overwrite dbt's manifest, here with other columns of the spreadsheets; an export does not read it."""
    before = contents(case.build.folder / "out")
    code, said = case.dbt(*arguments, "--vars", "{extra_tags: [location]}")
    assert code == 0, said
    case.exported()
    assert [name for name, data in contents(case.build.folder / "out").items() if data != before[name]] == []


@READ_ALIKE
def test_a_new_kind_needs_no_build_of_its_model(case: Case) -> None:
    exposure = EXPOSURE[EXPOSURE.index("exposures:") :].replace("ref('questions')", "ref('texts')")
    (case.models / "exports" / "questions.yml").write_text(f"version: 2\n{exposure}", encoding="utf-8")
    assert case.dbt("test")[0] == 0
    case.exported("--only", "questions")
    assert (case.build.folder / "out" / "questions.xlsx").is_file()


@READ_ALIKE
def test_verify_against_another_build(case: Case) -> None:
    """verify mentions the other build and compares: only a cell that differs is an error."""
    assert case.dbt("build")[0] == 0
    code, said = case.probesheets("verify", "out")
    assert code == 0 and "was exported from the build of" in said, said
    case.grow()
    assert case.dbt("build")[0] == 0
    code, said = case.probesheets("verify", "out")
    assert code == 1 and "was exported from the build of" in said and "has record T20000 here" in said, said
    assert "the build of" not in case.exported()
    assert "the build of" not in case.probesheets("verify", "out")[1]
