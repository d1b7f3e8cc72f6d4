"""Status and position of units from control rooms: pushed or dropped as files, each taken once, late ones too."""

from __future__ import annotations

import datetime
import itertools
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from slagkracht.log import UNIT_STATUSES
from slagkracht.server import ledger, move_ups
from slagkracht.server.api.schemas import Code
from slagkracht.server.database import Scope
from slagkracht.server.interfaces.drop_folder import MOST_LINES, Taken, empty_folder
from slagkracht.server.invalid import describe_invalid
from slagkracht.server.journal import Fact, record_all
from slagkracht.sources.geometry import in_netherlands, transform

Metres = Annotated[FiniteFloat, Field(ge=-100_000, le=1_000_000)]

AHEAD = datetime.timedelta(minutes=5)
"""How far a clock may be ahead of ours; a report from later than that is refused."""


class Report(BaseModel):
    """One report: ``id`` is the sender's own, unique in its feed. A status, a place (RD or degrees), or both.

    ``incident`` names what the unit was sent to: with it, its response can be measured.
    """

    model_config = ConfigDict(extra="forbid")
    id: Code
    eenheid: Code
    gebeurd_op: AwareDatetime
    status: str | None = None
    incident: Code | None = None
    x_m: Metres | None = None
    y_m: Metres | None = None
    lengtegraad: float | None = None
    breedtegraad: float | None = None

    @model_validator(mode="after")
    def _whole(self) -> Report:
        findings = []
        if self.status is not None and self.status not in UNIT_STATUSES:
            findings.append(f"status {self.status[:40]!r} is niet een van {', '.join(UNIT_STATUSES)}")
        if (self.x_m is None) != (self.y_m is None) or (self.lengtegraad is None) != (self.breedtegraad is None):
            findings.append("een plaats heeft twee coördinaten")
        elif self.x_m is not None and self.lengtegraad is not None:
            findings.append("een plaats staat er een keer: in meters of in graden")
        elif self.lengtegraad is not None and self.breedtegraad is not None:
            if not in_netherlands(np.array([self.lengtegraad]), np.array([self.breedtegraad]))[0]:
                findings.append("de plaats ligt niet in Nederland")
        elif self.x_m is None and self.status is None:
            findings.append("een melding heeft een status, een plaats of beide")
        if any("\x00" in text for text in (self.id, self.eenheid)):
            findings.append("een id bevat geen nulteken")
        if findings:
            raise ValueError("; ".join(findings))
        return self


def take_reports(own: Scope, lines: list[Any]) -> Taken:
    """Takes the reports that can be taken, each once, and says of every other what is wrong with it.

    Raises LedgerError when there are more than MOST_LINES.
    """
    if len(lines) > MOST_LINES:
        raise ledger.LedgerError(f"hooguit {MOST_LINES} meldingen tegelijk, niet {len(lines)}")
    taken = Taken([], [], [])
    good: list[tuple[int, Report]] = []
    for number, line in enumerate(lines, start=1):
        try:
            report = Report.model_validate(line)
            if report.gebeurd_op > own.at + AHEAD:
                raise ledger.LedgerError(f"gebeurd_op ligt in de toekomst: {report.gebeurd_op.isoformat()}")
            good.append((number, report))
        except ValidationError as error:
            found = [f"{'.'.join(map(str, e['loc'])) or 'regel'}: {describe_invalid(e)}" for e in error.errors()]
            taken.refused.append((number, "; ".join(found)))
        except ledger.LedgerError as error:
            taken.refused.append((number, str(error)))
    for are_places, group in itertools.groupby(good, key=lambda numbered: numbered[1].status is None):
        (_take_places if are_places else _take_statuses)(own, list(group), taken)
    taken.refused.sort()
    return taken


def _take_statuses(own: Scope, reports: list[tuple[int, Report]], taken: Taken) -> None:
    for number, report in reports:
        try:
            with own.connection.transaction():
                if _receive(own, [report]):
                    x_m, y_m = _in_metres(report)
                    assert report.status is not None
                    move_ups.report_unit(
                        own, report.eenheid, report.status, x_m, y_m, report.gebeurd_op, report.incident or ""
                    )
                    taken.accepted.append(report.id)
                else:
                    taken.repeated.append(report.id)
        except ledger.LedgerError as error:
            taken.refused.append((number, str(error)))


def _take_places(own: Scope, reports: list[tuple[int, Report]], taken: Taken) -> None:
    """Takes many places in one go: the newest of each unit is where it stands, and each is a fact."""
    units = sorted({report.eenheid for _, report in reports})
    rows = own.rows(
        "select unit_id, coalesce(parties, '{}') as parties from slagkracht.unit left join slagkracht.held_units() "
        "using (unit_id) where unit_id = any(%s) and region = %s",
        units,
        own.region,
    )
    audience = {row["unit_id"]: row["parties"] for row in rows}
    strange = [
        (n, f"eenheid {report.eenheid} is hier niet bekend") for n, report in reports if report.eenheid not in audience
    ]
    taken.refused.extend(strange)
    mine = [report for _, report in reports if report.eenheid in audience]
    new = _receive(own, mine)
    fresh: dict[str, Report] = {}
    for report in mine:
        if report.id in new and report.id not in fresh:
            fresh[report.id] = report
            taken.accepted.append(report.id)
        else:
            taken.repeated.append(report.id)
    if not fresh:
        return
    newest = {r.eenheid: r for r in sorted(fresh.values(), key=lambda report: report.gebeurd_op)}
    facts = []
    for report in fresh.values():
        x_m, y_m = _in_metres(report)
        body = {"unit": report.eenheid, "x_m": x_m, "y_m": y_m}
        facts.append(Fact("unit_position", body, audience[report.eenheid], report.gebeurd_op))
    with own.connection.pipeline(), own.connection.cursor() as cursor:  # the places wait for no answer of their own
        cursor.executemany(
            "select slagkracht.place_unit(%s, %s, %s, %s)",
            [(unit, *_in_metres(newest[unit]), newest[unit].gebeurd_op) for unit in sorted(newest)],
        )
        told = record_all(own, facts)
    move_ups.see_places(own, told)


def _receive(own: Scope, reports: list[Report]) -> set[str]:
    """Notes that these came in; returns the ids that had not come in before."""
    rows = own.rows(
        "insert into slagkracht.received (world, region, channel, message_id, content) "
        "select %s, %s, 'melding', * from unnest(%s::text[], %s::text[]) on conflict do nothing returning message_id",
        own.world,
        own.region,
        [report.id for report in reports],
        [report.eenheid for report in reports],
    )
    return {row["message_id"] for row in rows}


def _in_metres(report: Report) -> tuple[float | None, float | None]:
    """Where a report places its unit, in RD New; nowhere when it is about a status alone."""
    if report.lengtegraad is None or report.breedtegraad is None:
        return report.x_m, report.y_m
    east, north = transform(np.array([report.lengtegraad]), np.array([report.breedtegraad]))
    return round(float(east[0]), 2), round(float(north[0]), 2)


def take_folder(own: Scope, folder: Path) -> dict[str, Taken | str]:
    """Takes what lies in a drop folder for the acting region: see ``drop_folder.empty_folder``."""
    return empty_folder(folder, lambda lines: take_reports(own, lines))
