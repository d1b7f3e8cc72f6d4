"""Every command, typed as a planner types it: what it says, what it writes, and how it ends."""

from __future__ import annotations

import dataclasses
import importlib
import json
import re
import subprocess
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import typer

from cli_run import REAL, TOYLAND, run
from slagkracht import __version__
from slagkracht.cli import ROOMS, app
from slagkracht.coverage import apply_variant, compute_coverage, compute_nearest
from slagkracht.plan import compute_plan_travel
from slagkracht.sources.plan_files import read_plan, write_plan
from slagkracht.sources.variant_files import read_variant

Screen = pytest.CaptureFixture[str]
MAP_PAGE = resources.files("slagkracht") / "web" / "kaart.html"
needs_map = pytest.mark.skipif(not MAP_PAGE.is_file(), reason="the front end was not built: make web")
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="the real data does not lie beside the checkout")


@pytest.fixture
def toyland(tmp_path: Path, capsys: Screen) -> Path:
    path = tmp_path / "toyland"
    assert run(capsys, "plan", "voorbeeld", TOYLAND, "--uit", path).code == 0
    return path


def commands() -> list[tuple[str, ...]]:
    """Every command as it is typed."""
    found: list[tuple[str, ...]] = []
    for name, later in typer.main.get_group(app).commands.items():
        loaded = later.load()
        found += [(name, inner) for inner in getattr(loaded, "commands", {})] or [(name,)]
    return sorted(found)


ENGLISH = ("Usage", "Options", "Arguments", "Commands", "Show this", "required", "default")
ENGLISH_KINDS = ("PATH", "<path>", "<file>", "<str", "<int", "<float", "list[", "--no-", "{")


@pytest.mark.parametrize("words", [(), ("plan",), *commands()], ids=" ".join)
def test_every_command_explains_itself_in_dutch(capsys: Screen, words: tuple[str, ...]) -> None:
    answer = run(capsys, *words, "--help")
    assert answer.code == 0
    assert answer.out.startswith("Gebruik: slagkracht")
    assert not [word for word in (*ENGLISH, *ENGLISH_KINDS) if word in answer.out]
    if words and words != ("plan",):
        assert "Voorbeeld: slagkracht " + " ".join(words) in " ".join(answer.out.split())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("dekkin",), "de opdracht 'dekkin' bestaat niet. Bedoelt u 'dekking'?"),
        (("plan", "bouwen"), "de opdracht 'bouwen' bestaat niet"),
        (("dekking",), "PLAN ontbreekt."),
        (("plan", "modelland"), "de optie --uit ontbreekt."),
        (("dekking", "{toyland}", "--nrom", "x"), "de optie --nrom bestaat niet. Bedoelt u --norm"),
        (("dekking", "{toyland}", "--venster"), "achter de optie --venster hoort een waarde."),
        (("dekking", "{toyland}", "nog", "iets"), "dit is te veel: nog iets"),
        (("dekking", "{toyland}", "--venster", "ochtend"), "kies uit dag, avond, nacht, weekend"),
        (("dekking", "{toyland}", "--regio", "VR01"), "wel: VR91, VR92, VR93"),
        (("variant", "{toyland}", "{variant}", "--venster", "lente"), "kies uit dag, avond, nacht, weekend"),
        (("plan", "modelland", "--uit", "x", "--gebieden", "veel"), "--gebieden: verwacht is een geheel getal."),
        (("plan", "modelland", "--uit", "x", "--dag", "1-7-2026"), "schrijf hem als 2026-07-01"),
        (("plan", "bouw", "--uit", "x"), "geef --bron, of een of meer keren --aanlevering"),
        (("volgorde", "{toyland}", "--uit", "x.xls"), "eindigt op .csv of .parquet"),
        (("volgorde", "{toyland}", "--uit", "x.csv", "--diepte", "0"), "--diepte: kies 1 of meer."),
        (("volgorde", "{toyland}", "--uit", "x.csv", "--diepte", "101"), "--diepte: kies 100 of minder."),
        (("volgorde", "{toyland}", "--uit", "x.csv", "--verschillen", "y.csv"), "--verschillen vraagt ook --vergelijk"),
        (("plan", "modelland", "--uit", "x", "--gebieden", "341"), "--gebieden: kies 342 of meer."),
        (("plan", "modelland", "--uit", "x", "--gebieden", "400001"), "--gebieden: kies 400000 of minder."),
        (("plan", "modelland", "--uit", "x.csv"), "x.csv: noem een map, of een bestand dat eindigt op .zip"),
        (("dekking", "{toyland}", "--uit", "x.csv"), "noem een map, zonder .csv"),
        (("kaart", "{toyland}", "--uit", "x.pdf"), "x.pdf: kies een naam die eindigt op .html"),
        (("rapport", "{toyland}", "--uit", "x.html"), "x.html: kies een naam die eindigt op .pdf"),
        (("variant", "{toyland}", "{variant}", "--uit", "x.csv"), "x.csv: kies een naam die eindigt op .html"),
        (("slagkrachtkaart", "{toyland}", "--uit", "x.gpkg"), "x.gpkg: kies een naam die eindigt op .csv"),
        (("simulatie", "{toyland}", "--logboek", "x.csv"), "x.csv: kies een naam die eindigt op .jsonl"),
        (("logboek", "uitvoer", "--regio", "VR06", "--naar", "x.csv"), "x.csv: kies een naam die eindigt op .jsonl"),
        (("risico", "--uit", "x.csv"), "x.csv: hier komen meer bestanden; noem een map, zonder .csv"),
        (("aflossing", "{toyland}", "--formatie", "a:1", "--uit", "x.pdf"), "x.pdf: kies een naam die eindigt op .csv"),
        (("aflossing", "{toyland}", "--formatie", "a:1", "--uit", "x.csv"), "--uit vraagt ook --plaats"),
    ],
)
def test_a_command_typed_wrongly_is_answered_in_dutch_with_code_2(
    capsys: Screen, toyland: Path, words: tuple[str, ...], says: str
) -> None:
    places = {"toyland": toyland, "variant": TOYLAND / "varianten" / "sluit-noorddorp.toml"}
    answer = run(capsys, *(word.format(**places) for word in words))
    assert answer.code == 2
    assert says in answer.err
    assert "--help" in answer.err or "hoort een waarde" in says


def test_the_list_names_every_command_of_every_room_and_whole() -> None:
    group = typer.main.get_group(app)
    for room, listed in ROOMS.items():
        holds = typer.Typer()
        importlib.import_module(f"slagkracht.cli.{room}").register(holds)
        assert set(typer.main.get_group(holds).commands) == set(listed)
    for later in group.commands.values():
        assert not later.get_short_help_str(58).endswith("...")


@pytest.mark.parametrize("words", [["--versie"], ["--help"], ["dekkin"], []], ids=str)
def test_nothing_is_loaded_until_a_command_is_typed(words: list[str]) -> None:
    program = "import sys; from slagkracht.cli import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"
    ended = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=False)
    loaded = set(ended.stderr.split())
    assert "slagkracht.cli" in loaded
    assert not loaded & {"numpy", "numba", "polars", "scipy", "geopandas", "slagkracht.plan", "slagkracht.cli.coverage"}


def test_without_a_command_it_explains_itself(capsys: Screen) -> None:
    answer = run(capsys)
    assert (answer.code, answer.out.startswith("Gebruik:")) == (2, True)


def test_a_plan_is_shown_as_a_table_and_for_scripts(capsys: Screen, toyland: Path) -> None:
    answer = run(capsys, "plan", "toon", toyland)
    assert "VR92 Zuidland          3         4         4    21.100" in answer.out
    assert "Alle regio's           6         9        12    42.850" in answer.out
    script = json.loads(run(capsys, "plan", "toon", toyland, "--json").out)
    assert (script["naam"], script["dag"], script["wegennet"]) == ("Toyland", "2026-07-01", "matrix")
    assert [row["inwoners"] for row in script["regios"]] == [20_900, 21_100, 850]
    assert script["hash"] in answer.out


def test_coverage_is_what_was_worked_out_by_hand(capsys: Screen, toyland: Path, tmp_path: Path) -> None:
    words = ("dekking", toyland, "--norm", "eerste", "--venster", "dag", "--samen-en-alleen", "--regio", "VR91")
    answer = run(capsys, *words, "--uit", tmp_path / "uitkomst")
    assert answer.code == 0
    for line in (
        "Eerste tankautospuit naar gebruiksfunctie  dag       97,5 %    95,5 %     5:40  7:00            50",
        "VR91 Noordland   98,1 %     5:40  8:00           400  92,3 %      +1.200",
        "VR92 Zuidland    97,2 %     4:05  6:45           600  97,2 %           0",
        "GM9102     88,2 %",
        "Toyland is verzonnen",
        "niet over incidenten",
    ):
        assert line in answer.out
    files = {"dekking.csv", "dekking.parquet", "dekking.gpkg", "dekking.geojson", "verantwoording.json"}
    assert {file.name for file in (tmp_path / "uitkomst").iterdir()} == files
    table = pl.read_csv(tmp_path / "uitkomst" / "dekking.csv").filter(pl.col("gebied") == "A04", ~pl.col("alleen"))
    assert table["opkomsttijd_s"].to_list() == [390]
    script = json.loads(run(capsys, *words, "--json").out)
    nation = script["dekking"][0]["land"][0]
    assert (nation["op_tijd"], nation["inwoners"], nation["mediaan_s"], nation["p90_s"]) == (41_800, 42_850, 340, 420)
    assert script["verantwoording"] in answer.out


def test_a_result_can_be_recomputed_and_a_changed_figure_is_named(
    capsys: Screen, toyland: Path, tmp_path: Path
) -> None:
    result = tmp_path / "uitkomst"
    assert run(capsys, "dekking", toyland, "--norm", "eerste", "--samen-en-alleen", "--uit", result).code == 0
    good = run(capsys, "controleer", result)
    assert (good.code, good.out.startswith("Klopt: 160 cijfers")) == (0, True)  # 4 windows, 4 places, 2 ways, 5 figures
    file = result / "verantwoording.json"
    file.write_text(file.read_text("utf-8").replace("41800.0", "41801.0", 1), "utf-8")
    wrong = run(capsys, "controleer", result)
    assert wrong.code == 3
    assert "1 verschil:" in wrong.out
    assert "eerste, dag, land, samen: inwoners op tijd vastgelegd 41801, nu 41800" in wrong.out


def test_every_changed_byte_of_a_result_is_named(capsys: Screen, toyland: Path, tmp_path: Path) -> None:
    result = tmp_path / "uitkomst"
    assert run(capsys, "dekking", toyland, "--norm", "eerste", "--venster", "dag", "--uit", result).code == 0
    assert run(capsys, "controleer", result).code == 0
    for name in ("dekking.csv", "dekking.gpkg", "dekking.parquet", "dekking.geojson"):
        whole = (result / name).read_bytes()
        changed = bytearray(whole)
        changed[len(whole) // 2] ^= 1
        (result / name).write_bytes(changed)
        answer = run(capsys, "controleer", result)
        assert (answer.code, f"{name}: is veranderd" in answer.out) == (3, True)
        (result / name).unlink()
        assert f"{name}: ontbreekt" in run(capsys, "controleer", result).out
        (result / name).write_bytes(whole)
    file = result / "verantwoording.json"
    whole = file.read_bytes()
    number = json.loads(whole)["nummer"].encode()
    for old, new, named in (
        (b"Toyland is verzonnen", b"Toyland is verzonnem", "kanttekening"),
        (number, number[:-1] + (b"0" if number[-1:] != b"0" else b"1"), "nummer: vastgelegd"),
        (b"    340.0,", b"    341.0,", "mediaan (s) vastgelegd 341, nu 340"),
        (b'"plan": "', b'"plan":  "', "verantwoording.json: de tekst is veranderd"),
    ):
        assert old in whole
        file.write_bytes(whole.replace(old, new, 1))
        answer = run(capsys, "controleer", result)
        assert (answer.code, named in answer.out) == (3, True), answer.out
    file.write_bytes(whole)
    assert run(capsys, "controleer", result).code == 0


def test_a_changed_plan_is_found_out_too(capsys: Screen, toyland: Path, tmp_path: Path) -> None:
    assert run(capsys, "dekking", toyland, "--norm", "eerste", "--venster", "dag", "--uit", tmp_path / "u").code == 0
    plan = read_plan(toyland)
    people = plan.areas.population.copy()
    people[0] += 1
    write_plan(dataclasses.replace(plan, areas=dataclasses.replace(plan.areas, population=people)), toyland)
    answer = run(capsys, "controleer", tmp_path / "u")
    assert answer.code == 3
    assert "plan: vastgelegd" in answer.out
    assert "inwoners vastgelegd 42850, nu 42851" in answer.out
    assert run(capsys, "controleer", tmp_path / "u", "--plan", tmp_path / "weg").code == 1


def test_a_variant_says_for_whom_it_changes_what(capsys: Screen, toyland: Path) -> None:
    variants = sorted((TOYLAND / "varianten").glob("*.toml"))
    answer = run(capsys, "variant", toyland, *variants)
    assert answer.code == 0
    assert "Noorddorp dicht · Eerste tankautospuit naar gebruiksfunctie, dag" in answer.out
    assert "VR91 Noordland  98,1 %  89,5 %                0     1.800" in answer.out
    assert "Noorddorp  Noordstad     2.200" in answer.out
    assert "TS4 in Noorddorp" in answer.out
    script = json.loads(run(capsys, "variant", toyland, variants[0], "--json").out)
    assert script[0]["regios"][0]["verliest"] == 1_800


def test_a_variant_of_what_sends_nothing_says_so(capsys: Screen, toyland: Path, tmp_path: Path) -> None:
    file = tmp_path / "dubbel.toml"
    plan = read_plan(toyland)
    silent = dataclasses.replace(plan.units, readiness=plan.units.readiness * (plan.units.station != 1)[:, None])
    write_plan(dataclasses.replace(plan, units=silent), tmp_path / "stil")
    name = plan.stations.station_id[1]
    file.write_text(f'naam = "Dicht"\n[[wijzigingen]]\nsoort = "sluit"\nkazerne = "{name}"\n', "utf-8")
    said = f"Dicht: kazerne {name} ({plan.stations.name[1]}) stuurt in het plan in venster dag niets."
    assert said in run(capsys, "variant", tmp_path / "stil", file).out
    assert "niets." not in run(capsys, "variant", toyland, file).out


def test_cooperation_is_shown_for_every_norm(capsys: Screen, toyland: Path, tmp_path: Path) -> None:
    answer = run(capsys, "dekking", toyland, "--venster", "dag", "--samen-en-alleen", "--uit", tmp_path / "u")
    assert answer.code == 0
    table = pl.read_csv(tmp_path / "u" / "dekking.csv")
    norms = set(table["norm"])
    assert len(norms) > 1
    assert set(table.filter(pl.col("alleen"))["norm"]) == norms
    shown = answer.out.split("alleen haar eigen eenheden")[1].split("Per regio")[0]
    assert len([line for line in shown.splitlines() if " dag " in line]) == len(norms)
    assert re.search(r"Eerste tankautospuit naar gebruiksfunctie +dag +97,5 % +94,7 % +\+1\.200", shown)
    assert run(capsys, "controleer", tmp_path / "u").code == 0


def test_two_variants_of_one_name_are_each_shown_with_their_own_stations(capsys: Screen, tmp_path: Path) -> None:
    assert run(capsys, "plan", "modelland", "--gebieden", "400", "--uit", tmp_path / "plan").code == 0
    stations = read_plan(tmp_path / "plan").stations
    edits = f"""naam = "Verhuizing"
[[wijzigingen]]
soort = "sluit"
kazerne = "{stations.station_id[0]}"
"""
    opening = f"""[[wijzigingen]]
soort = "open"
kazerne = "NIEUW"
naam = "Nieuwe Post"
veiligheidsregio = "{read_plan(tmp_path / "plan").regions.code[stations.region[0]]}"
x_m = {stations.x_m[0]:.0f}
y_m = {stations.y_m[0]:.0f}
[[wijzigingen]]
soort = "eenheid erbij"
eenheid = "NIEUW-TS"
kazerne = "NIEUW"
voertuigtype = "TS-6"
bezettingsregime = "beroeps"
uitruktijd_s = 30
paraatheid = 1.0
"""
    (tmp_path / "een.toml").write_text(edits, "utf-8")
    (tmp_path / "twee.toml").write_text(edits + opening, "utf-8")
    words = ("variant", tmp_path / "plan", tmp_path / "een.toml", tmp_path / "twee.toml", "--norm", "bvr-3.2.1")
    answer = run(capsys, *words)
    assert answer.code == 0, answer.err
    first, second = answer.out.split("Verhuizing · ")[1:]
    assert "Nieuwe Post" not in first
    assert "Nieuwe Post" in second


def test_a_variant_that_moves_no_station_may_keep_the_sorted_drives(toyland: Path) -> None:
    plan = read_plan(toyland)
    travel = compute_plan_travel(plan)
    changed, drives = apply_variant(plan, travel, read_variant(TOYLAND / "varianten" / "sluit-noorddorp.toml"))
    assert drives is travel
    kept = compute_coverage(changed, drives, nearest=compute_nearest(travel))
    for ours, theirs in zip(kept, compute_coverage(changed, drives), strict=True):
        np.testing.assert_array_equal(ours.response_s, theirs.response_s)


def test_the_station_order_is_written_and_compared(capsys: Screen, toyland: Path, tmp_path: Path) -> None:
    path = tmp_path / "kvt.csv"
    assert "12 gebieden" in run(capsys, "volgorde", toyland, "--uit", path, "--diepte", 2).out
    table = pl.read_csv(path)
    assert table.row(3) == ("A04", "VR91", "N2", "N1")
    assert "0 van 12 gebieden wijken af" in run(capsys, "volgorde", toyland, "--uit", path, "--vergelijk", path).out
    old = table.with_columns(kazerne_1=pl.when(pl.col("gebied") == "A04").then(pl.lit("N1")).otherwise("kazerne_1"))
    old.select("gebied", "kazerne_1").write_csv(tmp_path / "oud.csv")
    answer = run(capsys, "volgorde", toyland, "--uit", path, "--vergelijk", tmp_path / "oud.csv")
    assert "oud.csv: 1 van 12 gebieden wijken af; gemiddeld 4:30 later" in answer.out  # 660 s instead of 390
    assert re.search(r"A04 +1 +Noordstad +Noorddorp +4:30", answer.out)


def test_what_a_given_order_misses_is_shown_apart_and_every_difference_is_written(
    capsys: Screen, toyland: Path, tmp_path: Path
) -> None:
    path, beside = tmp_path / "kvt.csv", tmp_path / "verschillen.csv"
    assert run(capsys, "volgorde", toyland, "--uit", path, "--diepte", 3).code == 0
    rows = path.read_text("utf-8").splitlines()
    kept = [rows[0], *(row.replace("N2,N1", "N1,N2") for row in rows[1:] if not row.startswith(("A01", "A07")))]
    (tmp_path / "oud.csv").write_text("\n".join(kept) + "\n", "utf-8")
    words = ("volgorde", toyland, "--uit", path, "--diepte", 3, "--vergelijk", tmp_path / "oud.csv")
    answer = run(capsys, *words, "--verschillen", beside)
    assert answer.code == 0, answer.err
    assert "Niet in oud.csv: 2 gebieden van dit plan (A01, A07)" in answer.out
    table = pl.read_csv(beside)
    missing = table.filter(pl.col("verschil") == "gebied ontbreekt in de tabel")
    assert missing["gebied"].to_list() == ["A01", "A07"]
    late = table.filter(pl.col("gebied") == "A04")
    assert late.select("plaats", "kazerne_tabel", "kazerne_berekend", "later_s").row(0) == (1, "N1", "N2", 270.0)
    (tmp_path / "oud.csv").write_text("gebied,kazerne_1\nA01,N1\nA01,Q7\n", "utf-8")
    refused = run(capsys, *words)
    assert refused.code == 1
    assert "oud.csv, rij 3, kolom gebied: gevonden 'A01'" in refused.err
    assert "oud.csv, rij 3, kolom kazerne_1: gevonden 'Q7'; verwacht: een kazerne van dit plan" in refused.err


@needs_map
def test_map_and_printed_plan_are_written(capsys: Screen, toyland: Path, tmp_path: Path) -> None:
    page, pdf, difference = tmp_path / "k" / "kaart.html", tmp_path / "plan.pdf", tmp_path / "verschil.html"
    variant = TOYLAND / "varianten" / "sluit-noorddorp.toml"
    assert run(capsys, "kaart", toyland, "--uit", page, "--variant", variant, "--norm", "eerste").code == 0
    assert run(capsys, "variant", toyland, variant, "--uit", difference).code == 0
    assert run(capsys, "rapport", toyland, "--uit", pdf, "--venster", "nacht", "--norm", "eerste").code == 0
    assert "<html" in page.read_text("utf-8")[:500]
    assert "<html" in difference.read_text("utf-8")[:500]
    assert pdf.read_bytes().startswith(b"%PDF")


def test_a_delivery_template_is_written_and_checked(capsys: Screen, tmp_path: Path) -> None:
    path = tmp_path / "vr06.zip"
    assert "LEESMIJ.txt" in run(capsys, "aanlevering", "sjabloon", path).out
    answer = run(capsys, "aanlevering", "controleer", path)
    assert answer.code == 1
    assert "2 bevindingen; de aanlevering is zo niet bruikbaar:" in answer.out
    assert run(capsys, "aanlevering", "sjabloon", path).code == 1  # it is there already


def test_the_open_sources_are_listed(capsys: Screen) -> None:
    answer = run(capsys, "data", "lijst")
    assert answer.code == 0
    assert "CC BY 4.0" in answer.out
    assert "OpenStreetMap" in answer.out


def test_modelland_says_that_it_is_modelled(capsys: Screen, tmp_path: Path) -> None:
    path = tmp_path / "modelland.zip"
    answer = run(capsys, "plan", "modelland", "--gebieden", 400, "--uit", path)
    assert answer.code == 0
    assert "VR25 Flevoland" in answer.out
    assert "gemodelleerd" in answer.out.lower()
    answer = run(capsys, "dekking", path, "--venster", "dag", "--norm", "bvr-3.2.1")
    assert answer.code == 0
    assert "Nederland · Modelnederland" in answer.out
    assert "gemodelleerd" in answer.out.lower()
    assert len([line for line in answer.out.splitlines() if line.startswith("VR")]) == 25


@needs_map
def test_the_demo_leaves_a_map_a_report_and_tables(capsys: Screen, tmp_path: Path) -> None:
    answer = run(capsys, "demo", "--niet-serveren", "--gebieden", 400, "--map", tmp_path / "demo")
    assert answer.code == 0
    for name in ("kaart.html", "dekkingsplan.pdf", "plan.zip", "uitkomst/dekking.gpkg", "uitkomst/verantwoording.json"):
        assert (tmp_path / "demo" / name).stat().st_size > 1_000
    assert "Klaar in" in answer.out
    assert run(capsys, "controleer", tmp_path / "demo" / "uitkomst").code == 0


@needs_real
def test_the_real_nation_from_lists_to_figures(capsys: Screen, tmp_path: Path) -> None:
    source, path = REAL / "nederland", tmp_path / "nederland"
    answer = run(capsys, "plan", "bouw", "--bron", source, "--uit", path)
    assert answer.code == 0
    assert re.search(r"Nederland +996 +3\.\d{3} +4\.067 +17\.472\.870", answer.out)
    words = ("--norm", "bvr-3.2.1", "--venster", "dag", "--regio", "VR06", "--uit", tmp_path / "u")
    answer = run(capsys, "dekking", path, *words)
    assert answer.code == 0
    assert "Apeldoorn" in answer.out
    assert "Het wegennet is gemodelleerd" in answer.out
    assert run(capsys, "controleer", tmp_path / "u").code == 0


def test_the_version_is_the_one_in_the_receipt(capsys: Screen, toyland: Path, tmp_path: Path) -> None:
    run(capsys, "dekking", toyland, "--norm", "eerste", "--venster", "dag", "--uit", tmp_path / "u")
    text = json.loads((tmp_path / "u" / "verantwoording.json").read_text("utf-8"))
    assert text["verantwoording"]["engine"] == __version__
    assert run(capsys, "--versie").out.strip() == f"slagkracht {__version__}"


def test_snow_is_asked_for_said_and_recomputed(tmp_path: Path, capsys: Screen) -> None:
    plan, result = tmp_path / "plan", tmp_path / "uitkomst"
    assert run(capsys, "plan", "modelland", "--gebieden", "400", "--uit", plan).code == 0
    asked = ("dekking", plan, "--venster", "dag", "--norm", "bvr-3.2.1")
    usual = json.loads(run(capsys, *asked, "--json").out)
    snow = json.loads(run(capsys, *asked, "--scenario", "sneeuw", "--json").out)
    assert snow["dekking"][0]["land"][0]["mediaan_s"] > usual["dekking"][0]["land"][0]["mediaan_s"]
    assert run(capsys, *asked, "--scenario", "sneeuw", "--uit", result).code == 0
    assert "scenario sneeuw" in (result / "verantwoording.json").read_text(encoding="utf-8")
    assert set(pl.read_csv(result / "dekking.csv")["scenario"]) == {"sneeuw"}
    printed = run(capsys, *asked, "--scenario", "sneeuw").out
    assert "· scenario sneeuw" in printed
    assert "Dit is niet het dekkingsplan zelf" in printed
    assert "scenario" not in run(capsys, *asked).out
    assert run(capsys, "controleer", result).code == 0
    refused = run(capsys, *asked, "--scenario", "hagel")
    assert refused.code == 1
    assert "sneeuw" in refused.err
