"""What control rooms send in: taken once, in any order, late too, and refused line by line with every reason."""

from __future__ import annotations

import datetime
import json
import random
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slagkracht.server import ledger
from slagkracht.server.interfaces.control_room import play_shift, push, read_homes
from test_server_api import API, client, post
from test_server_ledger import acting, new_units

pytestmark = pytest.mark.usefixtures("database")
NOON = datetime.datetime(2026, 7, 1, 12, tzinfo=datetime.UTC)


def report(unit: str, minute: int, **more: object) -> dict[str, Any]:
    at = NOON + datetime.timedelta(minutes=minute)
    return {"id": secrets.token_hex(6), "eenheid": unit, "gebeurd_op": at.isoformat(), **more}


def send(lines: list[Any], username: str = "demo-officier-vr17") -> Any:
    answer = post(client(username), "/meldingen", {"meldingen": lines})
    assert answer.status_code == 200, answer.content
    return answer.json()


def shown(unit: str, username: str = "demo-officier-vr17") -> Any:
    return client(username).get(f"{API}/eenheden/{unit}").json()


def test_reports_in_any_order_give_the_newest() -> None:
    (unit,) = new_units("VR17", 1)
    with acting("VR17") as own:
        own.run("update slagkracht.unit_place set place_at = %s where unit_id = %s", NOON, unit)
    lines = [report(unit, minute, status=status, x_m=float(minute), y_m=2.0) for minute, status in
             ((1, "alerted"), (2, "en_route"), (8, "on_scene"), (30, "returning"), (40, "available"))]  # fmt: skip
    lines.append(report(unit, 50, x_m=50.0, y_m=3.0))
    random.Random(1).shuffle(lines)
    told = send(lines)
    assert (len(told["aangenomen"]), told["herhaald"], told["geweigerd"]) == (6, [], [])
    now = shown(unit)
    assert (now["status"], now["x_m"], now["y_m"]) == ("available", 50.0, 3.0)
    again = send(lines)
    assert (again["aangenomen"], len(again["herhaald"])) == ([], 6)
    facts = client("demo-officier-vr17").get(f"{API}/gebeurtenissen?aantal=1000").json()["resultaten"]
    assert sum(fact["inhoud"].get("unit") == unit for fact in facts) == 6, "every report is a fact, once"


def test_degrees_become_rd() -> None:
    (unit,) = new_units("VR17", 1)
    at = datetime.datetime.now(datetime.UTC).isoformat()
    place = {"lengtegraad": 5.3872037, "breedtegraad": 52.1551729}
    send([{"id": secrets.token_hex(6), "eenheid": unit, "gebeurd_op": at, **place}])
    assert shown(unit)["x_m"] == pytest.approx(155_000, abs=0.5)


def test_bad_lines_are_refused_with_every_finding_and_good_ones_taken() -> None:
    (unit,) = new_units("VR17", 1)
    (theirs,) = new_units("VR18", 1)
    later = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)).isoformat()
    good = report(unit, 1, status="alerted")
    told = send([
        report(unit, 1, status="slaapt", x_m=1.0),
        good,
        report(theirs, 1, status="alerted"),
        report(unit, 1),
        {**report(unit, 1, status="alerted"), "gebeurd_op": later},
        {**report(unit, 1, status="alerted"), "gebeurd_op": "gisteren"},
        report(unit, 1, lengtegraad=52.1, breedtegraad=5.3),
        {**report(unit, 1, status="alerted"), "kleur": "rood"},
        "geen melding",
        {**report(unit, 1, x_m=1.0, y_m=2.0), "eenheid": theirs},
        report(unit, 1, x_m=155_000.0, y_m=463_000.0, lengtegraad=5.3, breedtegraad=52.1),
    ])  # fmt: skip
    assert told["aangenomen"] == [good["id"]]
    found = {line["regel"]: line["bevinding"] for line in told["geweigerd"]}
    assert sorted(found) == [1, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    assert "niet een van" in found[1]
    assert "twee coördinaten" in found[1], "both findings of the line"
    assert "toekomst" in found[5]
    assert "niet in Nederland" in found[7]
    assert "staat er een keer" in found[11]
    assert shown(theirs, "demo-officier-vr18")["status"] == "available"


def test_a_refused_line_can_be_sent_again_when_it_is_right() -> None:
    (unit,) = new_units("VR17", 1)
    line = report(unit, 1, status="slaapt")
    assert send([line])["geweigerd"]
    assert send([{**line, "status": "alerted"}])["aangenomen"] == [line["id"]]


def test_files_in_a_drop_folder(tmp_path: Path) -> None:
    from slagkracht.server.interfaces import feeds

    first, second = new_units("VR17", 2)
    at = NOON.isoformat()
    names = "id;eenheid;gebeurd_op;status;x_m;y_m\n"
    key = secrets.token_hex(4)
    (tmp_path / "a.csv").write_text(
        "\ufeff" + names + f"{key}1;{first};{at};on_scene;10,5,5;2\n{key}2;{first};{at};alerted;;\n", encoding="utf-8"
    )
    (tmp_path / "b.jsonl").write_text(json.dumps(report(second, 1, status="alerted")) + "\n\n", encoding="utf-8")
    (tmp_path / "c.JSONL").write_text("{", encoding="utf-8")
    (tmp_path / "d.csv").write_bytes(b"\xff\xfe\xfa")
    (tmp_path / "e.part").write_text("half", encoding="utf-8")
    with acting("VR17") as own:
        done = feeds.take_folder(own, tmp_path)
    assert [*done] == ["a.csv", "b.jsonl", "c.JSONL", "d.csv"]
    taken = done["a.csv"]
    assert isinstance(taken, feeds.Taken)
    assert (taken.accepted, [number for number, _ in taken.refused]) == ([f"{key}2"], [1])
    left = {path.name for path in (tmp_path / "verwerkt").iterdir()}
    assert left == {
        "a.csv",
        "b.jsonl",
        "c.JSONL",
        "d.csv",
        "a.csv.fouten.txt",
        "c.JSONL.fouten.txt",
        "d.csv.fouten.txt",
    }
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["e.part"]


def test_a_file_that_went_wrong_is_told_line_by_line_in_dutch(tmp_path: Path) -> None:
    from slagkracht.server.interfaces import feeds

    unit = new_units("VR17", 1)[0]
    good, key = report(unit, 1, status="alerted"), secrets.token_hex(4)
    lines = [json.dumps(good), '{"id": "half', "[" * 100_000, json.dumps(report("17-geen", 1, status="alerted"))]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    now = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=1)).isoformat()
    dutch = f"id;eenheid;gebeurd_op;x_m;y_m\n{key};{unit};{now};155000,5;463000,25\n"
    (tmp_path / "b.csv").write_text(dutch, encoding="utf-8")
    (tmp_path / "c.csv").write_text('id;eenheid\n"a"b;c\n', encoding="utf-8")
    with acting("VR17") as own:
        done = feeds.take_folder(own, tmp_path)
    taken, placed = done["a.jsonl"], done["b.csv"]
    assert isinstance(taken, feeds.Taken)
    assert (taken.accepted, [number for number, _ in taken.refused]) == ([good["id"]], [2, 3, 4])
    assert isinstance(placed, feeds.Taken)
    assert placed.accepted == [key], "a number with a decimal comma, as a Dutch spreadsheet writes it"
    shown_at = shown(unit, "demo-officier-vr17")
    assert (shown_at["x_m"], shown_at["y_m"]) == (155_000.5, 463_000.25)
    said = (tmp_path / "verwerkt" / "a.jsonl.fouten.txt").read_text(encoding="utf-8")
    assert said.count("is geen geldige JSON") == 2
    assert "geen CSV bij regel 2" in str(done["c.csv"])


def test_the_same_name_again_overwrites_nothing_and_the_same_report_is_taken_once(tmp_path: Path) -> None:
    from slagkracht.server.interfaces import feeds

    line = json.dumps(report(new_units("VR17", 1)[0], 1, status="alerted"))
    for times in range(1, 4):
        (tmp_path / "a.jsonl").write_text(line, encoding="utf-8")
        with acting("VR17") as own:
            done = feeds.take_folder(own, tmp_path)["a.jsonl"]
        assert isinstance(done, feeds.Taken)
        assert (len(done.accepted), len(done.repeated)) == ((1, 0) if times == 1 else (0, 1))
    assert {path.name for path in (tmp_path / "verwerkt").iterdir()} == {"a.jsonl", "a-2.jsonl", "a-3.jsonl"}


@settings(max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["x.csv", "x.jsonl"]), st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_file_is_read_or_refused(name: str, content: bytes) -> None:
    from slagkracht.server.interfaces import drop_folder, feeds

    try:
        lines = drop_folder.read_lines(name, content)
    except ledger.LedgerError:
        return
    with acting("VR17") as own:
        taken = feeds.take_reports(own, lines)
    assert len(taken.refused) == len(lines)


JSON = st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=9), lambda x: st.lists(x, max_size=2))
FIELDS = ["id", "eenheid", "gebeurd_op", "status", "x_m", "y_m", "lengtegraad", "breedtegraad", "z"]


@settings(max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON), max_size=3))
def test_any_line_is_taken_or_refused(lines: list[Any]) -> None:
    answer = post(client("demo-officier-vr17"), "/meldingen", {"meldingen": lines})
    assert answer.status_code in (200, 400)


# ── a control room that is not there ──────────────────────────────────────────────────────────────────────────────────


def test_a_shift_is_the_same_for_the_same_seed_and_goes_its_course() -> None:
    homes = [("a", 0.0, 0.0), ("b", 1_000.0, 0.0)]
    first, second = (list(play_shift(homes, NOON, 6, 7, calls_per_hour=4)) for _ in range(2))
    assert first == second
    assert first != list(play_shift(homes, NOON, 6, 8, calls_per_hour=4))
    assert len({one["id"] for one in first}) == len(first) > 20
    assert [one["gebeurd_op"] for one in first] == sorted(one["gebeurd_op"] for one in first)
    for unit in ("a", "b"):
        course = [one["status"] for one in first if one["eenheid"] == unit]
        expected = ["alerted", "en_route", "on_scene", "returning", "available"] * (len(course) // 5)
        assert course == expected


def test_a_shift_played_against_the_platform(address: str) -> None:
    units = set(new_units("VR03", 3))
    tomorrow = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    made = post(client("demo-officier-vr03"), "/sleutels", {"naam": "meldkamer", "tot": tomorrow.isoformat()})
    key = made.json()["sleutel"]
    homes = [home for home in read_homes(address, key) if home[0] in units]
    assert {unit for unit, _, _ in homes} == units
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=5)
    reports = list(play_shift(homes, begin, 3, secrets.randbelow(10**6), calls_per_hour=6))
    halves = reports[: len(reports) // 2], reports[len(reports) // 2 :]
    told = [push(address, key, half) for half in reversed(halves)]
    assert sum(len(one["aangenomen"]) for one in told) == len(reports), "the second half came first"
    assert push(address, key, reports[:5])["herhaald"] == [one["id"] for one in reports[:5]]
    for unit in {one["eenheid"] for one in reports}:
        last = [one for one in reports if one["eenheid"] == unit][-1]
        assert shown(unit, "demo-officier-vr03")["status"] == last["status"]


def test_what_falls_in_a_folder_goes_to_the_platform_and_waits_while_that_is_away(address: str, tmp_path: Path) -> None:
    tomorrow = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    made = post(client("demo-officier-vr03"), "/sleutels", {"naam": "map", "tot": tomorrow.isoformat()}).json()
    unit = new_units("VR03", 1)[0]
    good, strange = report(unit, 1, status="alerted"), report("06-1", 1, status="alerted")
    (tmp_path / "a.jsonl").write_text(f"{json.dumps(good)}\n{json.dumps(strange)}\n", encoding="utf-8")

    def run(at: str, key: str) -> subprocess.CompletedProcess[str]:
        asked = [sys.executable, "-m", "slagkracht.server.interfaces.drop_folder", str(tmp_path), at, key, "--eenmaal"]
        return subprocess.run(asked, capture_output=True, text=True, timeout=120)

    away = run("http://127.0.0.1:9", made["sleutel"])
    assert "geen verbinding" in away.stdout, away.stderr
    refused = run(address, "nee").stderr
    assert "het platform weigert (401): log in, of stuur een sleutel mee" in refused
    assert "Traceback" not in refused
    assert (tmp_path / "a.jsonl").exists(), "nothing is lost while the platform does not take it"
    assert "a.jsonl: 1 aangenomen, 0 herhaald, 1 geweigerd" in run(address, made["sleutel"]).stdout
    assert shown(unit, "demo-officier-vr03")["status"] == "alerted"
    said = (tmp_path / "verwerkt" / "a.jsonl.fouten.txt").read_text(encoding="utf-8")
    assert said == "melding 2: eenheid 06-1 is hier niet bekend\n"
