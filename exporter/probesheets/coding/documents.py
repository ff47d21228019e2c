"""The texts in a coder's file, and how they were coded."""

from collections.abc import Sequence
from pathlib import Path

from probesheets.coding.document import Document
from probesheets.coding.qualcoder import read_qualcoder
from probesheets.coding.workbook import read_workbook
from probesheets.errors import ProbesheetsError
from probesheets.refi_qda.read import read_sources


def read_documents(file: Path, sheets: Sequence[tuple[str, str]]) -> list[Document]:
    """The texts of a file. `sheets` has the headers of the Record ID and the text for each kind of workbook.

    Raises ProbesheetsError if the file cannot be read or is of another kind.
    """
    try:
        if file.suffix == ".qda":
            return list(read_qualcoder(file / "data.qda" if file.is_dir() else file))
        if file.suffix == ".xlsx":
            return list(read_workbook(file, sheets))
        if file.suffix == ".qdpx":
            return [Document(one.name, f"source {one.name}", one.text, one.codings) for one in read_sources(file)]
    except (OSError, ValueError) as error:
        raise ProbesheetsError(f"{file} cannot be read: {error}") from None
    raise ProbesheetsError(f"{file} cannot be read. Give QualCoder's folder NAME.qda, a workbook (.xlsx) or a .qdpx.")
