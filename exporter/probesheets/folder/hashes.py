"""The hashes of files in an output folder, and the links that lead out of it."""

import hashlib
from pathlib import Path, PurePosixPath


def sha256(file: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def hash_of(folder: Path, path: str) -> str | None:
    """The SHA-256 of a file in a folder; None if there is no file, or if a link leads to it."""
    return sha256(folder / path) if (folder / path).is_file() and not linked(folder, path) else None


def linked(folder: Path, path: str) -> bool:
    """Whether a path inside a folder is a link or leads through one. The folder itself may be a link."""
    return any(is_link(folder / some) for some in (path, *folders_of(path)))


def folders_of(path: str) -> list[str]:
    """The folders in which a file or folder is, from the inner to the outer one: a/b/c is in a/b and in a."""
    return [parent.as_posix() for parent in PurePosixPath(path).parents][:-1]


def is_link(path: Path) -> bool:
    """Whether a path is a symbolic link, or a junction of Windows."""
    try:
        path.readlink()
    except (OSError, ValueError):
        return False
    return True
