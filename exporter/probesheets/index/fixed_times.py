"""Replace the times in a workbook of openpyxl, which writes the current time: the same content gives the same bytes."""

import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can store
_TIME = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


def set_times(file: Path, created: datetime) -> None:
    """Rewrite an .xlsx file: `created` becomes the time of its creation and change, and its parts get no times."""
    moment = created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            if name == "docProps/core.xml":
                content = _TIME.sub(rb"\g<1>" + moment, content)
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
