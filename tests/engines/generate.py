"""A source of made-up rows in which every trap of the text rules stands beside every other. Same seed, same rows."""

from collections.abc import Callable
from random import Random
from typing import Any

from tests.build import Source

SEED = 20240229
ROOTS = 5_600

SPACES = [chr(code) for code in (0x20, 0x09, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)]
LINE_ENDS = ["\n", "\r\n", "\r", "\n\n", "\r\n\r\n", "\n \n", "\r\r\n", "\n\n\n", "\r\n\t\r\n\r\n"]
DELETED = [chr(code) for code in (*range(9), 11, 12, *range(14, 32), 0x7F, 0x200B, 0xFEFF, 0xFFFE, 0xFFFF)]
DELETED += [chr(code) for code in range(0xFDD0, 0xFDF0)]
WINDOWS = [chr(code) for code in range(0x80, 0xA0)]
ENTITIES = [
    "&lt;", "&gt;", "&quot;", "&#39;", "&#x27;", "&apos;", "&nbsp;", "&amp;", "&amp;lt;", "&amp;amp;", "&am\0p;",
]  # fmt: skip
ENTITIES += ["&AMP;", "&amp", "&l&lt;t;", "&#039;", "&copy;", "&amp;#39;", "&amp\ufeff;", "&;", "&amp;nbsp;", "&#38;"]
WORDS = [
    "masks", "are", "required", "on", "the", "bus", "in", "March", "it", "is", "so", "U.S.A", "3.5m", "e.g.",
    "don't", "RT", "@user", "#hashtag", "None", "NA", "=1+1", "-x", "+y",
]  # fmt: skip
KEPT = [
    "\u200d", "\ufe0f", "\u200c", "\ue001", "\uf8ff", "\U000f0001", "\ufffd", "\u2028", "\u0085", "\xad", "\u2060",
    "\u0301",
]  # fmt: skip
FOLDED = ["ſ", "\u212a", "İ", "ı", "ß", "ẞ", "Σ", "ς", "ﬁ", "Ǆ", "é", "e\u0301", "Å", "\u212b", "ö", "O", "Ｔ", "１"]
SCRIPTS = [
    "مرحبا", "שלום", "口罩是", "マスク", "마스크", "маски", "หน้ากาก", "👩\u200d💻", "👍🏽", "🇩🇪",
    "❤\ufe0f", "\U00020000", "𝒜",
]  # fmt: skip
PATTERNS = [
    "%", "_", "\\", "[", "]", "'", '"', "`", "$1", "\\1", "(?i)", "^", "$", ".*", "{2}", "[[:alpha:]]", "\\n", "&&",
    "--", ";",
]  # fmt: skip
SHEETS = ["=HYPERLINK(1)", "+1", "-1", "@a", "_x0041_", "'a", "TRUE", "1e5", "#N/A"]
LINKS = [
    "https://t.co/abc123XYZ0", "http://example.com", "HTTPS://Example.COM:8080/a(b)c?d=e&f#g", "ftp://x.org/y",
    "www.example.org", "WWW.Example.Com/Path", "pic.twitter.com/abcDEF", "pic.x.com/1", "t.co/xyz",
    "https://t.co/HV…", "https://t.…", "http…", "htt…", "https:/", "http://", "example.com", "EXAMPLE.ORG/x",
    "bit.ly/2x", "it.is", "so.me/x", "node.js", "file.txt", "end.Next", "8.5/10", "a@b.com",
    "http://user:pw@host.de:1/ü", "http://münchen.de/straße", "http://例え.jp/あ", "http://[::1]/x",
    "https://a.b/c_(d)", "(http://x.org/y)", "<http://x.org>", '"http://x.org/"', "http://x.org/&gt;",
    "http://x.org/&amp;a=1", "http://x.org...", "http://a.com,http://b.com", "http://x.org/口罩", "http://x.org/👍",
    "http://x.org/a\u200db", "http://web.archive.org/web/http://x.org", "http://-", "http:///", "://x.y",
    "h\0ttp://x.org", "http://x\u200b.org/a", "http:\xa0//x.org", "www.", "www.a", "x..com", "http://x.org/\x92s",
    "http://x.org/[a]", "http://x/{b}", "http://192.168.0.1/x", "http://www.x.c/", "x.org:0/a", "www.x.org:65536",
    "http://x.org/a#@", "пример.рф", "例え.みんな", "例子.中国/a", "www.x.한국", "1.中国", "x.com.很好",
]  # fmt: skip
DATES = [
    "2020-03-05", "2020-3-5", "2020/03/05", "2020/3/5 12:00", "20200305", "20200305T1", "2020-03-05T12:00Z",
    "2020-03-05Z", "2020-03/05", "2021-02-30", "2020-02-29", "1900-02-29", "0999-01-01", "0000-00-00", "20200000",
    "1000-01-01", "9999-12-31", "99999-01-01", "2020-13-01", "1582-10-10", "infinity", "epoch", "now", "None", "",
    " ", "March 5, 2020", "2020-03-05\n12", "2020-03-05\u200d", "٢٠٢٠-٠٣-٠٥", "2020-003-05", "2020-03-05\xa0x",
    "\ufeff2020-03-05", "20-03-05", "2020-00-10", "2020-10-00", "2020-11-31", "+2020-03-05", "2020-03-05 &amp;lt;",
    "2020\0-03-05", "2020-03-05\u2028", "2020/3/5\u2029", "20200305\u2028",
]  # fmt: skip
TAGS = [
    "Date", "date ", "DATE", " date", "dâte", "dаte", "Trimmed", "trimmed ", "TRIMMED", "Raw", "raw ", "location",
    "", "full",
]  # fmt: skip


def generated_source(name: str = "generated", roots: int = ROOTS) -> Source:
    """More than 20,000 rows, with two variables set."""
    variables = {"extra_tags": ["location"], "extra_columns": ["note"]}
    return Source(name, Rows(Random(SEED)).all(roots), variables=variables)


def lopsided_source() -> Source:
    """Over 10,000 short texts, half of them of one probe."""
    rows = Rows(Random(SEED))
    rows.probes += ["Masks are"] * len(rows.probes)
    for _ in range(ROOTS):
        rows.add_root()
    return Source("lopsided", rows.rows)


class Rows:
    """Generates rows of table_output; `id` is not in the order of the roots."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.kinds: list[Callable[[], str]] = [self._from(group) for group in _GROUPS] + [self.any_characters] * 3
        self.probes = self._probes()
        self.rows: list[dict[str, Any]] = []

    def all(self, roots: int) -> list[dict[str, Any]]:
        for _ in range(roots):
            self.add_root()
        for content in long_texts(self.random):
            self._add(None, self.random.choice([None, 1]), "trimmed", 1, self.random.choice(self.probes), content)
        assert len(self.rows) >= 20_000
        return self.random.sample(self.rows, len(self.rows))

    def _from(self, group: list[str]) -> Callable[[], str]:
        return lambda: self.random.choice(group)

    def any_characters(self) -> str:
        """Three code points of one range, of any plane; no surrogates."""
        first, last = self.random.choice(
            [(0, 0x7F), (0x80, 0x2FF), (0x300, 0x33FF), (0x3400, 0xD7FF), (0xE000, 0xFFFF), (0x10000, 0x10FFFF)]
        )
        return "".join(chr(self.random.randint(first, last)) for _ in range(3))

    def text(self, most: int) -> str:
        """Up to `most` pieces of all kinds, joined by spaces, by nothing or by line ends."""
        parts = []
        for _ in range(self.random.randint(0, most)):
            parts.append(self.random.choice(self.kinds)())
            parts.append(
                self.random.choice([" ", " ", " ", "", "", self.random.choice(SPACES), self.random.choice(LINE_ENDS)])
            )
        return "".join(parts)

    def _probes(self) -> list[str | None]:
        common = "The following is a transcript of radio commentary. " * 5
        probes: list[str | None] = [
            None,
            "",
            " ",
            "\ufeff",
            "(no probe)",
            "Masks are",
            "masks are",
            "Masks are ",
            "Masks\nare",
            "Masks  are",
        ]
        probes += [
            "%",
            "_",
            "100%",
            "a_c",
            "\\",
            "C:\\new",
            "[",
            "[a",
            "'",
            "''",
            '"',
            "M",
            "Mas",
            "Masks are\u200b",
            "Masks are\u200d",
        ]
        probes += [
            common + "White",
            common + "Black",
            common * 30,
            "Masks&nbsp;are",
            "Q &amp; A",
            "&amp;lt;",
            "It\x92s",
            "straße",
            "strasse",
        ]
        return probes + [self.text(8) for _ in range(80)]

    def _content(self, probe: str | None) -> str | None:
        """A text that begins with the probe, or nearly so, or not at all."""
        probe = probe or ""
        begin = self.random.choice(
            [probe, probe, " ".join(probe.split()), probe.upper(), probe[:-1], "", "\ufeff" + probe, probe + "\r\n"]
        )
        rest = self.random.choice(
            [self.text(25), self.text(12), self.text(3), "", "same", " ".join(self.random.choices(WORDS, k=20))]
        )
        return self.random.choice([None, "", *[begin + self.random.choice(["", " ", "\n"]) + rest] * 30])

    def add_root(self) -> None:
        root: int | None = len(self.rows) + 1
        experiment, probe = self.random.choice([1, 2, 3, None]), self.random.choice(self.probes)
        if self.random.random() < 0.9:
            self._add(self.random.choice([0, 0, 0, None, root]), experiment, "raw", 0, probe, self.text(5))
        root = self.random.choice([root] * 60 + [0, None, 1, 7])
        for depth in range(1, self.random.choice([1, 2, 2, 2, 3, 4, 6])):
            self._add(root, experiment, "trimmed", self._depth(depth), probe, self._content(probe))
        for depth in range(1, self.random.choice([1, 2, 2, 3, 4])):
            date = self.random.choice(
                [
                    *DATES,
                    None,
                    f"{self.random.randint(1990, 2030)}-{self.random.randint(1, 12)}-{self.random.randint(1, 28)}",
                ]
            )
            self._add(root, self.random.choice([experiment] * 20 + [None, 9]), "date", self._depth(depth), probe, date)
        if self.random.random() < 0.6:
            self._add(
                root,
                experiment,
                self.random.choice(TAGS),
                self._depth(1),
                self.random.choice(self.probes),
                self.text(3),
            )

    def _depth(self, depth: int) -> int | None:
        return self.random.choice([depth] * 30 + [None, None, 0, 1, 2, -1, 99])

    def _add(
        self,
        root: int | None,
        experiment: int | None,
        tag: str | None,
        depth: int | None,
        probe: str | None,
        content: str | None,
    ) -> None:
        names = ("id", "experiment_id", "root_id", "tag", "depth", "probe", "content", "note")
        note = self.text(2) if tag == "trimmed" else None
        self.rows.append(
            dict(zip(names, (len(self.rows) + 1, experiment, root, tag, depth, probe, content, note), strict=True))
        )


_GROUPS = (
    [WORDS] * 6 + [SPACES, LINE_ENDS, DELETED, WINDOWS, ENTITIES, KEPT, FOLDED, SCRIPTS, PATTERNS, SHEETS] + [LINKS] * 3
)


def long_texts(random: Random) -> list[str]:
    """Texts at and beyond 32,767 characters; some patterns are slow or fail on such."""
    repeated = [
        " ",
        ".",
        "a.",
        "\n",
        "\r\n",
        "\x00",
        "\x81",
        "&amp;",
        "口",
        "http://",
        "www.",
        "a@",
        "(",
        "http://x.org/(",
        "https://t.co/abc123XYZ0 ",
        "𝒜",
        "a b ",
    ]
    exact = [("word " * 8000)[:length] for length in (32_766, 32_767, 32_768)]
    exact += [(piece * 8000)[:32_767] for piece in ("x.com,", "x.com, ", "htt… ", "a@x.com b.org/(c) ")]
    words = [" ".join(random.choices(WORDS + LINKS, k=18_000)) for _ in range(3)]
    return exact + words + [(piece * 112_000)[:112_000] + "x" for piece in repeated]
