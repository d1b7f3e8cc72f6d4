"""The national gap of the plan in force: worked out once per plan in the background, so that no screen waits."""

from __future__ import annotations

import threading
from concurrent.futures import Future

from slagkracht.server.engine import Engine
from slagkracht.strength import Posture, Shortfall, compute_posture, compute_shortfall

YEARS = 20_000
SEED = 1
WINDOW = "dag"
"""As the command 'slagkracht tekort' does unless asked otherwise, so that it gives the same figures."""

_lock = threading.Lock()
_asked: dict[str, Future[tuple[Posture, Shortfall]]] = {}


def ask_shortfall(engine: Engine) -> Future[tuple[Posture, Shortfall]]:
    """The gap of a plan, perhaps not ready yet; its error is ValueError or LookupError where the plan allows none.

    Who asks first starts the work; only the plan in force is kept.
    """
    with _lock:
        found = _asked.get(engine.plan_hash)
        if found is None:
            found = Future()
            _asked.clear()
            _asked[engine.plan_hash] = found
            threading.Thread(target=_compute, args=(engine, found), daemon=True, name="tekort").start()
        return found


def _compute(engine: Engine, found: Future[tuple[Posture, Shortfall]]) -> None:
    try:
        posture = compute_posture(engine.plan, WINDOW, engine.travel)
        found.set_result((posture, compute_shortfall(posture, years=YEARS, seed=SEED)))
    except Exception as error:
        found.set_exception(error)
