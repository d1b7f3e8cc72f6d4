"""Every kind of bad input, tried for real: one clear paragraph in Dutch, code 1 or 2, and nothing half written."""

from __future__ import annotations

import errno
import json
import resource
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cli_run import REAL, TOYLAND, Answer, run

Screen = pytest.CaptureFixture[str]
Change = Callable[[bytes], bytes]
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="the real data does not lie beside the checkout")


def stands(folder: Path) -> set[Path]:
    """Everything in a folder, hidden things too."""
    return set(folder.rglob("*"))


def refused(answer: Answer, *says: str, codes: tuple[int, ...] = (1,)) -> None:
    """One paragraph that says what, where and what to do; never a trace."""
    assert answer.code in codes, answer
    assert "Kan niet verder: " in answer.err
    assert "Traceback" not in answer.err + answer.out
    assert "Error" not in answer.err
    for text in says:
        assert text in answer.err


def put(old: str, new: str, encoding: str = "utf-8") -> Change:
    def change(text: bytes) -> bytes:
        assert old.encode() in text
        return text.decode().replace(old, new, 1).encode(encoding)

    return change


FIELD = "A" * 200_000
TABLES = {
    "another encoding": ("kazernes.csv", put("Noordstad", "Noordstâd", "cp1252"), "rij 2", "geen UTF-8", "CSV UTF-8"),
    "UTF-16": ("kazernes.csv", put("Noordstad", "Noordstad", "utf-16"), "UTF-16", "CSV UTF-8"),
    "decimal commas": (
        "gebieden.csv",
        lambda text: text.replace(b",", b";").replace(b"100500", b"100500,5"),
        "rij 2, kolom x_m: gevonden '100500,5'; verwacht: een getal met een punt, geen decimale komma",
    ),
    "east and north swapped": ("kazernes.csv", put("100000,510000", "510000,100000"), "rij 2, kolom x_m", "300000"),
    "a station elsewhere": ("kazernes.csv", put("100000,510000", "-90000,510000"), "rij 2, kolom x_m", "ten minste"),
    "an id twice": ("kazernes.csv", put("N2,", "N1,"), "rij 3, kolom kazerne_id", "deze staat ook in rij 2"),
    "a unit twice": ("eenheden.csv", put("N1-TS2,", "N1-TS,"), "rij 3, kolom eenheid_id", "deze staat ook in rij 2"),
    "a unit of no station": ("eenheden.csv", put("N1-TS,N1", "N1-TS,N9"), "rij 2, kolom kazerne_id", "'N9'"),
    "negative turnout": (
        "eenheden.csv",
        put(",80,", ",-80,"),
        "kolom uitruktijd_s_dag: gevonden '-80'",
        "ten minste 0",
    ),
    "readiness above one": ("eenheden.csv", put(",0.99,", ",99,"), "kolom paraatheid_dag", "ten hoogste 1"),
    "no regime": ("eenheden.csv", put("beroeps", "betaald"), "gevonden 'betaald'", "een van beroeps"),
    "an empty file": ("eenheden.csv", lambda _: b"", "een leeg bestand", "een kopregel en minstens één rij"),
    "no rows": ("kazernes.csv", lambda text: text.splitlines()[0] + b"\n", "geen rijen", "minstens één rij"),
    "no numbers": ("gebieden.csv", put("9000", "veel"), "rij 2, kolom inwoners: gevonden 'veel'", "een getal"),
    "nothing": ("gebieden.csv", put("9000", ""), "rij 2, kolom inwoners: gevonden 'niets'", "een getal"),
    "a column less": ("gebieden.csv", put("inwoners", "bewoners"), "kolom inwoners", "een kolom inwoners"),
    "a cell more": ("gebieden.csv", put("9000,", "9000,1,"), "rij 2", "12 cellen", "11 cellen"),
    "a huge field": ("gebieden.csv", put("A02,", FIELD + ","), "meer dan 131.072 tekens", "gewone cellen"),
    "a quote left open": ("gebieden.csv", put("A02,", '"A02,'), "gebieden.csv", "aanhalingsteken"),
    "bytes that are no text": ("gebieden.csv", lambda text: text[:300] + b"\0\0" + text[300:], "nulbytes"),
    "a matrix that misses a row": (
        "reistijden.csv",
        lambda text: b"".join(text.splitlines(keepends=True)[:-1]),
        "geen rij voor A12",
    ),
    "a matrix that misses a station": ("reistijden.csv", put("N2", "N7"), "kolom N2", "een kolom per kazerne"),
    "two values for one day": (
        "regels/eerste.toml",
        put("starts = 2026-01-01", "starts = 2025-06-01"),
        "vanaf 2020-01-01 tot en met 2025-12-31 en opnieuw vanaf 2025-06-01",
        "één waarde per dag",
    ),
    "a rule that is cut off": ("regels/eerste.toml", lambda text: text[:60], "eerste.toml", "geldig TOML-bestand"),
    "a rule of no known kind": ("regels/eerste.toml", put('"objectnorm"', '"objetcnorm"'), "kolom kind", "objectnorm"),
}


@pytest.mark.parametrize("what", TABLES)
def test_a_country_with_something_wrong_is_refused_by_row_and_column(capsys: Screen, tmp_path: Path, what: str) -> None:
    file, change, *says = TABLES[what]
    country = tmp_path / "land"
    shutil.copytree(TOYLAND, country)
    (country / file).write_bytes(change((country / file).read_bytes()))
    before = stands(tmp_path)
    refused(run(capsys, "plan", "voorbeeld", country, "--uit", tmp_path / "plan"), *says)
    assert stands(tmp_path) == before


def test_a_missing_table_is_named(capsys: Screen, tmp_path: Path) -> None:
    country = tmp_path / "land"
    shutil.copytree(TOYLAND, country)
    (country / "eenheden.csv").unlink()
    answer = run(capsys, "plan", "voorbeeld", country, "--uit", tmp_path / "plan")
    refused(answer, "eenheden.csv: gevonden 'bestaat niet'")


def test_a_field_of_four_gigabytes_is_refused_before_it_is_read(capsys: Screen, tmp_path: Path) -> None:
    country = tmp_path / "land"
    shutil.copytree(TOYLAND, country)
    with (country / "gebieden.csv").open("r+b") as file:
        file.truncate(4 << 30)  # a hole: it takes no room on the disk
    refused(run(capsys, "plan", "voorbeeld", country, "--uit", tmp_path / "plan"), "meer dan 16 MB")


def test_a_norm_without_a_value_for_the_day_is_named_with_place_and_day(capsys: Screen, tmp_path: Path) -> None:
    path = tmp_path / "plan"
    assert run(capsys, "plan", "voorbeeld", TOYLAND, "--uit", path, "--dag", "1990-01-01").code == 0
    answer = run(capsys, "dekking", path)
    refused(answer, "regel 'verwerkingstijd' heeft voor VR91 geen waarde op 01-01-1990", "kies een andere dag")
    answer = run(capsys, "plan", "modelland", "--gebieden", 342, "--dag", "1990-01-01", "--uit", tmp_path / "m")
    refused(answer, "geen waarde op 01-01-1990")
    assert not (tmp_path / "m").exists()


NOBODY = {
    "what is not there": ("{tmp}/nergens", "bestaat niet"),
    "a folder": ("{tmp}", "een map of zip met manifest.json"),
    "a text": ("{toyland}/README.md", "een map of zip met manifest.json"),
    "a damaged plan": ("{plan}", "een andere inhoud"),
}


@pytest.mark.parametrize("what", NOBODY)
@pytest.mark.parametrize("command", ["plan toon", "dekking", "kaart", "rapport", "volgorde", "variant", "formaties"])
def test_what_is_no_plan_is_refused(capsys: Screen, tmp_path: Path, what: str, command: str) -> None:
    plan = tmp_path / "plan"
    run(capsys, "plan", "voorbeeld", TOYLAND, "--uit", plan)
    (plan / "stations.parquet").write_bytes((plan / "stations.parquet").read_bytes()[:-9])
    path, says = NOBODY[what]
    words = [*command.split(), path.format(tmp=tmp_path, toyland=TOYLAND, plan=plan)]
    words += ["--uit", str(tmp_path / "uit.csv")] if command == "volgorde" else []
    words += [str(TOYLAND / "varianten" / "sluit-noorddorp.toml")] if command == "variant" else []
    before = stands(tmp_path)
    refused(run(capsys, *words), says)
    assert stands(tmp_path) == before


@pytest.fixture
def plan(tmp_path: Path, capsys: Screen) -> Path:
    path = tmp_path / "plan"
    assert run(capsys, "plan", "voorbeeld", TOYLAND, "--uit", path).code == 0
    return path


VARIANTS = {
    "no station": (
        'naam = "x"\n[[wijzigingen]]\nsoort = "sluit"\nkazerne = "ZZ"',
        "kazerne 'ZZ' staat niet in dit plan",
    ),
    "no edit": ('naam = "x"', "minstens één tabel [[wijzigingen]]"),
    "no kind": ('naam = "x"\n[[wijzigingen]]\nsoort = "slopen"', "een van: sluit"),
    "not in the country": (
        'naam = "x"\n[[wijzigingen]]\nsoort = "verplaats"\nkazerne = "N1"\nx_m = 1.0\ny_m = 2.0',
        "wijziging 1, y_m",
    ),
    "no roads to move on": (
        'naam = "x"\n[[wijzigingen]]\nsoort = "verplaats"\nkazerne = "N1"\nx_m = 100000.0\ny_m = 500000.0',
        "vraagt een wegennet",
    ),
    "negative turnout": (
        'naam = "x"\n[[wijzigingen]]\nsoort = "bezetting"\nkazerne = "N1"\nuitruktijd_s = -5.0',
        "uitruktijd_s",
    ),
    "no toml": ("naam is x", "een geldig TOML-bestand"),
}


@pytest.mark.parametrize("what", VARIANTS)
def test_a_variant_that_cannot_be_is_refused(capsys: Screen, tmp_path: Path, plan: Path, what: str) -> None:
    text, says = VARIANTS[what]
    file = tmp_path / "variant.toml"
    file.write_text(text, "utf-8")
    before = stands(tmp_path)
    refused(run(capsys, "variant", plan, file, "--uit", tmp_path / "v.html"), says)
    assert stands(tmp_path) == before


def test_a_norm_that_is_not_there_is_named(capsys: Screen, plan: Path) -> None:
    refused(run(capsys, "dekking", plan, "--norm", "eertse"), "regel 'eertse'")
    refused(run(capsys, "variant", plan, TOYLAND / "varianten" / "sluit-noorddorp.toml", "--norm", "x"), "regel 'x'")


def test_a_receipt_that_is_none_is_refused(capsys: Screen, tmp_path: Path, plan: Path) -> None:
    refused(run(capsys, "controleer", tmp_path / "nergens"), "bestaat niet")
    refused(run(capsys, "controleer", plan), "verantwoording.json")
    run(capsys, "dekking", plan, "--norm", "eerste", "--venster", "dag", "--uit", tmp_path / "u")
    file = tmp_path / "u" / "verantwoording.json"
    text = json.loads(file.read_text("utf-8"))
    del text["verantwoording"]["rules"]
    file.write_text(json.dumps(text), "utf-8")
    refused(run(capsys, "controleer", tmp_path / "u"), "een andere inhoud", "een verantwoording.json")
    shutil.rmtree(plan)
    file.write_text(json.dumps(text | {"verantwoording": None}), "utf-8")
    refused(run(capsys, "controleer", tmp_path / "u"))


def test_shapes_that_cannot_be_read_are_refused(capsys: Screen, tmp_path: Path, plan: Path) -> None:
    page = tmp_path / "k.html"
    refused(
        run(capsys, "kaart", plan, "--uit", page, "--grenzen", TOYLAND / "README.md"), "een kaartbestand met vlakken"
    )
    refused(run(capsys, "kaart", plan, "--uit", page, "--vlakken", tmp_path / "nergens.gpkg"), "bestaat niet")
    assert not page.exists()


def test_a_result_never_takes_the_place_of_something_else(capsys: Screen, tmp_path: Path, plan: Path) -> None:
    names = ("bestand", "map", "map.html", "map.pdf", "map.jsonl", "map.csv")
    file, folder, page, report, log, times = (tmp_path / name for name in names)
    file.write_text("van mij")
    for each in (folder, page, report, log, times):
        each.mkdir()
    (folder / "ook").write_text("van mij")
    before = stands(tmp_path)
    refused(run(capsys, "plan", "voorbeeld", TOYLAND, "--uit", file), "iets dat geen plan is")
    refused(run(capsys, "plan", "voorbeeld", TOYLAND, "--uit", folder), "iets dat geen plan is")
    refused(run(capsys, "plan", "voorbeeld", TOYLAND, "--uit", file / "plan"), "bestaat al")
    refused(run(capsys, "dekking", plan, "--uit", file), "een map, bestaand of nieuw")
    refused(run(capsys, "kaart", plan, "--uit", page), "de naam van een bestand")
    refused(run(capsys, "rapport", plan, "--uit", report), "de naam van een bestand")
    refused(run(capsys, "demo", "--niet-serveren", "--map", file), "een map, bestaand of nieuw")
    refused(run(capsys, "risico", "--uit", file), "een map, bestaand of nieuw")
    refused(run(capsys, "simulatie", plan, "--logboek", log), "de naam van een bestand")
    refused(run(capsys, "logboek", "uitvoer", "--regio", "VR06", "--naar", log), "de naam van een bestand")
    refused(run(capsys, "slagkrachtkaart", plan, "--uit", times), "de naam van een bestand")
    words = ("aflossing", plan, "--formatie", "basispeloton:1", "--plaats", "0,0")
    refused(run(capsys, *words, "--uit", times), "de naam van een bestand")
    assert stands(tmp_path) == before
    assert (file.read_text(), (folder / "ook").read_text()) == ("van mij", "van mij")


def test_any_name_will_do(capsys: Screen, tmp_path: Path) -> None:
    path = tmp_path / "Súdwest-Fryslân ☃ plan.zip"
    assert run(capsys, "plan", "voorbeeld", TOYLAND, "--uit", path).code == 0
    answer = run(capsys, "dekking", path, "--norm", "eerste", "--venster", "dag", "--uit", tmp_path / "uit komst é")
    assert answer.code == 0
    assert f"Geschreven: {tmp_path / 'uit komst é'}" in answer.out
    assert run(capsys, "controleer", tmp_path / "uit komst é").code == 0


FAULTS = {
    "full": (OSError(errno.ENOSPC, "No space left on device"), 1, "de schijf is vol"),
    "closed": (PermissionError(errno.EACCES, "Permission denied"), 1, "geen toestemming"),
    "read only": (OSError(errno.EROFS, "Read-only file system"), 1, "alleen te lezen"),
    "no memory": (MemoryError(), 1, "het geheugen is vol"),
    "Ctrl-C": (KeyboardInterrupt(), 130, "afgebroken; er is niets half geschreven"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_what_goes_wrong_while_writing_leaves_nothing_half(
    capsys: Screen, tmp_path: Path, plan: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    fault, code, says = FAULTS[what]
    page, result = tmp_path / "kaart.html", tmp_path / "uitkomst"
    page.write_text("de vorige kaart")

    def half(path: Path, *_: object, **__: object) -> None:
        path.write_bytes(b"de helft")
        raise fault

    before = stands(tmp_path)
    monkeypatch.setattr("slagkracht.cli.pages.write_map_page", half)
    refused(run(capsys, "kaart", plan, "--uit", page), says, codes=(code,))
    for room in ("coverage", "order"):
        monkeypatch.setattr(f"slagkracht.cli.{room}.write_table", half)
    refused(run(capsys, "dekking", plan, "--norm", "eerste", "--uit", result), says, codes=(code,))
    refused(run(capsys, "volgorde", plan, "--uit", tmp_path / "k.csv"), says, codes=(code,))
    monkeypatch.setattr("slagkracht.cli.demo.write_result", lambda *_: half(tmp_path / ".x"))
    monkeypatch.setattr("slagkracht.cli.demo.write_plan", lambda *_: half(tmp_path / ".x"))
    (tmp_path / ".x").write_bytes(b"")
    before.add(tmp_path / ".x")
    refused(run(capsys, "demo", "--niet-serveren", "--gebieden", 342, "--map", tmp_path / "d"), says, codes=(code,))
    assert stands(tmp_path) == before
    assert page.read_text() == "de vorige kaart"


def test_a_place_that_cannot_be_written_to_is_refused_at_once(
    capsys: Screen, tmp_path: Path, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object, **__: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", "een verborgen naam")

    monkeypatch.setattr("slagkracht.sources.scratch.tempfile.mkdtemp", closed)
    monkeypatch.setattr("slagkracht.cli.coverage.compute_coverage", lambda *_, **__: pytest.fail("it went to work"))
    for command, name in (("dekking", "dicht"), ("kaart", "dicht.html")):
        refused(run(capsys, command, plan, "--uit", tmp_path / name), f"{tmp_path / name}: geen toestemming")


def test_a_disk_that_is_full_while_a_plan_is_written_keeps_the_old_plan(
    capsys: Screen, tmp_path: Path, plan: Path
) -> None:
    before, old = stands(tmp_path), (plan / "manifest.json").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
    try:
        answer = run(capsys, "plan", "voorbeeld", TOYLAND, "--uit", plan, "--dag", "2025-07-01")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    refused(answer, "groter dan deze plaats toelaat")
    assert ((plan / "manifest.json").read_bytes(), stands(tmp_path)) == (old, before)


def zipped(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return path


@pytest.mark.parametrize("name", ["../kwaad.csv", "/kwaad.csv", "..\\kwaad.csv", "a/../../kwaad.csv", "C:/kwaad.csv"])
def test_a_zip_that_would_write_outside_its_folder_is_refused(capsys: Screen, tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path / "vr06.zip", name)
    answer = run(capsys, "aanlevering", "controleer", path)
    assert answer.code == 1
    assert "deze zou buiten zijn map schrijven" in answer.out
    assert stands(tmp_path) == {path}


def test_deliveries_alone_need_roads_and_what_is_wrong_is_said(capsys: Screen, tmp_path: Path) -> None:
    path = zipped(tmp_path / "vr06.zip", "../x.csv")
    uit = tmp_path / "p"
    refused(run(capsys, "plan", "bouw", "--aanlevering", path, "--uit", uit), "--wegen of --matrix", codes=(2,))
    words = ("plan", "bouw", "--aanlevering", path, "--matrix", path, "--uit", uit)
    refused(run(capsys, *words), "vr06.zip", "buiten zijn map schrijven")
    refused(run(capsys, *words, "--eenheid", "uren"), "kies uit seconden, minuten", codes=(2,))
    refused(run(capsys, "plan", "bouw", "--bron", tmp_path / "weg", "--uit", uit), "weg: bestaat niet")
    refused(run(capsys, "plan", "bouw", "--bron", TOYLAND, "--uit", uit), "pc4_2020_2021.csv: gevonden 'bestaat niet'")
    assert not uit.exists()


NATIONAL = {
    "lon and lat swapped": ("kazernes_2026.csv", "6.84608,53.317473", "53.317473,6.84608", "zijn verwisseld"),
    "outside the Netherlands": ("kazernes_2026.csv", "6.84608,53.317473", "13.4,52.5", "een plaats in Nederland"),
    "an unknown vehicle code": ("voertuigen_2026.csv", "01-0001,PM", "01-0001,QQ", "rij 2, kolom type: gevonden 'QQ'"),
    "a station twice": ("kazernes_2026.csv", "\n01-0001,", "\n01-0000,", "deze staat ook in rij 2"),
    "people that are no number": ("pc4_2020_2021.csv", "1011,9630.0", "1011,9.630,0", "pc4_2020_2021.csv, rij 2"),
}


@needs_real
@pytest.mark.parametrize("what", NATIONAL)
def test_a_national_list_with_something_wrong_is_refused(capsys: Screen, tmp_path: Path, what: str) -> None:
    file, old, new, says = NATIONAL[what]
    source = tmp_path / "bron"
    source.mkdir()
    for name in ("kazernes_2026.csv", "voertuigen_2026.csv", "pc4_2020_2021.csv"):
        text = (REAL / "nederland" / name).read_text("utf-8")
        assert name != file or old in text
        (source / name).write_text(text.replace(old, new, 1) if name == file else text, "utf-8")
    refused(run(capsys, "plan", "bouw", "--bron", source, "--uit", tmp_path / "p"), says)
    assert not (tmp_path / "p").exists()


@needs_real
def test_roads_that_are_cut_off_or_lie_elsewhere_are_refused(capsys: Screen, tmp_path: Path) -> None:
    whole = REAL / "osm" / "valhalla_liechtenstein-latest.osm.pbf"
    half, empty, text = tmp_path / "half.osm.pbf", tmp_path / "leeg.osm.pbf", tmp_path / "wegen.txt"
    half.write_bytes(whole.read_bytes()[:100_000])
    empty.write_bytes(b"")
    text.write_text("hallo")
    for path, says in (
        (half, "halverwege ophoudt"),
        (empty, "een volledig OSM-bestand"),
        (text, "een volledig OSM-bestand"),
        (whole, "wegen elders: geen gebied ligt erbij"),
    ):
        words = ("plan", "bouw", "--bron", REAL / "nederland", "--wegen", path, "--uit", tmp_path / "p")
        refused(run(capsys, *words), path.name, says)
    assert not (tmp_path / "p").exists()


@needs_real
def test_a_matrix_that_misses_a_row_says_which(capsys: Screen, tmp_path: Path) -> None:
    path = tmp_path / "matrix.csv"
    path.write_text("origin,1011,1012\n01-0000,1.5,2.0\n", "utf-8")
    words = ("plan", "bouw", "--bron", REAL / "nederland", "--matrix", path, "--uit", tmp_path / "p")
    refused(run(capsys, *words), "kolom herkomst", "ontbreekt: 01-0001", "kolom bestemming", "ontbreekt: 1013")
    path.write_text("origin,1011,1012\n01-0000,1.5\n", "utf-8")
    refused(run(capsys, *words), "rij 2: gevonden '2 cellen'")
    path.write_text("origin,1011\n01-0000,-4\n", "utf-8")
    refused(run(capsys, *words), "rij 2, kolom 1011")
    assert not (tmp_path / "p").exists()
