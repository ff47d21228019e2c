"""`--source mysql://…` over a network: with TLS, to a server that is who it says, or not at all.

The network is this machine's own address, which is not loopback.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import need
from tests.servers import PASSWORD, ROOT, USER, Server, mariadb

SCRIPT = """
import sys
from pathlib import Path
from probesheets.errors import ProbesheetsError
from probesheets.source.asked import Source
from probesheets.source.copy import copy_source
try:
    print(copy_source(Path(sys.argv[1]), Source(sys.argv[2])).said[0])
except ProbesheetsError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def address() -> str:
    said = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout
    found = [word for word in said.split() if word.count(".") == 3]
    if not found:
        pytest.skip("this machine has no address but loopback")
    return found[0]


@pytest.fixture(scope="module")
def certificate(address: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of a certificate that no authority has signed, for that address; its key is beside it."""
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    folder = tmp_path_factory.mktemp("tls")
    arguments = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=outputs"]
    arguments += ["-addext", f"subjectAltName=IP:{address}", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(arguments, check=True, capture_output=True, cwd=folder)
    return folder / "cert.pem"


@pytest.fixture(scope="module")
def plain() -> Iterator[Server]:
    need("mariadb")
    with mariadb("--bind-address=0.0.0.0", "--skip-ssl") as server:
        yield _filled(server)


@pytest.fixture(scope="module")
def encrypting(certificate: Path) -> Iterator[Server]:
    """It takes no connection of the user without TLS: what is copied from it came with TLS."""
    need("mariadb")
    with mariadb(
        "--bind-address=0.0.0.0", f"--ssl-cert={certificate}", f"--ssl-key={certificate.with_name('key.pem')}"
    ) as server:
        server.root.execute(f"alter user {USER}@'%' require ssl")
        yield _filled(server)


def _filled(server: Server) -> Server:
    server.create_schemas("outputs", "sheets")
    columns = "id int, experiment_id int, root_id int, tag text, probe text, content text"
    server.root.execute(f"create table outputs.table_output ({columns})")
    server.root.execute("insert into outputs.table_output values (1, 1, 0, 'trimmed', 'p', 'x')")
    return server


def said(place: str, folder: Path, **more: str) -> list[str]:
    environment = os.environ | {"PROBESHEETS_PASSWORD": PASSWORD, "PYTHONPATH": str(ROOT)} | more
    arguments = [sys.executable, "-c", SCRIPT, str(folder / "p.duckdb"), f"mysql://{USER}@{place}"]
    result = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True)
    return result.stdout.splitlines()


def test_a_server_without_tls_is_refused(plain: Server, address: str, tmp_path: Path) -> None:
    first, advice = said(f"{address}:{plain.port}/outputs", tmp_path)
    assert "the server does not support it" in first
    assert advice.endswith(f"--source mysql://{USER}@{address}:{plain.port}/outputs?tls=off")
    [copied] = said(f"{address}:{plain.port}/outputs?tls=off", tmp_path)
    assert copied.startswith("Read 1 row ")


def test_a_certificate_must_be_trusted(encrypting: Server, address: str, certificate: Path, tmp_path: Path) -> None:
    place = f"{address}:{encrypting.port}/outputs"
    first, advice = said(place, tmp_path)
    assert "certificate is not trusted" in first.lower() and "SSL_CERT_FILE" in advice
    [copied] = said(place, tmp_path, SSL_CERT_FILE=str(certificate))
    assert copied.startswith("Read 1 row ")
    [copied] = said(f"{place}?tls=off", tmp_path)  # not asked for, but used
    assert copied.startswith("Read 1 row ")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3"])
def test_this_machine_needs_none(plain: Server, host: str, tmp_path: Path) -> None:
    [copied] = said(f"{host}:{plain.port}/outputs", tmp_path)
    assert copied.startswith("Read 1 row ")
