"""Files out: what the viewer may see, as a spreadsheet and a map program read it."""

from __future__ import annotations

import csv
import io
import secrets
from pathlib import Path

import pandas
import pyogrio
import pytest

from test_server_api import API, LINE, asked, client, post
from test_server_ledger import new_units

pytestmark = pytest.mark.usefixtures("database")
NOUNS = ("aanvragen", "regels", "aanboden", "toezeggingen", "gebeurtenissen")
FILES = (*(f"{noun}.csv" for noun in NOUNS), "slagkracht.gpkg")


def read(name: str, username: str) -> bytes:
    answer = client(username).get(f"{API}/bestanden/{name}")
    assert answer.status_code == 200, answer.content
    assert name in answer.headers["Content-Disposition"]
    content: bytes = answer.content
    return content


def rows(name: str, username: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(read(name, username).decode("utf-8-sig")), delimiter=";"))


def test_what_was_asked_stands_in_the_files_of_who_may_see_it(tmp_path: Path) -> None:
    mark = "merk" + secrets.token_hex(4)
    unit = new_units("VR06", 1)[0]
    request, line = asked(
        client("demo-officier-vr06"), grond="wvr51_5_buurregio", buurregio="VR07", toelichting=f'=1+"{mark};\n"'
    )
    (own,) = [row for row in rows("aanvragen.csv", "demo-officier-vr06") if row["id"] == request]
    assert own["toelichting"] == f'\'=1+"{mark};\n"', "not a formula"
    assert line in {row["id"] for row in rows("regels.csv", "demo-officier-vr07")}
    path = tmp_path / "uit.gpkg"
    path.write_bytes(read("slagkracht.gpkg", "demo-officier-vr06"))
    layers = {name for name, _ in pyogrio.list_layers(path)}
    assert layers == {"incidenten", "eenheden", "regels", "aanvragen", "aanboden", "toezeggingen", "gebeurtenissen"}
    units = pyogrio.read_dataframe(path, layer="eenheden")
    assert units.crs.to_epsg() == 28992
    (shape,) = units[units["kenmerk"] == unit].geometry
    assert (shape.x, shape.y) == (1.0, 2.0)
    kinds = {name: pyogrio.read_info(path, layer=name) for name in layers}
    types = {name: dict(zip(info["fields"], info["dtypes"], strict=True)) for name, info in kinds.items()}
    assert (types["regels"]["aantal"], types["regels"]["uren"]) == ("int64", "float64")
    for name, moment in [("regels", "nodig_op"), ("eenheden", "status_sinds"), ("toezeggingen", "stap_sinds")]:
        assert types[name][moment].startswith("datetime64"), "a moment, also where none is known or no row stands"
    told = pyogrio.read_dataframe(path, layer="incidenten")["geopend_op"].max()
    assert abs(told - pandas.Timestamp.now("UTC")) < pandas.Timedelta(minutes=5), "in UTC"
    assert request in set(pyogrio.read_dataframe(path, layer="aanvragen")["kenmerk"])
    for name in FILES:
        stranger = read(name, "demo-officier-vr23")
        for secret in (mark, request, unit):
            assert secret.encode() not in stranger, name


def test_a_dutch_spreadsheet_reads_numbers_as_numbers_and_moments_as_moments() -> None:
    _, line = asked(client("demo-officier-vr06"), regels=[{**LINE, "x_m": 155_000.5, "y_m": -12.25, "uren": 7.5}])
    table = pandas.read_csv(
        io.BytesIO(read("regels.csv", "demo-officier-vr06")), sep=";", decimal=",", encoding="utf-8-sig",
        parse_dates=["nodig_op"],
    )  # fmt: skip
    row = table[table["id"] == line].iloc[0]
    assert (row["x_m"], row["y_m"], row["uren"], row["aantal"]) == (155_000.5, -12.25, 7.5, 2)
    assert str(row["nodig_op"]) == "2030-07-01 10:00:00+00:00"


def test_every_table_has_a_file_even_when_it_is_empty() -> None:
    for name in FILES:
        assert read(name, "demo-bestuur-vr25")


def test_no_session_no_file() -> None:
    assert client().get(f"{API}/bestanden/aanvragen.csv").status_code == 401
    assert client("demo-officier-vr06").get(f"{API}/bestanden/accounts.csv").status_code == 404
    assert post(client("demo-officier-vr06"), "/bestanden/aanvragen.csv").status_code == 405
