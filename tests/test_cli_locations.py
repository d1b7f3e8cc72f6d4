"""Which stations would reach most: every model on a small country against all choices, and what cannot be in words."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli_run import run
from slagkracht.siting import Field, compute_cover, compute_field, judge_sites
from slagkracht.sources.plan_files import read_plan
from slagkracht.strength import compute_posture
from slagkracht.travel import UNREACHABLE

Screen = pytest.CaptureFixture[str]
LIMIT_S = 600.0


@pytest.fixture(scope="module")
def field(country: Path) -> Field:
    posture = compute_posture(read_plan(country), "dag")
    return compute_field(posture.plan, posture.standing, posture.travel.drive_s, "redvoertuig", "VR06")


def asked(capsys: Screen, country: Path, *words: object) -> dict[str, Any]:
    answer = run(capsys, "locaties", country, "--middel", "redvoertuig", "--regio", "VR06", "--json", *words)
    assert answer.code == 0, answer.err
    told: dict[str, Any] = json.loads(answer.out)
    return told


def every_choice(field: Field, model: str, count: int, twice: bool) -> list[float]:
    """What each choice of ``count`` sites is worth; ``twice`` lets a site hold more than one unit."""
    reach = compute_cover(field.drive_s, LIMIT_S - field.turnout_s)
    choose = itertools.combinations_with_replacement if twice else itertools.combinations
    return [
        judge_sites(model, field, reach, np.array(sites, dtype=np.int32), 0.3, 0.9)
        for sites in choose(range(len(field.site)), count)
    ]


@pytest.mark.parametrize("model", ["mclp", "mexclp", "malp", "mediaan"])
def test_no_choice_of_two_is_better(capsys: Screen, country: Path, field: Field, model: str) -> None:
    told = asked(
        capsys, country, "--model", model, "--aantal", 2, "--binnen-minuten", 10, "--bezet", 0.3, "--zekerheid", 0.9
    )
    each = every_choice(field, model, 2, twice=model in ("mexclp", "malp"))
    best = min(each) if model == "mediaan" else max(each)
    assert told["gekozen"] == pytest.approx(best)
    assert told["gat"] < 1e-4
    assert len(set(each)) > 3  # there was something to choose


def test_the_fewest_that_reach_all_are_no_more_than_needed(capsys: Screen, country: Path, field: Field) -> None:
    told = asked(capsys, country, "--model", "lscp", "--binnen-minuten", 30)
    reach = compute_cover(field.drive_s, 1800.0 - field.turnout_s).toarray()
    can = reach[reach.any(axis=1)]
    assert 2 <= told["kazernes"] <= 4  # few enough to try all
    fewer = itertools.combinations(range(len(field.site)), told["kazernes"] - 1)
    assert not any(can[:, list(sites)].any(axis=1).all() for sites in fewer)
    assert told["gekozen"] == told["bereikbaar"]


def test_what_stands_now_is_measured_alike_and_never_better(capsys: Screen, country: Path, field: Field) -> None:
    told = asked(capsys, country, "--binnen-minuten", 10)
    assert told["kazernes"] == int((field.now > 0).sum())
    near = field.drive_s[:, field.now > 0].min(axis=1) <= LIMIT_S - field.turnout_s
    assert told["nu"] == pytest.approx(field.people[near].sum())
    assert told["gekozen"] >= told["nu"]
    assert told["inwoners"] == pytest.approx(field.people.sum())


def test_a_station_that_stays_is_chosen_and_the_file_holds_all(capsys: Screen, country: Path, tmp_path: Path) -> None:
    free = {each["kazerne"] for each in asked(capsys, country, "--aantal", 1)["locaties"]}
    plan = read_plan(country)
    own = plan.stations.station_id[plan.stations.region == plan.regions.code.tolist().index("VR06")].tolist()
    kept = next(code for code in own if code not in free)
    file = tmp_path / "locaties.csv"
    held = asked(capsys, country, "--aantal", 1, "--houd", kept, "--uit", file)
    assert [each["kazerne"] for each in held["locaties"]] == [kept]
    assert kept in file.read_text(encoding="utf-8")


def test_it_reads_as_a_planner_would(capsys: Screen, country: Path) -> None:
    words = ("--middel", "redvoertuig", "--aantal", 30, "--binnen-minuten", 12)
    answer = run(capsys, "locaties", country, *words)
    assert "kazernes van nu die blijven" in answer.out
    assert "Gekozen: 30 op 30 kazernes, " in answer.out
    assert "Bewezen: geen keuze uit deze " in answer.out
    assert "kazernes, gemiddeld " in run(capsys, "locaties", country, *words, "--model", "mediaan").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--middel", "zeppelin"), "middel 'zeppelin' is onbekend; wel: "),
        (("--regio", "VR99"), "regio 'VR99' staat niet in dit plan; wel: VR01"),
        (("--aantal", 100_000), "om uit te kiezen"),
        (("--houd", "X1"), "--houd: geen kazerne met code X1"),
        (("--houd", "X1", "--model", "mediaan"), "--houd kan niet bij model mediaan"),
        (("--binnen-minuten", 0.1, "--model", "lscp"), "geen enkel gebied is vanaf een kandidaat-locatie op tijd"),
        (("--model", "malp", "--bezet", 0), "moeten tussen 0 en 1 liggen"),
        (("--model", "raden"), "onbekend model 'raden'; kies uit lscp"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    capsys: Screen, country: Path, words: tuple[object, ...], said: str
) -> None:
    answer = run(capsys, "locaties", country, *words)
    assert answer.code in (1, 2)
    assert said in answer.err


def test_who_no_road_reaches_is_in_nobody_s_average() -> None:
    """Two areas of 10 and 30 people at 100 s and 200 s, a third that no road reaches: (10·100 + 30·200) / 40 = 175."""
    drive_s = np.array([[100, 900], [200, 300], [UNREACHABLE, UNREACHABLE]], dtype=np.uint16)
    rows = np.arange(3, dtype=np.int32)
    field = Field(rows[:2], rows, np.array([10.0, 30, 7]), drive_s, rows[:2], 0.0)
    reach = compute_cover(drive_s, 250.0)
    assert judge_sites("mediaan", field, reach, np.array([0], dtype=np.int32), 0.1, 0.9) == 175.0
    assert judge_sites("mclp", field, reach, np.array([0, 1], dtype=np.int32), 0.1, 0.9) == 40.0
    assert judge_sites("mexclp", field, reach, np.array([0, 0], dtype=np.int32), 0.5, 0.9) == 30.0
    assert judge_sites("malp", field, reach, np.array([0, 0], dtype=np.int32), 0.3, 0.95) == 0.0  # three are needed
    assert judge_sites("malp", field, reach, np.array([0, 0, 0], dtype=np.int32), 0.3, 0.95) == 40.0
