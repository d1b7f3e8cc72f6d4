"""A drawn map is well-formed, keeps to its frame, and colours what it should."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import shapely

from slagkracht.reports.colours import TIME
from slagkracht.reports.map_svg import compute_frame, draw_map

SVG = "{http://www.w3.org/2000/svg}"
CELLS = np.array([shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100), shapely.box(200, 0, 300, 100)])
OUTLINES = np.array([shapely.box(0, 0, 300, 100)])


def paths(svg: str) -> dict[str, str]:
    return {path.get("fill", ""): path.get("d", "") for path in ET.fromstring(svg).iter(f"{SVG}path")}


def corners(path: str) -> list[set[tuple[int, ...]]]:
    """The corners of every ring of a path, its relative steps added up."""
    rings = []
    for ring in path.strip("z").split("z"):
        numbers = np.array([int(number) for number in re.findall(r"-?\d+", ring)]).reshape(-1, 2)
        rings.append({tuple(corner) for corner in np.cumsum(numbers, axis=0).tolist()})
    return rings


def test_each_class_is_one_path_and_the_missing_are_hatched() -> None:
    svg = draw_map(CELLS, np.array([300.0, 2000.0, np.nan]), TIME, OUTLINES, (0, 0, 300, 100), width=300)
    drawn = paths(svg)
    assert corners(drawn[TIME.colours[0]]) == [{(0, 0), (1000, 0), (1000, 1000), (0, 1000)}]
    assert corners(drawn[TIME.colours[-1]]) == [{(1000, 0), (2000, 0), (2000, 1000), (1000, 1000)}]
    assert corners(drawn["url(#missing)"]) == [{(2000, 0), (3000, 0), (3000, 1000), (2000, 1000)}]
    assert set(drawn) == {TIME.colours[0], TIME.colours[-1], "url(#missing)", "none"}


def test_nothing_is_drawn_outside_the_frame() -> None:
    svg = draw_map(CELLS, np.array([300.0, 700.0, 2000.0]), TIME, OUTLINES, (50, 20, 150, 80), width=100)
    assert TIME.colours[-1] not in paths(svg)
    for path in paths(svg).values():
        for ring in corners(path):
            assert all(0 <= x <= 1000 and 0 <= y <= 600 for x, y in ring)


def test_context_is_faded_and_names_are_written_safely() -> None:
    svg = draw_map(
        CELLS,
        np.array([300.0, 300.0, 300.0]),
        TIME,
        OUTLINES,
        (0, 0, 300, 100),
        faded=np.array([True, False, True]),
        points=np.array([[150.0, 50.0], [999.0, 50.0]]),
        labels=[(150, 50, "A & B")],
    )
    assert paths(svg)["#ffffff"].count("M") == 2
    assert paths(svg)[TIME.colours[0]].count("M") == 1
    texts = [text.text for text in ET.fromstring(svg).iter(f"{SVG}text")]
    assert texts == ["A & B", "A & B"]
    assert len(list(ET.fromstring(svg).iter(f"{SVG}circle"))) == 1


def test_a_frame_holds_its_shapes_and_takes_the_form_asked_for() -> None:
    west, south, east, north = compute_frame(OUTLINES, margin=0.1, shape=0.8)
    assert west < 0 < 300 < east
    assert south < 0 < 100 < north
    assert (north - south) / (east - west) == pytest.approx(0.8)


def test_a_sliver_thinner_than_the_drawing_does_not_spoil_the_path() -> None:
    """A path with an empty step ends there for every reader of SVG: all cells after a sliver would be lost."""
    sliver = shapely.box(50, 50, 50.001, 50.001)
    cells = np.array([sliver, *CELLS])
    svg = draw_map(cells, np.full(4, 300.0), TIME, OUTLINES, (0, 0, 300, 100), width=300)
    path = paths(svg)[TIME.colours[0]]
    assert "lz" not in path
    assert len(corners(path)) == 3
