"""Imports files into one new project by QualCoder's own importers, without a screen, and prints what came out.

usage: python qualcoder_driver.py CHECKOUT TEXT_COLUMN WORKBOOK...  (by its survey import)
       python qualcoder_driver.py CHECKOUT - PROJECT.qdpx           (by its import of REFI-QDA)

QUALCODER_PROJECT names an empty folder for the project, which is otherwise removed.

It runs in a Python with PyQt6 and openpyxl. Real are the dialog, its form, and the project's tables, which are read
from the checkout. Made up are the person (who chooses the file, sets the columns' types, and presses OK), the
application around the dialog, and the modules for media that the import never calls.
"""

import ast
import contextlib
import json
import os
import re
import sqlite3
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

from PyQt6 import QtWidgets  # type: ignore[import-not-found]

UNUSED = ("PIL", "pymupdf", "vlc", "qualcoder.media_player_qt")
QUERIES = {
    "cases": "select name from cases",
    "attribute_types": "select name from attribute_type where caseOrFile = 'case'",
    "attributes": """
        select cases.name, attribute.name, attribute.value from attribute
        join cases on cases.caseid = attribute.id and attribute.attr_type = 'case'""",
    "sources": "select name, mediapath from source",
    "texts": """
        select cases.name, source.fulltext, pos0, pos1 from case_text
        join cases using (caseid) join source on source.id = case_text.fid""",
    "file_texts": "select name, fulltext, owner from source",
    "file_attributes": """
        select source.name, attribute.name, attribute.value from attribute
        join source on source.id = attribute.id and attribute.attr_type = 'file'""",
    "codes": "select name, memo from code_name",
    "coded": """
        select cases.name, code_name.name, code_text.seltext from code_text
        join code_name using (cid) join case_text using (fid) join cases using (caseid)""",
}


def project_tables(checkout: Path) -> list[str]:
    """The statements by which QualCoder makes the tables of a new project: they hold what must be unique."""
    module = ast.parse((checkout / "src" / "qualcoder" / "__main__.py").read_text(encoding="utf-8"))
    found = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef) and node.name == "new_project"]
    texts = [node.value for function in found for node in ast.walk(function) if isinstance(node, ast.Constant)]
    return [text for text in texts if isinstance(text, str) and text.lower().startswith("create table ")]


def database_version(checkout: Path) -> str:
    """The version that QualCoder gives to the database of a new project."""
    source = (checkout / "src" / "qualcoder" / "__main__.py").read_text(encoding="utf-8")
    return str(max(re.findall(r"\('(v[0-9]+)', datetime", source)))


def set_types(dialog: Any, text_column: str) -> None:
    """As by the menu of each header: the text is qualitative; what else was guessed to be so is not."""
    for place, header in enumerate(dialog.fields):
        dialog.headerIndex = place
        if header == text_column:
            dialog.qualitative_field_type()
        elif dialog.fields_type[place] == "qualitative":
            dialog.character_field_type()


def import_workbook(app: Any, file: str, text_column: str) -> dict[str, Any]:
    """Choose the file, set the types, press OK; what the program said, guessed and inserted."""
    from qualcoder.import_survey import DialogImportSurvey  # type: ignore[import-not-found]

    said: list[str] = []
    QtWidgets.QFileDialog.getOpenFileNames = lambda *_, **__: ([file], "")
    QtWidgets.QMessageBox.exec = lambda box: said.append(box.text())
    before = app.conn.execute("select count(*) from cases").fetchone()[0]
    dialog = DialogImportSurvey(app, SimpleNamespace(append=said.append))
    guessed = dict(zip(dialog.fields, dialog.fields_type, strict=True))
    set_types(dialog, text_column)
    dialog.accept()
    after = app.conn.execute("select count(*) from cases").fetchone()[0]
    return {"said": said, "guessed": guessed, "cases": after - before, "closed": dialog.result() == 1}


def import_refi(app: Any, file: str) -> dict[str, Any]:
    """Choose the .qdpx file and import it; what the program said."""
    from qualcoder.refi import RefiImport  # type: ignore[import-not-found]

    said: list[str] = []
    QtWidgets.QFileDialog.getOpenFileName = lambda *_, **__: (file, "any")
    QtWidgets.QMessageBox.exec = lambda box: said.append(box.text())
    RefiImport(app, SimpleNamespace(append=said.append), "qdpx")
    return {"said": said, "coder": app.settings["codername"]}


def import_all(checkout: Path, text_column: str, files: list[str], project: Path) -> dict[str, Any]:
    (project / "documents").mkdir()
    settings = {"fontsize": 10, "font": "Sans", "directory": str(project), "codername": "test", "ai_enable": "False"}
    with contextlib.closing(sqlite3.connect(project / "data.qda")) as conn:
        for statement in project_tables(checkout):
            conn.execute(statement)
        conn.execute("insert into project (databaseversion) values (?)", [database_version(checkout)])
        app = SimpleNamespace(settings=settings, conn=conn, project_path=str(project), project_events=None)
        app.ai_models, app.write_config_ini = [], lambda *_: None
        workbooks = {
            file: import_refi(app, file) if file.endswith(".qdpx") else import_workbook(app, file, text_column)
            for file in files
        }
        return {"workbooks": workbooks} | {name: conn.execute(query).fetchall() for name, query in QUERIES.items()}


def main() -> None:
    checkout, text_column, *files = sys.argv[1:]
    sys.path.insert(0, str(Path(checkout) / "src"))
    sys.modules.update({name: MagicMock() for name in UNUSED})
    application = QtWidgets.QApplication([])
    with contextlib.redirect_stdout(sys.stderr), tempfile.TemporaryDirectory() as project:
        result = import_all(Path(checkout), text_column, files, Path(os.environ.get("QUALCODER_PROJECT") or project))
    print(json.dumps(result))
    application.quit()


if __name__ == "__main__":
    main()
