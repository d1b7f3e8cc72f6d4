"""What the map page holds is what was computed, small enough to send and exact enough to trust."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from reports_example import small_plan, small_results
from slagkracht.reports import map_page
from slagkracht.reports.drawing import compute_drawing
from slagkracht.reports.map_page import DEGREE, MISSING, NO_UNIT, pack_column, pack_page, pack_shapes, write_map_page
from slagkracht.sources.geometry import RD, WGS84, transform


def column(packed: dict[str, str]) -> npt.NDArray[Any]:
    kinds = {"u8": "<u1", "u16": "<u2", "i16": "<i2", "f32": "<f4"}
    return np.frombuffer(base64.b64decode(packed["data"]), kinds[packed["column"]])


def unpack_shapes(packed: str) -> list[shapely.Geometry]:
    """The slow obvious reader of what pack_shapes writes: polygons in degrees."""
    stream = iter(base64.b64decode(packed))

    def number() -> int:
        value = shift = 0
        while True:
            byte = next(stream)
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def step() -> int:
        zigzag = number()
        return -(zigzag + 1) // 2 if zigzag & 1 else zigzag // 2

    x = y = 0
    shapes = []
    for _ in range(number()):
        polygons = []
        for _ in range(number()):
            rings = []
            for _ in range(number()):
                ring = []
                for _ in range(number()):
                    x, y = x + step(), y + step()
                    ring.append((x / DEGREE, y / DEGREE))
                rings.append(ring)
            polygons.append(shapely.Polygon(rings[0], rings[1:]))
        shapes.append(shapely.MultiPolygon(polygons))
    assert next(stream, None) is None
    return shapes


@given(
    st.lists(
        st.tuples(st.integers(10_000, 270_000), st.integers(310_000, 600_000), st.integers(300, 90_000)),
        min_size=1,
        max_size=6,
    )
)
def test_shapes_come_back_within_a_metre(places: list[tuple[int, int, int]]) -> None:
    given_shapes = []
    for x, y, side in places:
        square = shapely.box(x, y, x + side, y + side)
        hole = shapely.box(x + side / 3, y + side / 3, x + side / 2, y + side / 2)
        given_shapes.append(shapely.MultiPolygon([square - hole, shapely.box(x - 500, y, x - 200, y + 100)]))
    back = unpack_shapes(pack_shapes(np.array(given_shapes, dtype=object)))
    for shape, found in zip(given_shapes, back, strict=True):
        expected = np.stack(transform(*shapely.get_coordinates(shape).T, RD, WGS84), axis=1)
        assert np.abs(shapely.get_coordinates(found) - expected).max() <= 0.5001 / DEGREE
        assert shapely.get_num_geometries(found) == 2


def test_a_line_along_a_border_is_no_surface() -> None:
    square = shapely.box(180_000, 440_000, 181_000, 441_000)
    mixed = shapely.GeometryCollection([shapely.LineString([(0, 300_000), (9, 300_009)]), square])
    back = unpack_shapes(pack_shapes(np.array([mixed, square], dtype=object)))
    assert [round(shape.area, 9) for shape in back] == [round(back[1].area, 9)] * 2


@pytest.mark.parametrize(("kind", "value"), [("u8", 256), ("u16", -1), ("i16", 32_768)])
def test_a_value_that_does_not_fit_is_never_wrapped(kind: str, value: int) -> None:
    with pytest.raises(OverflowError):
        pack_column(np.array([0, value]), kind)


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
    assert (column(layer["values"]) == np.round(coverage.response_s)).all()
    ranking = next(
        a for a in page["arrivals"] if (a["topic"], a["window"], a["name"]) == (layer["topic"], coverage.window, "")
    )
    unit = column(ranking["unit"]).reshape(-1, ranking["depth"])
    response_s = column(ranking["response_s"]).reshape(-1, ranking["depth"])
    assert (column(ranking["norm"]["completes"]) == coverage.unit).all()
    assert (response_s[:, 0] == np.round(coverage.response_s)).all()
    known = unit != NO_UNIT
    assert known[:, 0].all()
    units = page["results"][0]["units"]
    windows = [w["id"] for w in page["windows"]]
    turnout_s = column(units["turnout_s"]).reshape(-1, len(windows))[unit[known], windows.index(coverage.window)]
    drive_s = plan.travel.drive_s[np.nonzero(known)[0], column(units["station"])[unit[known]]]
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
            assert column(layer["values"])[3] == MISSING


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
    slot = '<script type="application/json" id="gegevens">'
    (package / "web" / "kaart.html").write_text(f"<html>{slot}</script></html>", encoding="utf-8")
    write_map_page(tmp_path / "kaart.html", small_results(plan), compute_drawing(plan))
    html = (tmp_path / "kaart.html").read_text(encoding="utf-8")
    packed = html.removeprefix(f"<html>{slot}").removesuffix("</script></html>")
    assert json.loads(gzip.decompress(base64.b64decode(packed))) == {"title": "</script>"}


def test_the_front_end_is_pinned_without_naming_a_host() -> None:
    lock = json.loads((Path(__file__).parents[1] / "web" / "package-lock.json").read_text(encoding="utf-8"))
    packages = [package for name, package in lock["packages"].items() if name]
    assert packages
    assert all("integrity" in package and "resolved" not in package for package in packages)
