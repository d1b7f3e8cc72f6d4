"""Fetching open data from a publisher on this machine: whole, resumed, changed meanwhile, wrong, gone."""

from __future__ import annotations

import hashlib
import http.server
import threading
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slagkracht.sources.fetch import CHUNK, Download, haal, make_bars, read_catalogue, show_progress, unpack
from slagkracht.sources.refusal import RefusalError

FUZZ = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CONTENT = bytes(range(256)) * 4000


class Publisher(http.server.ThreadingHTTPServer):
    """A publisher who may break off, forget how to resume, put a new edition in place, or be closed."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.edition = CONTENT, '"een"'
        self.break_after = 0
        self.breaks = 0
        self.resumes = True
        self.status = 200
        self.asked: list[str] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the play."""


class Handler(http.server.BaseHTTPRequestHandler):
    server: Publisher

    def do_GET(self) -> None:
        shop = self.server
        wanted = self.headers.get("Range", "")
        shop.asked.append(wanted)
        start = 0
        if shop.status != 200:
            self.send_response(shop.status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if wanted and shop.resumes and self.headers.get("If-Range") == shop.edition:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206 if start < len(shop.content) else 416)
        else:
            self.send_response(200)
        body = shop.content[start:]
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", shop.edition)
        self.end_headers()
        if shop.breaks:
            shop.breaks -= 1
            body = body[: shop.break_after]
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing to say."""


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    shop = Publisher()
    thread = threading.Thread(target=shop.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield shop
    shop.shutdown()
    shop.server_close()
    thread.join()


def shelf(shop: Publisher, sha256: str = "") -> dict[str, Download]:
    url = f"http://127.0.0.1:{shop.server_address[1]}/wegen.gpkg"
    return {"wegen": Download("wegen", "Wegen", "de proefuitgever", "CC0", url, "wegen.gpkg", sha256)}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_fetched_checked_and_kept(publisher: Publisher, tmp_path: Path) -> None:
    catalogue = shelf(publisher, hashlib.sha256(CONTENT).hexdigest())
    seen: list[tuple[str, int, int]] = []
    (path,) = haal(["wegen"], tmp_path / "nieuw", catalogue=catalogue, progress=lambda *args: seen.append(args))
    assert path.read_bytes() == CONTENT
    assert names(tmp_path / "nieuw") == ["wegen.gpkg"]
    assert seen[-1] == ("wegen", len(CONTENT), len(CONTENT))
    haal(["wegen"], tmp_path / "nieuw", catalogue=catalogue)
    assert len(publisher.asked) == 1
    path.write_bytes(b"veranderd")
    haal(["wegen"], tmp_path / "nieuw", catalogue=catalogue)
    assert path.read_bytes() == CONTENT
    haal(["wegen"], tmp_path / "nieuw", catalogue=catalogue, renew=True)
    assert len(publisher.asked) == 3


def test_an_interruption_goes_on_where_it_stopped(publisher: Publisher, tmp_path: Path) -> None:
    publisher.break_after, publisher.breaks = CHUNK, 2
    (path,) = haal(["wegen"], tmp_path, catalogue=shelf(publisher), pause_s=0)
    assert path.read_bytes() == CONTENT
    assert publisher.asked == ["", f"bytes={CHUNK}-", f"bytes={2 * CHUNK}-"]
    assert names(tmp_path) == ["wegen.gpkg"]


def test_the_next_call_goes_on_too_and_nothing_half_bears_the_name(publisher: Publisher, tmp_path: Path) -> None:
    publisher.break_after, publisher.breaks = CHUNK, 1
    with pytest.raises(RefusalError, match="verder waar het ophield"):
        haal(["wegen"], tmp_path, catalogue=shelf(publisher), attempts=1)
    assert names(tmp_path) == ["wegen.gpkg.deel", "wegen.gpkg.merk"]
    haal(["wegen"], tmp_path, catalogue=shelf(publisher))
    assert (tmp_path / "wegen.gpkg").read_bytes() == CONTENT
    assert publisher.asked[-1] == f"bytes={CHUNK}-"
    assert names(tmp_path) == ["wegen.gpkg"]


@pytest.mark.parametrize("resumes", [True, False])
def test_a_new_edition_or_a_publisher_that_cannot_resume_starts_over(
    publisher: Publisher, tmp_path: Path, resumes: bool
) -> None:
    publisher.break_after, publisher.breaks, publisher.resumes = 400_000, 1, resumes
    with pytest.raises(RefusalError):
        haal(["wegen"], tmp_path, catalogue=shelf(publisher), attempts=1)
    publisher.content, publisher.edition = CONTENT[::-1], '"twee"'
    haal(["wegen"], tmp_path, catalogue=shelf(publisher))
    assert (tmp_path / "wegen.gpkg").read_bytes() == CONTENT[::-1]


def test_a_wrong_checksum_is_refused_and_the_old_file_stays(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "wegen.gpkg").write_bytes(b"van vorig jaar")
    with pytest.raises(RefusalError, match="ander controlegetal"):
        haal(["wegen"], tmp_path, catalogue=shelf(publisher, "0" * 64), pause_s=0)
    assert names(tmp_path) == ["wegen.gpkg"]
    assert (tmp_path / "wegen.gpkg").read_bytes() == b"van vorig jaar"


def test_a_closed_door_is_not_tried_five_times(publisher: Publisher, tmp_path: Path) -> None:
    publisher.status = 404
    with pytest.raises(RefusalError, match="404"):
        haal(["wegen"], tmp_path, catalogue=shelf(publisher))
    assert len(publisher.asked) == 1
    publisher.status = 503
    with pytest.raises(RefusalError, match="503"):
        haal(["wegen"], tmp_path, catalogue=shelf(publisher), attempts=3, pause_s=0)
    assert len(publisher.asked) == 4
    assert names(tmp_path) == []


def test_a_part_that_is_as_long_as_the_whole_starts_over(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "wegen.gpkg.deel").write_bytes(b"x" * len(CONTENT))
    (tmp_path / "wegen.gpkg.merk").write_text('"een"')
    haal(["wegen"], tmp_path, catalogue=shelf(publisher), pause_s=0)
    assert (tmp_path / "wegen.gpkg").read_bytes() == CONTENT


def test_unknown_names_are_refused_before_anything_is_fetched(publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(RefusalError, match="een van wegen"):
        haal(["wegen", "spoor"], tmp_path / "map", catalogue=shelf(publisher))
    assert not (tmp_path / "map").exists()
    assert publisher.asked == []


def test_bars_follow_the_bytes(publisher: Publisher, tmp_path: Path) -> None:
    with make_bars() as bars:
        bars.disable = True
        haal(["wegen"], tmp_path, catalogue=shelf(publisher), progress=show_progress(bars))
    assert bars.tasks[0].completed == bars.tasks[0].total == len(CONTENT)


def test_the_catalogue_names_publisher_licence_and_place() -> None:
    catalogue = read_catalogue()
    assert {"wegen-osm", "wegen-nwb", "vierkanten-100m", "vierkanten-500m", "postcodes", "gemeenten"} <= set(catalogue)
    assert "veiligheidsregios" in catalogue
    assert all(d.url.startswith("https://") and d.dutch and d.publisher and d.licence for d in catalogue.values())
    assert len({d.file for d in catalogue.values()}) == len(catalogue)


def test_a_catalogue_of_ones_own_may_not_write_elsewhere(tmp_path: Path) -> None:
    own = tmp_path / "eigen.toml"
    rest = 'dutch = "x"\npublisher = "x"\nlicence = "x"\nurl = "x"\nsha256 = ""\n'
    own.write_text(f'[a]\nfile = "../a.gpkg"\n{rest}\n[b]\nfile = "/etc/b"\n{rest}\n[c]\nfile = "c.gpkg"\n{rest}')
    with pytest.raises(RefusalError) as refusal:
        read_catalogue(own)
    assert [f.column for f in refusal.value.findings] == ["a", "b"]
    own.write_text('[a]\nfile = "a"\n')
    with pytest.raises(RefusalError, match="sha256"):
        read_catalogue(own)


def archive(folder: Path, **members: bytes) -> Path:
    path = folder / "bron.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return path


def test_a_zip_gives_its_geopackage(tmp_path: Path) -> None:
    path = archive(tmp_path, **{"map/vk.gpkg": b"inhoud", "leesmij.txt": b"hoi"})
    (file,) = unpack(path, tmp_path / "uit")
    assert file.read_bytes() == b"inhoud"
    assert names(tmp_path / "uit") == ["vk.gpkg"]


@pytest.mark.parametrize("name", ["../vk.gpkg", "/tmp/vk.gpkg", "a/../../vk.gpkg", "..\\vk.gpkg", "C:\\vk.gpkg"])
def test_a_zip_that_would_write_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RefusalError, match="eigen map"):
        unpack(archive(tmp_path, **{"goed.gpkg": b"x", name: b"x"}), tmp_path / "uit")
    assert names(tmp_path) == ["bron.zip"]


def test_a_zip_without_or_with_two_of_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusalError, match=r"op \.gpkg"):
        unpack(archive(tmp_path, leesmij=b"x"), tmp_path / "uit")
    with pytest.raises(RefusalError, match="dezelfde naam"):
        unpack(archive(tmp_path, **{"a/vk.gpkg": b"x", "b/vk.gpkg": b"y"}), tmp_path / "uit")


@FUZZ
@given(at=st.floats(0, 1), put=st.binary(max_size=12), cut=st.integers(0, 40))
def test_a_damaged_zip_is_unpacked_whole_or_refused(tmp_path: Path, at: float, put: bytes, cut: int) -> None:
    content = archive(tmp_path, **{"vk.gpkg": CONTENT[:5000]}).read_bytes()
    place = int(at * len(content))
    (tmp_path / "bron.zip").write_bytes(content[:place] + put + content[place + cut :])
    with suppress(RefusalError):
        assert all(path.read_bytes() == CONTENT[:5000] for path in unpack(tmp_path / "bron.zip", tmp_path / "uit"))
    assert not list(tmp_path.rglob("*.uitgepakt"))


@FUZZ
@given(text=st.text(max_size=60))
def test_any_catalogue_is_read_or_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "catalogus.toml"
    path.write_text(text, encoding="utf-8", errors="replace")
    with suppress(RefusalError):
        read_catalogue(path)
