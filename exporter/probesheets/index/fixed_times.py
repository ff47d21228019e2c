"""A workbook of a library that stamps the present time into it, stamped anew: the same content, the same bytes."""

import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip knows
_TIME = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


def stamp(file: Path, created: datetime) -> None:
    """Rewrite an .xlsx file: `created` is when it was created and modified, and no part has a time of its own."""
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
