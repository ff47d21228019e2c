"""Files of captions: no word is lost in silence, and one transcript does not go on in another."""

from pathlib import Path

import pytest

from tests.sources.test_answers import copied, refused, write_csv

CUE = "00:00:01.000 --> 00:00:02.000\n"


def test_a_caption_has_its_tags_times_and_number(tmp_path: Path) -> None:
    file = tmp_path / "a.vtt"
    file.write_text(
        f"\ufeffWEBVTT Kind: captions\r\n\r\nNOTE a remark\r\n\r\nSTYLE\r\n::cue {{}}\r\n\r\n"
        f"intro\r\n{CUE}<v Bob>one\r\n"
        f"two\r\n\r\n{CUE}\r\n\r\n01:02:03.004 --> 01:02:05.000 align:start\r\nthree &amp; four\r\n",
        encoding="utf-8",
    )
    result, rows, names = copied(tmp_path, file)
    assert result.shape == "transcript" and names == ["id", "speaker", "text", "date", "Start", "End"]
    assert [row for row in rows if row[2]] == [
        (1, None, "<v Bob>one\ntwo", None, "00:00:01.000", "00:00:02.000"),
        (rows[-1][0], None, "three &amp; four", None, "01:02:03.004", "01:02:05.000"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.vtt",
            f"WEBVTT\n\n{CUE}one\n\n00:00:03,000 --> 00:00:04,000\nlost\n",
            "line 7: 'lost'",
        ),
        ("a.vtt", f"WEBVTT\n\n{CUE}one\n\nlost\n", "line 6: 'lost' belongs to no"),
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\none\n\n00:00:03,000 --> 00:00:04,000\nlost\n", "line 6: 'lost'"),
        ("a.vtt", "WEBVTT\n\n", "has no captions"),
        ("a.vtt", "no captions at all\n", "cannot be read as captions"),
        ("a.srt", "Bob: hello\n", "cannot be read as captions"),
    ],
)
def test_a_word_that_no_caption_has_is_refused(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert said in refused(tmp_path, tmp_path / name)


def test_transcripts_do_not_go_on_in_each_other(tmp_path: Path) -> None:
    for name in ("a.vtt", "b.vtt"):
        (tmp_path / name).write_text(f"WEBVTT\n\n{CUE}<v Bob>one\n", encoding="utf-8")
    assert "Copy one transcript at a time" in refused(tmp_path, tmp_path / "*.vtt")


def test_a_file_that_could_be_answers_too_needs_a_choice(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [dict.fromkeys(["speaker", "text", "prompt", "response"], "x")])
    assert "Add --shape transcript or --shape answers" in refused(tmp_path, tmp_path / "a.csv")
    assert copied(tmp_path, tmp_path / "a.csv", shape="transcript")[1][0][1:3] == ("x", "x")
