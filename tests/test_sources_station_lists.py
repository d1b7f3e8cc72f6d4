"""Station lists: a small one by hand, what is refused, and the real lists where they lie beside the checkout."""

from __future__ import annotations

import contextlib
import datetime
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slagkracht.areas import Areas
from slagkracht.regions import Regions
from slagkracht.resources import REGIMES, Stations, capability_column
from slagkracht.rules import rule_in_force
from slagkracht.sources.refusal import RefusalError
from slagkracht.sources.rule_files import read_rules
from slagkracht.sources.station_lists import StationLists, compute_units, place_pool, read_station_lists

REGIONS = Regions(np.array(["VR01", "VR02"]), np.array(["Groningen", "Fryslân"]))
STATIONS = """id,vr,naam,straat,pc6,plaats,lon,lat,geocode,n_ts,n_rv,n_hv,n_wo,n_wt,note
A,VR01,Aduard,,,,6.46,53.25,adres,2,0,0,0,0,
B,VR02,Bolsward,,,,5.53,53.06,pc4,1,1,0,0,1,
C,VR26,Elders,,,,4.51,52.04,pc5,0,0,0,0,0,
"""
VEHICLES = """vr,roepnummer,type,omschrijving,toevoeging,kazerne,kazerne_id
VR01,01-1,TS-4,,,Aduard,A
VR01,01-2,TS,,,Aduard,A
VR01,01-3,TS-RES,,,Aduard,A
VR01,01-4,TS,,Opleiding,Aduard,A
VR01,01-5,DPH,,,Aduard,A
VR02,02-1,TST-NB,,,Bolsward,B
VR02,02-2,HW,,,Bolsward,B
VR02,02-3,HA,,,Bolsward,B
VR02,02-4,WTH,,,Bolsward,B
VR02,02-5,DV\u2010HOD ,,,Regionaal,
VR02,02-6,DB,,,Bolsward,B
"""


def read(tmp_path: Path, stations: str = STATIONS, vehicles: str = VEHICLES) -> StationLists:
    (tmp_path / "kazernes.csv").write_text(stations, encoding="utf-8")
    (tmp_path / "voertuigen.csv").write_text(vehicles, encoding="utf-8")
    return read_station_lists(tmp_path / "kazernes.csv", tmp_path / "voertuigen.csv", REGIONS)


def test_what_stands_and_what_is_kept_apart(tmp_path: Path) -> None:
    lists = read(tmp_path)
    assert lists.stations.station_id.tolist() == ["A", "B"]
    assert lists.stations.position_error_m.tolist() == [0.0, 600.0]
    assert lists.unit_id.tolist() == ["01-1", "01-2", "02-1", "02-2", "02-3", "02-4"]
    assert dict(zip(lists.apart_id.tolist(), lists.apart_reason.tolist(), strict=True)) == {
        "01-3": "reservevoertuig",
        "01-4": "opleiding en oefening",
        "01-5": "haakarmbak zonder haakarmvoertuig op de kazerne",
        "02-5": "regionale pool zonder kazerne",
        "02-6": "dienstvoertuig zonder inzettaak",
    }
    assert lists.apart_type.tolist()[3] == "DV-HOD"
    read_rows, left_out = lists.summaries[1].rows_read, sum(lists.summaries[1].left_out.values())
    assert (read_rows, left_out) == (6, 5)
    assert lists.summaries[0].left_out == {"regio VR26 is geen veiligheidsregio": 1}


def test_a_station_far_outside_its_region_is_named(tmp_path: Path) -> None:
    assert read(tmp_path).summaries[0].assumed == {}
    summary = read(tmp_path, stations=STATIONS.replace("6.46,53.25", "5.69,50.85")).summaries[0]
    assert summary.assumed == {"kazerne A ligt ver buiten VR01, toch meegenomen": 1}


def test_the_list_s_own_counts_are_compared(tmp_path: Path) -> None:
    assert read(tmp_path).differences == ("A Aduard: n_ts telt 2, de voertuigenlijst 3 (tankautospuit)",)


def test_crewing_follows_the_rule(tmp_path: Path) -> None:
    _, crewing = rule_in_force(read_rules(), "uitruk", datetime.date(2026, 7, 1))
    units = compute_units(read(tmp_path), np.array([False, True]), crewing)
    volunteer, career = REGIMES.index("vrije_instroom"), REGIMES.index("beroeps")
    assert units.regime[:, 0].tolist() == [volunteer, volunteer, career, career, career, career]
    assert units.crew.tolist() == [4, 6, 6, 2, 2, 0]
    first, later = crewing["vrije_instroom"]["paraatheid"]["dag"], crewing["volgende_ploeg"]["paraatheid_factor"]
    assert units.readiness[:2, 0] == pytest.approx([first * later, first])  # the full crew goes before the part crew
    turnout, hooking = crewing["beroeps"]["mediaan_s"]["nacht"], crewing["aankoppelen"]["koppeltijd_s"]
    assert units.turnout_s[2:, 2] == pytest.approx([turnout, turnout, turnout, turnout + hooking])
    assert capability_column(units, "basiseenheid").tolist() == [False, True, True, False, False, False]
    assert capability_column(units, "natuurbrand").tolist() == [False, False, True, False, False, False]


POOL_STATIONS = """id,vr,naam,straat,pc6,plaats,lon,lat,geocode,n_ts,n_rv,n_hv,n_wo,n_wt,note
west,VR01,west,,,,6.00,53.00,adres,1,0,0,0,0,
midden,VR01,midden,,,,6.30,53.00,adres,1,0,0,0,0,
oost,VR01,oost,,,,6.60,53.00,adres,1,0,0,0,0,
leeg,VR01,leeg,,,,6.31,53.00,adres,0,0,0,0,0,
"""
POOL_VEHICLES = """vr,roepnummer,type,omschrijving,toevoeging,kazerne,kazerne_id
VR01,1,TS,,,west,west
VR01,2,TS,,,midden,midden
VR01,3,TS,,,oost,oost
VR01,4,DA-OVD,,,midden,midden
VR01,5,DA-OVD,,,Regionaal,
VR01,6,DA-OVD,,,Regionaal,
VR01,7,DA-HOD/AGS,,,Regionaal,
VR01,8,TS,,,Regionaal,
VR26,9,DA-OVD,,,Regionaal,
VR01,10,DA-OVD,,Reserve,Regionaal,
"""


def people_at(stations: Stations, population: list[float]) -> Areas:
    """As many residents at each of the first stations."""
    n = len(population)
    return Areas(
        area_id=np.array([f"g{i}" for i in range(n)]),
        x_m=stations.x_m[:n],
        y_m=stations.y_m[:n],
        region=np.zeros(n, dtype=np.int32),
        municipality=np.full(n, "g"),
        population=np.array(population, dtype=np.float32),
        object_classes=(),
        objects=np.zeros((n, 0), dtype=np.float32),
        area_class=np.full(n, ""),
        size_m=np.zeros(n, dtype=np.float32),
    )


def test_who_is_on_call_starts_where_people_are_far_from_the_others(tmp_path: Path) -> None:
    lists = read(tmp_path, POOL_STATIONS, POOL_VEHICLES)
    assert lists.apart_region.tolist() == [0, 0, 0, 0, -1, 0]
    areas = people_at(lists.stations, [100, 900, 300])  # west, midden, oost
    on_duty = {"officier_van_dienst": 2, "hoofdofficier_van_dienst": 1, "adviseur_gevaarlijke_stoffen": 1}
    placed = place_pool(lists, areas, on_duty)
    # one officer stands in the middle already, so the second starts in the east, where most others live; the vehicle
    # that is head officer and adviser in one stands once, in the middle of all
    names = placed.stations.name[placed.station[placed.on_call]].tolist()
    assert dict(zip(placed.unit_id[placed.on_call].tolist(), names, strict=True)) == {"5": "oost", "7": "midden"}
    assert dict(zip(placed.apart_id.tolist(), placed.apart_reason.tolist(), strict=True)) == {
        "6": "regionale pool: wisselt het piket af",
        "8": "regionale pool zonder kazerne",
        "9": "regionale pool zonder kazerne",
        "10": "reservevoertuig",
    }
    summary = placed.summaries[1]
    assert summary.rows_read == len(placed.unit_id) == 6
    assert summary.rows_read + sum(summary.left_out.values()) == 10
    _, crewing = rule_in_force(read_rules(), "uitruk", datetime.date(2026, 7, 1))
    units = compute_units(placed, np.ones(4, dtype=np.bool_), crewing)
    assert units.regime[placed.on_call, 0].tolist() == [REGIMES.index("consignatie")] * 2
    assert units.turnout_s[-1, 2] == crewing["consignatie"]["mediaan_s"]["nacht"]


def test_nobody_is_placed_where_enough_stand_already(tmp_path: Path) -> None:
    lists = read(tmp_path, POOL_STATIONS, POOL_VEHICLES)
    placed = place_pool(lists, people_at(lists.stations, [100, 900, 300]), {"officier_van_dienst": 1})
    assert placed.unit_id.tolist() == lists.unit_id.tolist()
    assert placed.apart_reason.tolist().count("regionale pool: wisselt het piket af") == 2


@pytest.mark.parametrize(
    ("stations", "vehicles", "column"),
    [
        (STATIONS.replace("6.46,53.25", "53.25,6.46"), VEHICLES, "lon"),
        (STATIONS.replace("6.46,53.25", "16.46,53.25"), VEHICLES, "lon"),
        (STATIONS.replace("pc4,1", "pc4,-1"), VEHICLES, "n_ts"),
        (STATIONS.replace("B,VR02", "A,VR02"), VEHICLES, "id"),
        (STATIONS, VEHICLES.replace("01-2,", "01-1,"), "roepnummer"),
        (STATIONS, VEHICLES.replace("HW,", "ZZZ,"), "type"),
        (STATIONS, VEHICLES.replace("Bolsward,B", "Bolsward,X"), "kazerne_id"),
        (STATIONS.replace("geocode", "geokode"), VEHICLES, "geocode"),
        ("", VEHICLES, ""),
    ],
)
def test_a_wrong_list_is_refused_at_its_place(tmp_path: Path, stations: str, vehicles: str, column: str) -> None:
    with pytest.raises(RefusalError) as refusal:
        read(tmp_path, stations, vehicles)
    assert column in {finding.column for finding in refusal.value.findings}


def test_every_finding_of_both_lists_comes_at_once(tmp_path: Path) -> None:
    with pytest.raises(RefusalError) as refusal:
        read(tmp_path, STATIONS.replace("adres,2", "adres,twee"), VEHICLES.replace("HW,", "ZZZ,"))
    assert {(f.file, f.row, f.column) for f in refusal.value.findings} == {
        ("kazernes.csv", 2, "n_ts"),
        ("voertuigen.csv", 8, "type"),
    }


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(st.sampled_from([STATIONS, VEHICLES]), st.integers(0, 10**6), st.binary(max_size=8), st.integers(0, 40))
def test_damaged_lists_are_read_or_refused(which: str, at: int, put: bytes, cut: int) -> None:
    damaged = which.encode()
    at %= len(damaged)
    damaged = damaged[:at] + put + damaged[at + cut :]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "k.csv").write_bytes(damaged if which is STATIONS else STATIONS.encode())
        (folder / "v.csv").write_bytes(damaged if which is VEHICLES else VEHICLES.encode())
        with contextlib.suppress(RefusalError):
            read_station_lists(folder / "k.csv", folder / "v.csv", REGIONS)
