"""Read the sources of .qdpx files, the projects of REFI-QDA 1.5, and how they were coded."""

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, iterparse
from zipfile import BadZipFile, ZipFile

from probesheets.refi_qda.write import PROJECT, SOURCES

_LF_POSITIONS = ("QualCoder", "ATLAS")  # programs that count CR LF as one character in positions


@dataclass(frozen=True)
class Source:
    """A text in a file: its name, its place, its codings (coder or None, code, start, end), its variables."""

    name: str
    place: str
    text: str
    codings: Sequence[tuple[str | None, str, int, int]]
    values: dict[str, str] = field(default_factory=dict)


def read_sources(file: Path) -> Iterator[Source]:
    """The texts of a project, one at a time. Raises ValueError if it is damaged or no project of REFI-QDA."""
    try:
        with ZipFile(file) as archive:
            yield from _sources(archive)
    except (BadZipFile, ParseError, KeyError, ValueError, RuntimeError, zlib.error) as error:
        raise ValueError(f"it is damaged, or no project of REFI-QDA ({error or type(error).__name__})") from None


def _sources(archive: ZipFile) -> Iterator[Source]:
    names: dict[str, str] = {}  # of users, codes and variables, by GUID
    files = {name.lower(): name for name in archive.namelist()}
    variables, joined, codes, places = dict[str, str](), False, list[str](), Counter[str]()
    with archive.open(next((name for name in files.values() if name.lower().endswith(".qde")), PROJECT)) as xml:
        for event, element in iterparse(xml, ("start", "end")):
            tag = _tag(element)
            if event == "start":
                if tag == "Project":
                    joined = any(program in element.get("origin", "") for program in _LF_POSITIONS)
                elif tag in ("User", "Code", "Variable"):
                    name = element.get("name", "")
                    codes += [name] if tag == "Code" else []
                    if tag == "Code" and name in names.values():  # in another code, a name may be there again
                        name = "/".join(codes)
                    names[element.attrib["guid"].upper()] = name
                    variables |= {name: ""} if tag == "Variable" else {}
            elif tag == "Code":
                codes.pop()
            elif tag == "TextSource":
                path = element.get("plainTextPath", "").removeprefix("internal://").lower()
                data = archive.read(files[f"{SOURCES}/{path}"]) if path else b""
                text = data.decode("utf-8-sig") or _first(element, "PlainTextContent").text or ""
                name = element.get("name", "")
                places[name] += 1
                place = f"source {name}" + (f" ({places[name]})" if places[name] > 1 else "")
                yield _source(element, place, text.replace("\r\n", "\n") if joined else text, names, variables)
                element.clear()


def _source(element: Element, place: str, text: str, names: Mapping[str, str], variables: Mapping[str, str]) -> Source:
    values, codings = {**variables}, []
    for child in element:
        if _tag(child) == "VariableValue":
            name = names[_first(child, "VariableRef").attrib["targetGUID"].upper()]
            values[name] = next((value.text or "" for value in child if _tag(value).endswith("Value")), "")
        start, end = int(child.get("startPosition", 0)), int(child.get("endPosition", len(text)))
        for coding in [child] if _tag(child) == "Coding" else [one for one in child if _tag(one) == "Coding"]:
            user = coding.get("creatingUser") or child.get("creatingUser") or ""
            code = names[_first(coding, "CodeRef").attrib["targetGUID"].upper()]
            codings.append((names.get(user.upper()), code, start, end))
    return Source(element.get("name", ""), place, text, codings, values)


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _first(element: Element, tag: str) -> Element:
    return next((child for child in element if _tag(child) == tag), Element(tag))


def read_records(file: Path, headers: Sequence[str]) -> Iterator[list[Any]]:
    """The records of a project that we wrote: the name of a source, then the cells with the other `headers`."""
    for source in read_sources(file):
        yield [source.name, *(source.values.get(header, source.text) for header in headers[1:])]
