"""Plans on disk: what is written is what is read, whatever the plan; and a plan that was touched is refused."""

from __future__ import annotations

import dataclasses
import datetime
import json
import tempfile
import zipfile
from pathlib import Path

import geopandas
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from slagkracht.areas import Areas
from slagkracht.plan import Plan, compute_hash
from slagkracht.regions import Regions
from slagkracht.resources import WINDOWS, Stations, Units
from slagkracht.risks import NO_RISKS, Need, Place, Profile, Risk, Shock
from slagkracht.roads import Roads
from slagkracht.rules import Rule, Rules, RuleVersion
from slagkracht.sources.national import build_national_plan
from slagkracht.sources.plan_files import read_plan, write_plan
from slagkracht.sources.refusal import RefusalError
from slagkracht.travel import Travel

REAL = Path(__file__).parents[2] / "shared" / "data" / "nederland"

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
NAMES = st.lists(TEXT, unique=True, max_size=3).map(tuple)
DAYS = st.dates(datetime.date(1900, 1, 1), datetime.date(2200, 1, 1))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXT, DAYS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT.filter(lambda t: t != "$dag"), inner)),
    max_leaves=6,
)


def texts(n: int) -> st.SearchStrategy[np.ndarray]:
    return st.lists(TEXT, min_size=n, max_size=n).map(lambda items: np.array(items, dtype=np.str_))


def column(dtype: str, *shape: int) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.dtype(dtype), shape)


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
RISKS = st.builds(
    Risk, code=TEXT, label=TEXT, theme=TEXT, crisis_type=TEXT, regions=NAMES,
    places=st.lists(st.builds(Place, TEXT, FLOATS, FLOATS, FLOATS), max_size=2).map(tuple),
    rate_per_year=FLOATS, rate_low=FLOATS, rate_high=FLOATS, months=st.lists(FLOATS, max_size=2).map(tuple),
    hours=st.lists(FLOATS, max_size=2).map(tuple), impact=NAMES, group=TEXT, shared=TEXT,
    needs=st.lists(st.builds(Need, TEXT, st.integers(0, 9), FLOATS, FLOATS), max_size=2).map(tuple),
    source=TEXT, status=TEXT,
)  # fmt: skip
SHOCKS = st.lists(st.builds(Shock, TEXT, FLOATS, FLOATS), max_size=2).map(tuple)
PROFILES = st.builds(Profile, st.lists(RISKS, max_size=2).map(tuple), SHOCKS)
RISK = Risk(
    "heide", "Heidebrand", "natuurlijke omgeving", "natuurbrand", ("VR01",), (Place("Aduard", 2.2e5, 5.8e5, 1.0),), 0.1,
    0.05, 0.2, (1.0,) * 12, (1.0,) * 24, ("C",) * 10, "droogte", "", (Need("basispeloton", 2, 0.0, 12.0),), "aanname",
    "te verifiëren",
)  # fmt: skip


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Any plan whatever, sense or nonsense: the file need not understand it."""
    r, s, u, a, n, m = (draw(st.integers(0, 4)) for _ in range(6))
    capability_names, object_classes = draw(NAMES), draw(NAMES)
    per_window = (u, len(WINDOWS))
    rules = tuple(
        Rule(
            *(draw(TEXT) for _ in range(6)),
            versions=(
                RuleVersion(draw(DAYS), draw(st.none() | DAYS), draw(st.dictionaries(TEXT, VALUES, max_size=3))),
            ),
            cases=(draw(st.dictionaries(TEXT, VALUES, max_size=2)),),
        )
        for _ in range(draw(st.integers(0, 2)))
    )
    roads = Roads(
        draw(column("f8", n)), draw(column("f8", n)), draw(column("i4", n + 1)), draw(column("i4", m)),
        draw(column("f4", m)), draw(column("i4", m)), draw(NAMES), draw(column("f4", m)), draw(TEXT), draw(TEXT),
    )  # fmt: skip
    travel = Travel(
        draw(column("u2", a, s)), draw(column("f8", s)), draw(column("f8", s)), draw(column("f4", s)),
        draw(column("f4", a)), draw(TEXT), draw(st.floats(0, 2)), draw(TEXT),
    )  # fmt: skip
    return Plan(
        name=draw(TEXT),
        day=draw(DAYS),
        regions=Regions(draw(texts(r)), draw(texts(r))),
        stations=Stations(
            draw(texts(s)), draw(texts(s)), draw(column("i4", s)), draw(column("f8", s)), draw(column("f8", s)),
            draw(column("f4", s)),
        ),
        units=Units(
            draw(texts(u)), draw(column("i4", u)), draw(texts(u)), capability_names,
            draw(column("?", u, len(capability_names))), draw(column("i4", u)), draw(column("i4", *per_window)),
            draw(column("f4", *per_window)), draw(column("f4", *per_window)), draw(column("f4", *per_window)),
        ),
        areas=Areas(
            draw(texts(a)), draw(column("f8", a)), draw(column("f8", a)), draw(column("i4", a)), draw(texts(a)),
            draw(column("f4", a)), object_classes, draw(column("f4", a, len(object_classes))), draw(texts(a)),
            draw(column("f4", a)),
        ),
        risks=draw(PROFILES),
        rules=Rules(rules),
        roads=draw(st.sampled_from([roads, None])),
        travel=draw(st.sampled_from([travel, None])),
        notes=draw(NAMES),
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(plans(), st.sampled_from(["plan", "plan.zip"]))
def test_plan_to_file_to_plan_is_the_same_plan(plan: Plan, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write_plan(plan, path)
        read = read_plan(path)
        assert [p.name for p in Path(folder).iterdir()] == [name]
    assert compute_hash(read) == compute_hash(plan)
    for part in ("regions", "stations", "units", "areas"):
        for field in dataclasses.fields(getattr(plan, part)):
            before, after = getattr(getattr(plan, part), field.name), getattr(getattr(read, part), field.name)
            if isinstance(before, np.ndarray):
                assert after.shape == before.shape
                assert after.dtype.kind == before.dtype.kind


@pytest.fixture
def plan() -> Plan:
    """Two stations, three areas, one dated rule, a matrix."""
    n, per_window = 2, np.full((2, len(WINDOWS)), 90, dtype=np.float32)
    version = RuleVersion(datetime.date(2020, 1, 1), None, {"s": 480})
    return Plan(
        name="proef",
        day=datetime.date(2026, 7, 1),
        regions=Regions(np.array(["VR01"]), np.array(["Groningen"])),
        stations=Stations(
            np.array(["a", "b"]), np.array(["Aduard", "Bedum"]), np.zeros(n, np.int32), np.array([2.2e5, 2.3e5]),
            np.array([5.8e5, 5.9e5]), np.zeros(n, np.float32),
        ),
        units=Units(
            np.array(["1", "2"]), np.arange(n, dtype=np.int32), np.array(["TS", "HW"]),
            ("tankautospuit", "redvoertuig"), np.eye(2, dtype=np.bool_), np.array([6, 2], np.int32),
            np.zeros((2, 4), np.int32),
            per_window, per_window / 300, per_window / 100,
        ),
        areas=Areas(
            np.array(["x", "y", "z"]), np.array([2.2e5, 2.25e5, 2.3e5]), np.array([5.8e5, 5.85e5, 5.9e5]),
            np.zeros(3, np.int32), np.array(["GM1"] * 3), np.array([1, 2, 3], np.float32), ("woonfunctie",),
            np.ones((3, 1), np.float32), np.array([""] * 3), np.ones(3, np.float32),
        ),
        risks=Profile((RISK,), (Shock("droogte", 0.5, 10.0),)),
        rules=Rules((Rule("norm", "objectnorm", "Norm", "Bvr", "vastgesteld", "", (version,)),)),
        roads=None,
        travel=Travel(
            np.arange(6, dtype=np.uint16).reshape(3, 2), np.array([2.2e5, 2.3e5]), np.array([5.8e5, 5.9e5]),
            np.zeros(2, np.float32), np.zeros(3, np.float32), "matrix", 0.0, "proef",
        ),
        notes=("Alles verzonnen.",),
    )  # fmt: skip


def test_tables_open_as_maps(plan: Plan, tmp_path: Path) -> None:
    write_plan(plan, tmp_path / "plan")
    areas = geopandas.read_parquet(tmp_path / "plan" / "areas.parquet")
    assert areas.crs.to_epsg() == 28992
    assert areas.geometry.x.tolist() == plan.areas.x_m.tolist()
    assert areas["objects:woonfunctie"].tolist() == [1, 1, 1]


def test_the_same_plan_gives_the_same_bytes(plan: Plan, tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        write_plan(plan, tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_an_earlier_plan_is_replaced_and_anything_else_is_left_alone(plan: Plan, tmp_path: Path) -> None:
    for name in ("plan", "plan.zip"):
        write_plan(plan, tmp_path / name)
        write_plan(dataclasses.replace(plan, name="later"), tmp_path / name)
        assert read_plan(tmp_path / name).name == "later"
    other = tmp_path / "foto's"
    other.mkdir()
    (other / "kat.jpg").write_bytes(b"miauw")
    with pytest.raises(RefusalError, match="foto's"):
        write_plan(plan, other)
    assert (other / "kat.jpg").read_bytes() == b"miauw"


def test_nothing_is_left_when_writing_fails(plan: Plan, tmp_path: Path) -> None:
    write_plan(plan, tmp_path / "plan")
    unwritable = dataclasses.replace(plan.rules.rules[0], cases=({"kan": {1, 2}},))
    with pytest.raises(TypeError):
        write_plan(dataclasses.replace(plan, rules=Rules((unwritable,))), tmp_path / "plan")
    assert read_plan(tmp_path / "plan").name == "proef"
    assert [p.name for p in tmp_path.iterdir()] == ["plan"]


@pytest.mark.parametrize("name", ["regions.parquet", "units.parquet", "travel.npz", "rules.json"])
def test_a_damaged_or_missing_table_is_named(plan: Plan, tmp_path: Path, name: str) -> None:
    path = tmp_path / "plan"
    write_plan(plan, path)
    content = bytearray((path / name).read_bytes())
    content[len(content) // 2] ^= 1
    (path / name).write_bytes(content)
    with pytest.raises(RefusalError, match=f"plan/{name}"):
        read_plan(path)
    (path / name).unlink()
    with pytest.raises(RefusalError, match=f"plan/{name}.*geen bestand"):
        read_plan(path)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_change_gives_the_same_plan_or_a_refusal(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.zip"
        write_plan(_small(), path)
        content = bytearray(path.read_bytes())
        if data.draw(st.booleans()):
            content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
        else:
            del content[data.draw(st.integers(0, len(content) - 1)) :]
        path.write_bytes(content)
        try:
            read = read_plan(path)
        except RefusalError:
            return
        assert compute_hash(read) == compute_hash(_small())


@settings(max_examples=60, deadline=None)
@given(st.recursive(st.none() | st.integers() | TEXT, lambda i: st.lists(i) | st.dictionaries(TEXT, i), max_leaves=5))
def test_any_manifest_gives_a_refusal(manifest: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(RefusalError):
            read_plan(path)


def test_a_name_in_the_manifest_never_leads_outside(plan: Plan, tmp_path: Path) -> None:
    write_plan(plan, tmp_path / "plan.zip")
    with zipfile.ZipFile(tmp_path / "plan.zip") as archive:
        manifest = archive.read("manifest.json").decode()
    (tmp_path / "rules.json").write_text("{}")
    outside = tmp_path / "plan"
    outside.mkdir()
    (outside / "manifest.json").write_text(manifest.replace('"rules.json"', '"../rules.json"'))
    with pytest.raises(RefusalError, match=r"\.\./rules\.json"):
        read_plan(outside)


def test_a_later_format_is_refused(plan: Plan, tmp_path: Path) -> None:
    write_plan(plan, tmp_path / "plan")
    manifest = tmp_path / "plan" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"format": 2', '"format": 3'))
    with pytest.raises(RefusalError, match=r"formaat 3.*bouw het plan opnieuw"):
        read_plan(tmp_path / "plan")


def test_the_real_country_survives(tmp_path: Path) -> None:
    if not REAL.exists():
        pytest.skip("the open lists of the Netherlands do not lie beside this checkout")
    plan = build_national_plan(REAL, datetime.date(2026, 7, 1))
    write_plan(plan, tmp_path / "nl.zip")
    assert compute_hash(read_plan(tmp_path / "nl.zip")) == compute_hash(plan)


def _small() -> Plan:
    empty = np.zeros(0, np.float32)
    return Plan(
        "klein",
        datetime.date(2026, 7, 1),
        Regions(np.array(["VR01"]), np.array(["Groningen"])),
        Stations(
            np.zeros(0, np.str_), np.zeros(0, np.str_), empty.astype("i4"),
            empty.astype("f8"), empty.astype("f8"), empty,
        ),
        Units(
            np.zeros(0, np.str_), empty.astype("i4"), np.zeros(0, np.str_), (), np.zeros((0, 0), np.bool_),
            empty.astype("i4"), np.zeros((0, 4), "i4"), *(np.zeros((0, 4), "f4") for _ in range(3)),
        ),
        Areas(
            np.array(["x"]), np.ones(1), np.ones(1), np.zeros(1, "i4"), np.array(["GM1"]), np.ones(1, "f4"), (),
            np.zeros((1, 0), "f4"), np.array([""]), np.ones(1, "f4"),
        ),
        NO_RISKS, Rules(()), None, None, (),
    )  # fmt: skip
