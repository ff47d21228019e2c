"""`probesheets run` on files of each shape, to the cells of the workbooks."""

import ast
import json
import os
import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.build import command, make_project, run
from tests.exports import read_manifest, sheet

VTT = """WEBVTT

00:00:01.000 --> 00:00:03.000
<v Chris Wallace>Good evening
from <i>Ohio</i>, see https://example.org/debate

00:00:03.000 --> 00:00:05.000
<v Chris Wallace>and welcome.

00:00:05.000 --> 00:00:08.000
<v Joe Biden>Biden will</v> <v Donald Trump>No, he

00:00:04.000 --> 00:00:09.000
will not.

01:00:09.000 --> 01:00:12.000
<v Joe Biden>Folks.
"""
SRT = """1
00:00:01,000 --> 00:00:03,000
Good evening

2
00:00:03,000 --> 00:00:05,500
BIDEN: Biden will

3
00:00:05,500 --> 00:00:08,000
and must.
"""
MINUTES = """speaker,minute,text,topic
Chris Wallace,01:20,"Good evening
from Ohio",opening
Joe Biden,,Thank you.,thanks
,00:10,crosstalk,
Joe Biden,00:12,Folks.,closing
"""
ANSWERS = [
    {"id": 9, "prompt": "Masks are", "response": "Masks are good", "created_at": "2020-03-05T10:00Z", "model": "gpt-4"},
    {"id": 8, "prompt": "Masks are", "response": None, "model": "gpt-4"},
    {"id": 0, "prompt": "Masks are", "response": " \n", "created_at": "2020-03-06"},
    {"id": 7, "prompt": "Why", "response": "Why not", "created_at": "yesterday", "lang": "en"},
]  # fmt: skip
MESSAGES = [
    {"messages": [{"role": "user", "content": "Say hello"}, {"role": "assistant", "content": "Say hello back"}]}
]


CHECKOUT = os.environ.get("PROBESHEETS_TEST_QUALCODER")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "project"
    make_project(folder)
    for name, content in {
        "debate.vtt": VTT,
        "debate.srt": SRT,
        "debate.csv": MINUTES,
        "answers.jsonl": "\n".join(map(json.dumps, ANSWERS)),
        "messages.jsonl": "\n".join(map(json.dumps, MESSAGES)),
    }.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


@cache
def ran(project: Path, name: str, *options: str) -> tuple[Path, str]:
    """The folder that a run of a file has written, and what the run said."""
    out = project / f"out of {name}"
    said = call(project, f"{name}.duckdb", "run", "--source", name, "--out", str(out), *options)
    return out, said


def call(project: Path, database: str, *arguments: str, code: int = 0) -> str:
    environment = {"PROBESHEETS_DUCKDB": str(project / database), "SOURCE_DATE_EPOCH": "1700000000"}
    result = run([str(command("duckdb", "probesheets")), *arguments], project, environment)
    assert result.returncode == code, result.stderr
    return result.stderr + result.stdout


def rows(file: Path, *names: str) -> list[list[Any]]:
    header, *found = sheet(file)
    return [[row[header.index(name)] for name in names] for row in found]


def by_probe(out: Path, kind: str, *names: str) -> dict[str, list[list[Any]]]:
    found = [row for file in sorted((out / kind).glob("*.xlsx")) for row in rows(file, "Probe", *names)]
    return {probe: [row[1:] for row in found if row[0] == probe] for probe, *_ in found}


def test_a_debate_has_a_workbook_for_each_speaker_and_one_in_its_order(project: Path) -> None:
    out, said = ran(project, "debate.vtt", "--date", "2020-09-29")
    assert by_probe(out, "without_links", "Record ID", "Text", "Start", "End", "Date as stored") == {
        "Chris Wallace": [
            ["T1", "Good evening from Ohio, see and welcome.", "00:00:01.000", "00:00:05.000", "2020-09-29"]
        ],
        "Joe Biden": [
            ["T3", "Biden will", "00:00:05.000", "00:00:08.000", "2020-09-29"],
            ["T5", "Folks.", "01:00:09.000", "01:00:12.000", "2020-09-29"],
        ],
        "Donald Trump": [["T1000003", "No, he will not.", "00:00:05.000", "00:00:09.000", "2020-09-29"]],
    }  # fmt: skip
    header, *utterances = sheet(out / "transcript.xlsx")
    assert header == ["Record ID", "Start", "End", "Speaker", "Text"]
    assert [row[3] for row in utterances] == ["Chris Wallace", "Joe Biden", "Donald Trump", "Joe Biden"]
    assert "WARN transcript_times: 1 row (caption 4)." in said


def test_the_transcript_as_text_marks_every_speaker(project: Path) -> None:
    out, _ = ran(project, "debate.vtt", "--date", "2020-09-29")
    assert (out / "transcript.txt").read_text(encoding="utf-8").splitlines() == [
        "Chris Wallace: Good evening from Ohio, see https://example.org/debate and welcome.",
        "Joe Biden: Biden will",
        "Donald Trump: No, he will not.",
        "Joe Biden: Folks.",
    ]


def test_a_long_name_is_shortened_in_the_transcript_as_text_only(project: Path) -> None:
    caption = f"WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<v {'Ann ' * 16}End: it>Hello\n"
    (project / "long.vtt").write_text(caption, encoding="utf-8")
    out, _ = ran(project, "long.vtt")
    assert (out / "transcript.txt").read_text(encoding="utf-8") == f"{('Ann ' * 16)[:63]}: Hello\n"
    assert rows(out / "transcript.xlsx", "Speaker") == [[f"{'Ann ' * 16}End: it"]]


@pytest.mark.skipif(not CHECKOUT, reason="PROBESHEETS_TEST_QUALCODER names no checkout of QualCoder")
def test_qualcoder_finds_every_speaker(project: Path) -> None:
    """Its own rules, read from the checkout without the dialog around them, which needs a screen."""
    assert CHECKOUT
    tree = ast.parse(Path(CHECKOUT, "src", "qualcoder", "speakers.py").read_text(encoding="utf-8"))
    kinds, dialog = (ast.FunctionDef, ast.Assign, ast.AnnAssign), {"logger", "colors", "colour_ranges"}
    rules: list[ast.stmt] = [
        node
        for node in tree.body
        if isinstance(node, kinds)
        and not dialog & {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    ]
    known: dict[str, Any] = {"re": re}
    exec(compile(ast.Module(rules, []), "speakers.py", "exec"), known)
    lines = (ran(project, "debate.vtt", "--date", "2020-09-29")[0] / "transcript.txt").read_text("utf-8").splitlines()
    turns = [known["match_speaker_turn"](known["identifier_regex"]("name"), line) for line in lines]
    assert [name for name, _ in turns] == ["Chris Wallace", "Joe Biden", "Donald Trump", "Joe Biden"]


def test_the_captions_of_a_debate_are_all_accounted_for(project: Path) -> None:
    totals = read_manifest(ran(project, "debate.vtt", "--date", "2020-09-29")[0])["totals"]
    assert (totals["texts"], totals["rows_of_unused_tags"]) == (
        4,
        {"joined caption": 2},
    )  # one caption has two speakers


def test_captions_of_srt_whose_speaker_is_not_known_stay_apart(project: Path) -> None:
    out, said = ran(project, "debate.srt")
    assert rows(out / "transcript.xlsx", "Record ID", "End", "Speaker", "Text") == [
        ["T1", "00:00:03.000", "(no speaker)", "Good evening"],
        ["T2", "00:00:08.000", "BIDEN", "Biden will and must."],
    ]
    assert "WARN transcript_speakers: 1 row (text_id 1)." in said


def test_minutes_that_begin_anew_or_are_missing_keep_the_order_of_the_file(project: Path) -> None:
    out, said = ran(project, "debate.csv", "--vars", "{extra_columns: [topic]}")
    assert by_probe(out, "with_links", "topic")["Joe Biden"] == [["thanks"], ["closing"]]
    assert rows(out / "transcript.xlsx", "Record ID", "Start", "Speaker", "Text") == [
        ["T1", "01:20", "Chris Wallace", "Good evening\nfrom Ohio"],
        ["T2", "", "Joe Biden", "Thank you."],
        ["T3", "00:10", "(no speaker)", "crosstalk"],
        ["T4", "00:12", "Joe Biden", "Folks."],
    ]
    assert "WARN transcript_times: 2 rows (caption 2, 3)." in said


def test_answers_have_their_ids_dates_and_models(project: Path) -> None:
    out, said = ran(project, "answers.jsonl", "--vars", "{extra_columns: [lang]}")
    assert by_probe(out, "with_links", "Record ID", "Text", "Month", "Model", "lang", "Date as stored") == {
        "Masks are": [["T9", "good", "March, 2020", "gpt-4", "", "2020-03-05T10:00Z"]],
        "Why": [["T7", "not", "", "", "en", "yesterday"]],
    }
    assert rows(out / "left_out.xlsx", "Record ID", "Reason") == [
        ["R0", "The text is empty, or nothing is left of it after cleaning."],
        ["R8", "no answer"],
    ]
    assert "Left out: 2 rows (blank text: 1, no answer: 1)." in said
    totals = read_manifest(out)["totals"]
    assert totals["text_rows"] == totals["texts"] + sum(totals["left_out"].values()) == len(ANSWERS)


def test_combined_v1_is_for_table_output_only(project: Path) -> None:
    ran(project, "answers.jsonl", "--vars", "{extra_columns: [lang]}")
    with duckdb.connect(str(project / "answers.jsonl.duckdb"), read_only=True) as connection:
        names = {name for (name, *_) in connection.execute("show tables").fetchall()}
    assert "combined_v2" in names and "combined_v1" not in names


def test_a_copy_keeps_its_shape(project: Path) -> None:
    ran(project, "answers.jsonl", "--vars", "{extra_columns: [lang]}")
    shutil.copy(project / "answers.jsonl.duckdb", project / "again.duckdb")
    environment = {"PROBESHEETS_DUCKDB": str(project / "again.duckdb")}
    dbt = [str(command("duckdb", "dbt")), "build", "--profiles-dir", str(project), "--target-path", "target/again"]
    result = run([*dbt, "--vars", "{bare_links: false}"], project, environment)
    asked = '--vars \'{"bare_links": false, "shape": "answers"}\''
    assert (
        result.returncode and "The copy of the source has the shape answers, but the variable shape is" in result.stdout
    )
    assert f"Run: dbt build {asked}" in result.stdout
    said = call(project, "again.duckdb", "check")
    assert "3 text rows of 2 probes; 1 no answer, 1 blank, to be listed in left_out." in said
    said = call(project, "again.duckdb", "check", "--vars", "{text_tag: text}", code=1)
    assert "text_tag is set, but a source of the shape answers has no tags." in said
    said = call(project, "again.duckdb", "check", "--source", "messages.jsonl", "--append", code=1)
    assert "The copy has the shape answers, and messages.jsonl has the shape messages." in said


def test_new_records_of_another_shape_do_not_join_a_folder(project: Path) -> None:
    out, _ = ran(project, "answers.jsonl", "--vars", "{extra_columns: [lang]}")
    options = ("--source", "messages.jsonl", "--out", str(out), "--new")
    said = call(project, "answers.jsonl.duckdb", "run", *options, code=1)
    assert "has records of a source with the shape answers, but messages.jsonl has the shape messages." in said


def test_another_debate_does_not_hide_in_the_folder_of_the_first(project: Path) -> None:
    """Its captions have the same numbers, so its utterances would count as changed, and would not be written."""
    out, _ = ran(project, "debate.vtt", "--date", "2020-09-29")
    (project / "another.vtt").write_text(VTT.replace("e", "a"), encoding="utf-8")
    said = call(project, "debate.vtt.duckdb", "run", "--source", "another.vtt", "--new", "--out", str(out), code=1)
    assert re.search("[0-9]+ of the [0-9]+ rows of the copy are not in another.vtt, or have other content", said)
    assert said.rstrip().endswith("If it replaces everything, choose another folder with --out.")


def test_an_answer_in_messages_keeps_words_that_repeat_the_question(project: Path) -> None:
    out, _ = ran(project, "messages.jsonl")
    assert by_probe(out, "with_links", "Record ID", "Text") == {"Say hello": [["T1", "Say hello back"]]}


def test_check_says_how_it_reads_a_file(project: Path) -> None:
    said = call(project, "none.duckdb", "check", "--source", "answers.jsonl")
    for part in (
        "The source has the shape answers, by its columns: id → Record ID, prompt → probe, response → text, "
        "created_at → date, model → model.",
        "Other columns, which the variable extra_columns can show: lang.",
        "      T7  yesterday  Why  not\n      T9  gpt-4  2020-03-05T10:00Z  Masks are  good\n",
        "Dates that cannot be read: 1 of 3, such as 'yesterday'.",
        "Probes with the most texts: Masks are 2, Why 1.",
    ):
        assert part in said, said
    assert not (project / "none.duckdb").exists()
    captions = [f"00:{10 + one}:00.000 --> 00:{10 + one}:05.000\nSpeaker {one}: Hello\n" for one in range(12)]
    (project / "talk.vtt").write_text("\n".join(["WEBVTT\n", *captions]), encoding="utf-8")
    said = call(project, "none.duckdb", "check", "--source", "talk.vtt")
    assert all(f"Speaker {number} 1" in said for number in range(12)), said
    (project / "seconds.jsonl").write_text('{"text": "a", "created": 1600000000}\n', encoding="utf-8")
    said = call(project, "none.duckdb", "check", "--source", "seconds.jsonl")
    assert "Seconds since 1970 need an option, as in: --columns date=created:seconds" in said, said
