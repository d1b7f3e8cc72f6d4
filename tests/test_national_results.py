"""The published national figures: recomputed from the open lists where they lie beside the checkout."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from slagkracht.areas import Areas
from slagkracht.sources.national import build_national_plan

ROOT = Path(__file__).parents[1]
REAL = ROOT.parent / "shared" / "data" / "nederland"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def nederland() -> ModuleType:
    return load("nederland")


def figures(row: str) -> list[tuple[float, float]]:
    """Every number of a table's row with the unit of its last digit: clock times in seconds, shares in percent."""
    found = []
    for minutes, seconds, number in re.findall(r"(\d+):(\d\d)|(\d[\d,]*(?:\.\d)?)", row):
        value = float(minutes) * 60 + float(seconds) if minutes else float(number.replace(",", ""))
        found.append((value, 0.1 if "." in number else 1.0))
    return found


def table_rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("| ")]


def published(module: ModuleType) -> list[str]:
    """The rows of the tables that ``module`` wrote into its document."""
    text = module.DOCUMENT.read_text(encoding="utf-8").split(module.BEGIN)[1].split(module.END)[0]
    return table_rows(text)


def compare(computed: list[str], written: list[str]) -> None:
    """Row by row, one unit of the last digit left to rounding."""
    for now, then in zip(computed, written, strict=False):
        assert re.sub(r"[\d,.:]+", "#", now) == re.sub(r"[\d,.:]+", "#", then)
        for (value, unit), (said, _) in zip(figures(now), figures(then), strict=True):
            assert abs(value - said) <= unit + 1e-9, f"{now}\n{then}"


def test_the_document_says_what_the_open_lists_give(nederland: ModuleType) -> None:
    if not REAL.exists():
        pytest.skip("the open lists of the Netherlands do not lie beside this checkout")
    computed = table_rows(nederland.tables_of(nederland.compute_results(build_national_plan(REAL, nederland.DAY))))
    assert len(computed) > 90  # four norms in two windows, and three tables of 25 regions
    compare(computed, published(nederland))


def test_the_three_fires_are_answered_as_published() -> None:
    if not REAL.exists():
        pytest.skip("the open lists of the Netherlands do not lie beside this checkout")
    fires = load("drie_branden")
    case = fires.build_case(REAL)
    waves = fires.compute_waves(case)
    sent = sum(wave.strength.unit_formation >= 0 for wave in waves)
    assert sent.max() == 1  # nobody is sent twice
    assert all((wave.strength.residual_after >= case.posture.floors.share - 1e-9).all() for wave in waves)
    compare(table_rows(fires.response_tables(case, waves)), published(fires))


def test_residents_are_shared_by_their_neighbourhoods(nederland: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "buurten.csv"
    # two neighbourhoods by the first area, none by the second (100 km east), which keeps its own point
    path.write_text("bu_code,naam,lon,lat\nBU1,a,5.387,52.155\nBU2,b,5.388,52.156\n")
    areas = Areas(
        area_id=np.array(["3800", "7600"]),
        x_m=np.array([155_000.0, 255_000.0]),
        y_m=np.array([463_000.0, 463_000.0]),
        region=np.array([0, 1], dtype=np.int32),
        municipality=np.array(["GM1", "GM2"]),
        population=np.array([900, 50], dtype=np.float32),
        object_classes=(),
        objects=np.zeros((2, 0), dtype=np.float32),
        area_class=np.array(["", ""]),
        size_m=np.array([1000, 2000], dtype=np.float32),
    )
    finer = nederland.spread_over_neighbourhoods(areas, path)
    assert finer.population.tolist() == [450, 450, 50]
    assert finer.region.tolist() == [0, 0, 1]
    assert finer.x_m[2] == 255_000.0
    assert len(set(finer.area_id.tolist())) == 3
