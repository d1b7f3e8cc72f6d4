"""Station orders in use: read in the order of the plan, and everything wrong with one said by row."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slagkracht.sources.order_files import read_station_order
from slagkracht.sources.refusal import RefusalError
from toyland import read_toyland

PLAN, _ = read_toyland()
AREAS, STATIONS = PLAN.areas.area_id.tolist(), PLAN.stations.station_id.tolist()


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "kvt.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_come_in_the_order_of_the_plan_and_what_misses_is_apart(tmp_path: Path) -> None:
    path = write(tmp_path, "regio,gebied,kazerne_2,kazerne_1\nVR91,A04,N1,N2\nVR91,A02,,N1\n")
    order = read_station_order(path, PLAN)
    assert [AREAS[row] for row in order.area] == ["A02", "A04"]
    assert order.station.tolist() == [[STATIONS.index("N1"), -1], [STATIONS.index("N2"), STATIONS.index("N1")]]
    assert [AREAS[row] for row in order.missing] == [name for name in AREAS if name not in ("A02", "A04")]


def test_everything_wrong_is_said_by_row_and_column(tmp_path: Path) -> None:
    text = "gebied,kazerne_1,kazerne_2\nA01,N1,N1\nA02,X9,N1\nA99,N1,N2\nA01,N1,N2\nA03,,N1\n,N1,N2\n"
    with pytest.raises(RefusalError) as refused:
        read_station_order(write(tmp_path, text), PLAN)
    assert [(f.row, f.column, f.found) for f in refused.value.findings] == [
        (2, "kazerne_2", "N1"),
        (3, "kazerne_1", "X9"),
        (4, "gebied", "A99"),
        (5, "gebied", "A01"),
        (6, "kazerne_1", "niets"),
        (7, "gebied", "niets"),
    ]


@pytest.mark.parametrize("header", ["gebied,kazerne_1,kazerne_3", "gebied,kazerne_2", "plaats,kazerne_1"])
def test_columns_are_counted_from_one(tmp_path: Path, header: str) -> None:
    with pytest.raises(RefusalError, match=r"kazerne_|gebied"):
        read_station_order(
            write(tmp_path, f"{header}\n{','.join(['A01', 'N1', 'N2'][: header.count(',') + 1])}\n"), PLAN
        )


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*AREAS, "?"]), st.lists(st.sampled_from([*STATIONS, "", "?"]), min_size=3, max_size=3)
        ),
        max_size=14,
    )
)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_table_is_read_whole_or_refused(tmp_path: Path, rows: list[tuple[str, list[str]]]) -> None:
    text = "".join(f"{area},{','.join(cells)}\n" for area, cells in rows)
    path = write(tmp_path, "gebied,kazerne_1,kazerne_2,kazerne_3\n" + text)
    areas = [area for area, _ in rows]
    sound = len(set(areas)) == len(areas) and "?" not in areas
    for _, cells in rows:
        filled = [cell for cell in cells if cell]
        sound &= "?" not in cells and len(set(filled)) == len(filled) and cells[: len(filled)] == filled
    try:
        order = read_station_order(path, PLAN)
    except RefusalError:
        assert not sound
        return
    assert sound
    assert {AREAS[row] for row in order.area} == set(areas)
    assert len(order.area) + len(order.missing) == len(AREAS)
