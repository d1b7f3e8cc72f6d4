"""Outlines of areas and regions from any map file, in the order in which a plan counts them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from slagkracht.sources.geometry import RD
from slagkracht.sources.refusal import Finding, RefusalError, say_unreadable

Shapes = npt.NDArray[np.object_]


def read_outlines(path: Path, fields: Sequence[str], codes: Sequence[str]) -> Shapes:
    """The shape of each of ``codes``, by the first of ``fields`` in a GeoJSON, GeoPackage, GeoParquet or shapefile.

    shapely geometry [len(codes)] in RD New; several shapes of one code become one. Raises RefusalError when the file
    cannot be read, knows none of the fields, or misses a code.
    """
    import geopandas  # takes a second to load, and only maps need it

    try:
        frame = geopandas.read_parquet(path) if path.suffix.endswith("parquet") else geopandas.read_file(path)
    except Exception as error:  # every driver has errors of its own
        raise RefusalError([Finding(path.name, 0, "", say_unreadable(path), "een kaartbestand met vlakken")]) from error
    field = next((name for name in fields if name in frame.columns), None)
    if field is None:
        known = ", ".join(str(name) for name in frame.columns if name != "geometry")
        raise RefusalError([Finding(path.name, 0, " of ".join(fields), "geen kolom met die naam", f"een van: {known}")])
    if frame.crs is None:
        raise RefusalError(
            [Finding(path.name, 0, "", "geen coördinatenstelsel", "WGS84 of RD New, in het bestand zelf")]
        )
    shapes = frame.to_crs(RD).assign(code=frame[field].astype(str)).dissolve("code").geometry
    missing = [code for code in codes if code not in shapes.index]
    if missing:
        found = f"geen vlak voor {', '.join(missing[:5])}" + (f" en {len(missing) - 5} andere" if missing[5:] else "")
        raise RefusalError([Finding(path.name, 0, field, found, "een vlak voor elk gebied van het plan")])
    return np.asarray(shapes.loc[list(codes)].to_numpy(), dtype=object)
