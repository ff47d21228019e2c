"""The texts in a coder's file, and how they were coded."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from python_calamine import CalamineError

from probesheets.coding.qualcoder import read_qualcoder
from probesheets.coding.workbook import read_workbook
from probesheets.errors import ProbesheetsError
from probesheets.refi_qda.read import Source, read_sources


def read_documents(file: Path, sheets: Sequence[tuple[str, str]]) -> list[Source]:
    """The texts of a file, by Record ID. `sheets` has the headers of the ID and the text for each kind of workbook.

    Raises ProbesheetsError if the file cannot be read or is of another kind.
    """
    documents: Iterable[Source]
    if file.suffix == ".qda":
        documents = read_qualcoder(file / "data.qda" if file.is_dir() else file)
    elif file.suffix == ".xlsx":
        documents = read_workbook(file, sheets)
    elif file.suffix == ".qdpx":
        documents = read_sources(file)
    else:
        raise ProbesheetsError(f"{file} cannot be read. Give QualCoder's folder NAME.qda, a workbook .xlsx or a .qdpx.")
    try:
        return list(documents)
    except (OSError, ValueError, CalamineError) as error:
        raise ProbesheetsError(f"{file} cannot be read: {error}") from None
