"""The wheel, installed where the source is not, serves a page with everything the page names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import urljoin

import httpx
import pytest
from psycopg.conninfo import conninfo_to_dict

from runtime.ports import free_port
from tests.architecture.sources import ROOT, packages

pytestmark = pytest.mark.sockets

ASSET = re.compile(r'(?:src|href)="([^"]+\.(?:js|css|svg|woff2))(?:\?[^"]*)?"')


class House(Protocol):
    temporal: str
    keys: str


class Urls(Protocol):
    app: str
    system: str
    migrate: str


def as_url(conninfo: str) -> str:
    """A connection string as the settings want it."""
    known = conninfo_to_dict(conninfo)
    return f"postgresql://{known['user']}:{known['password']}@{known['host']}:{known['port']}/{known['dbname']}"


def pip(*arguments: str) -> None:
    quiet = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *arguments, *quiet], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without isolation, so that nothing is downloaded."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
    return next(folder.glob("phis-*.whl"))


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("elsewhere")
    pip("install", "--target", str(folder), str(wheel))
    return folder


def environment(elsewhere: Path, **settings: str) -> dict[str, str]:
    """Our packages from the installed wheel, dependencies from this environment, the checkout from nowhere.

    `python -S` reads no `.pth` files, through which an editable installation would bring the checkout back.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PHIS_", "PYTHON"))}
    path = os.pathsep.join([str(elsewhere), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    return {**kept, "PYTHONPATH": path, **settings}


def run(elsewhere: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-S", *arguments],
        cwd=cwd,
        env=environment(elsewhere),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_wheel_carries_what_is_not_python(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        r"api/ui/templates/.+\.html",
        r"api/ui/static/vendor/htmx/htmx\.min\.js",
        r"api/ui/static/vendor/.+\.woff2",
        r"api/ui/static/[^/]+\.css",
        r"domain/fhir/tables/structures\.zip",
        r"api/ui/locale/ko/LC_MESSAGES/.+\.mo",
        r"rules/library/.+\.json",
        r"store/migrations/versions/\d+_.+\.py",
        r"phis-.+\.dist-info/licenses/LICENSE",
    ):
        assert any(re.fullmatch(wanted, name) for name in names), wanted
    assert not [name for name in names if name.startswith(("tests/", "docs/", ".phis")) or name.endswith(".env")]


def test_the_wheel_carries_every_package_and_nothing_else(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(packages())


def test_its_command_line_tells_its_version(elsewhere: Path, tmp_path: Path) -> None:
    told = run(elsewhere, tmp_path, "-m", "runtime.cli", "version")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("phis 0.1.0")


def test_its_modules_come_from_the_wheel(elsewhere: Path, tmp_path: Path) -> None:
    asked = run(
        elsewhere, tmp_path, "-c", "import api.app, store.schema; print(api.app.__file__, store.schema.__file__)"
    )
    assert asked.returncode == 0, asked.stderr
    assert all(Path(file).is_relative_to(elsewhere) for file in asked.stdout.split())


@pytest.fixture
def address(elsewhere: Path, tmp_path: Path, house: House, urls: Urls) -> Iterator[str]:
    """A server of the wheel, with a database and a Temporal of this run."""
    port = free_port()
    log = tmp_path / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-S", "-m", "runtime.cli", "server"],
            cwd=tmp_path,
            env=environment(
                elsewhere,
                PHIS_DATABASE_URL=as_url(urls.app),
                PHIS_DATABASE_SYSTEM_URL=as_url(urls.system),
                PHIS_TEMPORAL_ADDRESS=house.temporal,
                PHIS_KEYS=house.keys,
                PHIS_PORT=str(port),
            ),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    base = f"http://127.0.0.1:{port}"
    try:
        wait_until_alive(base, server, log)
        yield base
    finally:
        server.terminate()
        assert server.wait(timeout=20) == 0, log.read_text(encoding="utf-8")


def wait_until_alive(base: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text(encoding="utf-8")
        try:
            if httpx.get(f"{base}/livez", timeout=2).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail(f"no answer within 30 seconds: {log.read_text(encoding='utf-8')}")


def test_it_serves_the_sign_in_page_with_its_assets_in_both_languages(address: str, hospital: str) -> None:
    korean = httpx.get(f"{address}/signin", headers={"Accept": "text/html", "Accept-Language": "ko"})
    english = httpx.get(f"{address}/signin", headers={"Accept": "text/html", "Accept-Language": "en"})
    assert korean.status_code == english.status_code == httpx.codes.OK
    assert re.search(r'<html[^>]* lang="ko"', korean.text)
    assert "로그인" in korean.text
    assert "로그인" not in re.sub(r"<select.*?</select>", "", english.text, flags=re.DOTALL)
    assets = {urljoin(address, match) for match in ASSET.findall(english.text)}
    assert any("htmx" in asset for asset in assets)
    assert any(asset.endswith(".css") for asset in assets)
    for asset in sorted(assets):
        answer = httpx.get(asset)
        assert answer.status_code == httpx.codes.OK, asset
        assert answer.content, asset
