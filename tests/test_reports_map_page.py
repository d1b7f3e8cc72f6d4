"""What the map page holds is what was computed, small enough to send and exact enough to trust."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from reports_example import small_plan, small_results
from slagkracht.reports import map_page
from slagkracht.reports.drawing import compute_drawing
from slagkracht.reports.map_page import MISSING, NO_UNIT, pack_page, write_map_page
from test_reports_columns import read_block


def test_the_page_holds_every_layer_and_the_arrivals_behind_it() -> None:
    plan = small_plan()
    results = small_results(plan)
    page = pack_page(results, compute_drawing(plan))
    views = {(layer["name"], layer["view"]) for layer in page["layers"]}
    assert views == {("", v) for v in ("marge", "tijd", "kans", "alleen", "winst")} | {
        ("Zevenaar dicht", v) for v in ("marge", "tijd", "kans", "verschil")
    }
    coverage = results[0].together[0]
    layer = next(
        layer
        for layer in page["layers"]
        if (layer["view"], layer["window"], layer["name"]) == ("tijd", coverage.window, "")
        and page["topics"][layer["topic"]]["dutch"] == coverage.dutch
    )
    assert (layer["values"] == np.round(coverage.response_s)).all()
    ranking = next(
        a for a in page["arrivals"] if (a["topic"], a["window"], a["name"]) == (layer["topic"], coverage.window, "")
    )
    unit = ranking["unit"].reshape(-1, ranking["depth"])
    response_s = ranking["response_s"].reshape(-1, ranking["depth"])
    assert (ranking["norm"]["completes"] == coverage.unit).all()
    assert (response_s[:, 0] == np.round(coverage.response_s)).all()
    known = unit != NO_UNIT
    assert known[:, 0].all()
    units = page["results"][0]["units"]
    windows = [w["id"] for w in page["windows"]]
    turnout_s = units["turnout_s"].reshape(-1, len(windows))[unit[known], windows.index(coverage.window)]
    drive_s = plan.travel.drive_s[np.nonzero(known)[0], units["station"][unit[known]]]
    assert np.abs(response_s[known].astype(int) - 60 - turnout_s - drive_s).max() <= 1


def test_who_cannot_be_reached_is_missing_and_not_a_large_number() -> None:
    plan = small_plan()
    result = small_results(plan)[0]
    coverage = result.together[0]
    response_s = coverage.response_s.copy()
    response_s[3] = np.inf
    cut = dataclasses.replace(result, together=(dataclasses.replace(coverage, response_s=response_s),), alone=())
    page = pack_page([cut], compute_drawing(plan))
    for layer in page["layers"]:
        if layer["view"] in ("tijd", "marge"):
            assert layer["values"][3] == MISSING


def test_the_receipt_and_what_is_unverified_stand_on_the_page() -> None:
    plan = small_plan()
    page = pack_page(small_results(plan), compute_drawing(plan))
    assert [rule["dutch"] for rule in page["unverified"]] == [
        "Eerste tankautospuit", "Eerste redvoertuig", "Verwerkingstijd",
    ]  # fmt: skip
    assert page["modelled"] == "gemodelleerd"
    assert plan.notes[0] in page["notes"]
    numbers = [result["number"] for result in page["results"]]
    assert len(set(numbers)) == 2
    assert all(len(number) == 64 for number in numbers)


def test_the_page_is_the_built_front_end_with_its_figures_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = small_plan()
    package = tmp_path / "slagkracht"
    (package / "web").mkdir(parents=True)
    monkeypatch.setattr(map_page.resources, "files", lambda _: package)
    monkeypatch.setattr(map_page, "pack_page", lambda *_, **__: {"title": "</script>"})
    with pytest.raises(FileNotFoundError, match="make web"):
        write_map_page(tmp_path / "kaart.html", small_results(plan), compute_drawing(plan))
    assert not (tmp_path / "kaart.html").exists()
    slots = [f'<script type="application/json" id="{name}">' for name in ("gegevens", "slagkracht")]
    (package / "web" / "kaart.html").write_text(
        f"<html>{slots[0]}</script>{slots[1]}</script></html>", encoding="utf-8"
    )
    write_map_page(tmp_path / "kaart.html", small_results(plan), compute_drawing(plan))
    html = (tmp_path / "kaart.html").read_text(encoding="utf-8")
    packed = html.removeprefix(f"<html>{slots[0]}").removesuffix(f"</script>{slots[1]}</script></html>")
    assert read_block(packed) == {"title": "</script>"}


def test_the_front_end_is_pinned_without_naming_a_host() -> None:
    lock = json.loads((Path(__file__).parents[1] / "web" / "package-lock.json").read_text(encoding="utf-8"))
    packages = [package for name, package in lock["packages"].items() if name]
    assert packages
    assert all("integrity" in package and "resolved" not in package for package in packages)


def test_a_page_of_variants_opens_on_the_difference() -> None:
    plan = small_plan()
    page = pack_page(small_results(plan), compute_drawing(plan), opens_on="verschil")
    assert page["layers"][page["opens"]]["view"] == "verschil"
    assert pack_page(small_results(plan), compute_drawing(plan))["opens"] == 0
