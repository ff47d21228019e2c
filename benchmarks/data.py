"""A made-up table_output of any size: the same numbers, the same rows. Four rows for each text, none in an index.

Usage: python -m benchmarks.data TEXTS PROBES FILE, where FILE ends in .duckdb, or in .tsv for a server's LOAD DATA.
"""

import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random

import duckdb
import pyarrow as pa

SEED = 20220903
TEXTS_AT_ONCE = 20_000
COLUMNS = {"id": "bigint", "experiment_id": "bigint", "root_id": "bigint", "tag": "varchar", "depth": "bigint"}
COLUMNS |= {"probe": "varchar", "content": "varchar"}
PROSE = """
the of and to in is that it for on as with his they at be this from have or by one had not but what all were when we
there can an your which their said if do will each about how up out them then she many some so these would other into
has more her two like him see time could no make than first been its who now people my made over did down only way find
use may water long little very after words called just where most know get through back much
"""
LINKS = "https://t.co/abc123XYZ0 www.example.org/news example.com http://example.com/a?b=c&amp;d=e bit.ly/2x"
TEXT_CHARACTERS = 215  # of a text without its probe, on average: 100,000 texts are 22 MB
WORDS, URLS = PROSE.split(), LINKS.split()
Row = tuple[int, int, int, str, int, str, str]


def rows(texts: int, probes: int) -> Iterator[list[Row]]:
    """The rows of table_output, in lists; text number n is of probe n % probes."""
    random = Random(SEED)
    prose = " ".join(_word(random) for _ in range(200_000))
    days = [str(date(2019, 1, 1) + timedelta(day)) for day in range(900)]
    prompts = [f"Prompt {n}: tell me a story about {WORDS[n % len(WORDS)]} and" for n in range(probes)]
    for begin in range(0, texts, TEXTS_AT_ONCE):
        some: list[Row] = []
        for number in range(begin, min(begin + TEXTS_AT_ONCE, texts)):
            start, length = random.randrange(len(prose) - 1000), random.randrange(2 * TEXT_CHARACTERS)
            prompt, day = prompts[number % probes], random.choice(days) + (" 12:30:00" if number % 7 == 0 else "")
            text = f"{prompt} {prose[start : start + length]}"
            root, experiment = 4 * number + 1, number // 5000
            wrapped = f"]][[text: {text} || created: {day} || location: None || probability: forty]][["
            some.append((root, experiment, 0, "raw", 0, prompt, wrapped))
            some.append((root + 1, experiment, root, "full", 1, prompt, text))
            some.append((root + 2, experiment, root, "trimmed", 1, prompt, text))
            some.append((root + 3, experiment, root, "date", 1, prompt, day if number % 20 else "None"))
        yield some


def _word(random: Random) -> str:
    """A word; one text in four or so gets a link, one in three an ampersand or a letter that is not ASCII."""
    chance = random.random()
    if chance < 0.007:
        return random.choice(URLS)
    return random.choice(WORDS) + (" & é" if chance > 0.99 else "," if chance > 0.9 else "")


def write_duckdb(file: Path, texts: int, probes: int) -> None:
    """A raw copy of the source, as `probesheets run --source` makes it."""
    with duckdb.connect(str(file)) as connection:
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        connection.execute(f"create table main.table_output ({columns})")
        for some in rows(texts, probes):
            batch = pa.table(list(map(pa.array, zip(*some, strict=True))), names=list(COLUMNS))
            connection.register("batch", batch)
            connection.execute("insert into main.table_output select * from batch")


def write_tsv(file: Path, texts: int, probes: int) -> None:
    """No field holds a tab, a line feed or a backslash."""
    with file.open("w", encoding="utf-8") as stream:
        for some in rows(texts, probes):
            stream.writelines("\t".join(map(str, row)) + "\n" for row in some)


if __name__ == "__main__":
    texts, probes, file = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    (write_tsv if file.suffix == ".tsv" else write_duckdb)(file, texts, probes)
