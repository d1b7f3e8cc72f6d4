"""Stations, units and crews: what a region brings, and the table of units that stand ready."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Strings = npt.NDArray[np.str_]
Floats = npt.NDArray[np.float32]
Metres = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

WINDOWS = ("dag", "avond", "nacht", "weekend")
"""The time windows that every per-window column counts in (hours in ``nl/vocabulary/windows.csv``)."""

REGIMES = ("beroeps", "kazernering", "consignatie", "vrije_instroom")
"""Crewing regimes, from a crew in the station to volunteers who come from wherever they are."""


@dataclass(frozen=True, eq=False)
class Stations:
    """Places where units stand, one row each.

    ``station_id`` str [S] unique · ``name`` str [S] · ``region`` int32 [S] row of Regions · ``x_m``, ``y_m``
    float64 [S] RD New (EPSG:28992) · ``position_error_m`` float32 [S] how far off they may be (0 = an address).
    """

    station_id: Strings
    name: Strings
    region: Indices
    x_m: Metres
    y_m: Metres
    position_error_m: Floats

    def __len__(self) -> int:
        return len(self.station_id)


@dataclass(frozen=True, eq=False)
class Units:
    """The smallest things that can be alerted as a whole: a vehicle with its crew, and what it can do. One row each.

    ``unit_id`` str [U] unique · ``station`` int32 [U] row of Stations · ``type_code`` str [U] ·
    ``capability_names`` names of the columns of ``capabilities`` bool [U, C] · ``crew`` int32 [U] seats filled at
    roll-out (0 = crewed by another unit's people) · ``regime`` int32 [U, W] index into REGIMES per window ·
    ``turnout_s`` float32 [U, W] median seconds from alarm to wheels rolling · ``turnout_spread`` float32 [U, W]
    standard deviation of ln(turnout) · ``readiness`` float32 [U, W] share of the window in which the unit can roll.
    """

    unit_id: Strings
    station: Indices
    type_code: Strings
    capability_names: tuple[str, ...]
    capabilities: Flags
    crew: Indices
    regime: Indices
    turnout_s: Floats
    turnout_spread: Floats
    readiness: Floats

    def __len__(self) -> int:
        return len(self.unit_id)


@dataclass(frozen=True, eq=False)
class Standing:
    """Units as they stand at one moment: the table that every computation takes.

    A plan gives it for a time window, a live situation for a moment, a simulation for every event.
    ``unit`` int32 [N] row of Units · ``origin`` int32 [N] row of Travel's origins (in a plan: the station) ·
    ``region`` int32 [N] owner · ``capability_names`` and ``capabilities`` bool [N, C] · ``crew`` int32 [N] ·
    ``turnout_s`` float32 [N] median · ``turnout_spread`` float32 [N] standard deviation of ln(turnout) ·
    ``readiness`` float32 [N] chance that it can roll when asked · ``free`` bool [N] not committed elsewhere.
    """

    unit: Indices
    origin: Indices
    region: Indices
    capability_names: tuple[str, ...]
    capabilities: Flags
    crew: Indices
    turnout_s: Floats
    turnout_spread: Floats
    readiness: Floats
    free: Flags

    def __len__(self) -> int:
        return len(self.unit)


def compute_standing(units: Units, stations: Stations, window: str) -> Standing:
    """The units of a plan as they stand in a time window: all free, each at its own station.

    Raises ValueError when ``window`` is not one of WINDOWS.
    """
    if window not in WINDOWS:
        raise ValueError(f"onbekend tijdvenster {window!r}: kies uit {', '.join(WINDOWS)}")
    w = WINDOWS.index(window)
    return Standing(
        unit=np.arange(len(units), dtype=np.int32),
        origin=units.station,
        region=stations.region[units.station],
        capability_names=units.capability_names,
        capabilities=units.capabilities,
        crew=units.crew,
        turnout_s=units.turnout_s[:, w],
        turnout_spread=units.turnout_spread[:, w],
        readiness=units.readiness[:, w],
        free=np.ones(len(units), dtype=np.bool_),
    )


def capability_column(table: Units | Standing, capability: str) -> Flags:
    """Which rows of ``table`` have ``capability``: bool [N]. Raises KeyError, naming what there is."""
    if capability not in table.capability_names:
        known = ", ".join(table.capability_names)
        raise KeyError(f"onbekende inzetmogelijkheid {capability!r}; dit plan kent: {known}")
    column: Flags = table.capabilities[:, table.capability_names.index(capability)]
    return column
