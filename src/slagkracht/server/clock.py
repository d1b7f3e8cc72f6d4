"""What the platform does by itself as time goes by: terms that pass, relief that falls due, logs that are signed."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

import psycopg
from psycopg_pool import PoolTimeout

from slagkracht.procedures.dossier import BY_TERM
from slagkracht.server import checkpoints, dossiers, relief
from slagkracht.server import engine as seam
from slagkracht.server.database import WORLDS, is_open, scope
from slagkracht.server.ledger import LedgerError

LOOK_S = 30.0
"""How often it is looked whether a term passed."""

SIGN_S = 600.0
"""How often logs that grew are signed; SLAGKRACHT_TEKEN_S sets another number of seconds."""

logger = logging.getLogger(__name__)


def start_clock(keys: Path) -> threading.Event:
    """Starts the clock beside the server; setting the event that it returns stops it. ``keys``: private keys."""
    stop = threading.Event()
    threading.Thread(target=_run, args=(keys, stop), daemon=True, name="klok").start()
    return stop


def tick() -> list[str]:
    """Applies every term that passed and works out relief that fell due, in all regions and both worlds.

    Returns the dossiers that moved on and the rotations that were made.
    """
    moved, engine = [], seam.current()
    for world in WORLDS:
        with scope("LAC", world, "klok") as own:
            regions = [row["region"] for row in own.rows("select region from slagkracht.region order by region")]
        for region in regions:
            with scope(region, world, BY_TERM) as own:
                moved += dossiers.pass_due_terms(own)
            if engine is not None:
                with scope(region, world, BY_TERM) as own:
                    moved += relief.plan_due(own, engine)
    return moved


def _run(keys: Path, stop: threading.Event) -> None:
    sign_every = max(1, round(float(os.environ.get("SLAGKRACHT_TEKEN_S", SIGN_S)) / LOOK_S))
    while not is_open():
        if stop.wait(0.5):
            return
    rounds = 0
    while True:
        try:
            tick()
            if rounds % sign_every == 0:
                checkpoints.sign_and_exchange(keys)
        except (psycopg.Error, PoolTimeout, RuntimeError, LedgerError) as trouble:
            logger.warning("de klok sloeg over: %s", trouble)
        rounds += 1
        if stop.wait(LOOK_S):
            return
