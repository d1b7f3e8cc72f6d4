"""What the planner's desk sends is a list of edits: whatever comes instead, it is judged or refused in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slagkracht.server.database import Addresses
from test_server_api import client

pytestmark = pytest.mark.usefixtures("plan")
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KINDS = st.sampled_from(["open", "sluit", "verplaats", "bezetting", "eenheid erbij", "eenheid weg", "x", "", None, 3])
FIELDS = {
    "kazerne": st.sampled_from(["06-0001", "N1", "", "'\n[["]) | ANYTHING,
    "lon": st.sampled_from([5.8, 1e308, "5.8"]) | ANYTHING,
    "lat": st.sampled_from([52.1, -91, None]) | ANYTHING,
    "x_m": st.sampled_from([190_000.0]) | ANYTHING,
    "y_m": st.sampled_from([450_000.0]) | ANYTHING,
    "eenheid": st.sampled_from(["06-0001-1"]) | ANYTHING,
    "bezettingsregime": st.sampled_from(["beroeps", "vrije instroom"]) | ANYTHING,
    "vensters": ANYTHING,
}
EDITS = st.lists(st.fixed_dictionaries({"soort": KINDS}, optional=FIELDS) | ANYTHING, max_size=3) | ANYTHING


@pytest.fixture(scope="module")
def plan(database: Addresses) -> Iterator[Any]:
    from slagkracht.server import engine
    from slagkracht.sources.modelland import build_modelland

    before = engine.current()
    yield engine.load(build_modelland(400, stations=60, nodes=3_000)).plan
    engine._engine = before


def sent(body: bytes) -> Any:
    return client("demo-officier-vr06").post("/plantafel/bereken", body, content_type="application/json")


def refused(answer: Any) -> None:
    assert answer.status_code == 400, answer.content
    said = json.loads(answer.content)["fout"]
    assert len(said) > 8, said


@settings(max_examples=250, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(EDITS)
def test_any_edits_are_judged_or_refused(edits: Any) -> None:
    answer = sent(json.dumps({"norm": "bvr-3.2.1", "venster": "dag", "wijzigingen": edits}).encode())
    if answer.status_code == 200:
        assert json.loads(answer.content)["mensen"] > 0
    else:
        refused(answer)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"3", b'"x"', b"\xff\xfe", b"[" * 100_000, b"{}", b'{"norm": "bvr-3.2.1"}',
     b'{"norm": [], "venster": {}, "wijzigingen": []}', b'{"norm": "x", "venster": "dag", "wijzigingen": []}'],
)  # fmt: skip
def test_what_is_no_list_of_edits_is_refused(body: bytes) -> None:
    refused(sent(body))


def test_a_station_that_is_closed_is_judged(plan: Any) -> None:
    station = str(plan.stations.station_id[0])
    asked = {"norm": "bvr-3.2.1", "venster": "dag", "wijzigingen": [{"soort": "sluit", "kazerne": station}]}
    answer = sent(json.dumps(asked).encode())
    assert answer.status_code == 200, answer.content
    assert json.loads(answer.content)["aantal"] == 1
