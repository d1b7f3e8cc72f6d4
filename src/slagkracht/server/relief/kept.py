"""A rotation as it is kept with its incident, and read again."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import numpy as np

from slagkracht.relief import Deployment, Rotation
from slagkracht.server.database import Row, Scope
from slagkracht.server.engine import CLOCK, Engine
from slagkracht.server.relief.standing import people_of

COLUMNS = ("block", "formation", "part", "leaves_min", "arrives_min", "takes_over_min", "relieved_min", "returns_min",
           "rested_min")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Planned:
    """A rotation as it was kept: when it was made, by whom, and when the first shift began (aware).

    ``owner`` the region of the incident, which relieves part of it with crews of its own.
    """

    rotation_id: str
    owner: str
    rotation: Rotation
    starts: datetime.datetime
    made_at: datetime.datetime
    made_by: str


def pack(engine: Engine, rotation: Rotation, starts: datetime.datetime) -> dict[str, Any]:
    crews, _, _ = people_of(engine)
    return {
        "starts": starts.isoformat(),
        "days": rotation.deployment.days,
        "asked": [[formation.code, count] for formation, count in rotation.deployment.asked],
        "crews": crews.crew_id[rotation.crew].tolist(),
        **{name: getattr(rotation, name).tolist() for name in COLUMNS},
        "posts": rotation.posts,
        "blocks": rotation.blocks,
        "shortfall": rotation.shortfall.tolist(),
        "why": rotation.why,
        "burden": rotation.burden.tolist(),
        "fair": rotation.fair.tolist(),
        "method": rotation.method,
        "changed": rotation.changed,
    }


def read_planned(scope: Scope, engine: Engine, incident: str) -> Planned | None:
    """The rotation that was worked out last for an incident; None where there is none, or none of this plan."""
    row = scope.row(
        "select r.*, i.region as owner from slagkracht.rotation r join slagkracht.incident i using (incident_id) "
        "where incident_id = %s and plan_hash = %s order by made_at desc, rotation_id desc limit 1",
        incident,
        engine.plan_hash,
    )
    return None if row is None else _unpack(engine, row)


def _unpack(engine: Engine, row: Row) -> Planned:
    crews, _, _ = people_of(engine)
    kept = row["content"]
    starts = datetime.datetime.fromisoformat(kept["starts"])
    row_of = {str(name): number for number, name in enumerate(crews.crew_id.tolist())}
    asked = tuple((engine.formations[code], int(count)) for code, count in kept["asked"])
    deployment = Deployment(asked, starts.astimezone(CLOCK).replace(tzinfo=None), float(kept["days"]))
    rotation = Rotation(
        deployment,
        np.array([row_of[name] for name in kept["crews"]], dtype=np.int32),
        **{name: np.array(kept[name], dtype=np.int32) for name in COLUMNS},
        posts=tuple((int(kind), str(capability), int(need)) for kind, capability, need in kept["posts"]),
        blocks=int(kept["blocks"]),
        shortfall=np.array(kept["shortfall"], dtype=np.int32),
        why=tuple((int(t), int(p), why) for t, p, why in kept["why"]),
        burden=np.array(kept["burden"], dtype=np.float64),
        fair=np.array(kept["fair"], dtype=np.float64),
        cost=0.0,
        bound=0.0,
        gap=float("nan"),
        method=kept["method"],
        changed=int(kept["changed"]),
    )
    return Planned(row["rotation_id"], row["owner"], rotation, starts, row["made_at"], row["made_by"])


def count_empty(rotation: Rotation) -> int:
    """Posts that stay empty after the first shift, which is held by who came."""
    return int(rotation.shortfall[1:].sum())
