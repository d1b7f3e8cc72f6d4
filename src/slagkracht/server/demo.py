"""What a fresh platform starts with: the regions, a plan's units in both worlds, and demo accounts for every region."""

from __future__ import annotations

import datetime

import numpy as np
import psycopg

from slagkracht.log import NATIONAL_CHAIN
from slagkracht.plan import Plan
from slagkracht.resources import capability_column
from slagkracht.server.database import WORLDS, Addresses, scope
from slagkracht.server.ledger import share
from slagkracht.sources.facts import read_region_facts

PASSWORD = "slagkracht-demo"
"""The password of every demo account. They are made for a demonstration only, and say so in their names."""

DEMO_ROLES = {"voorzitter": "Voorzitter", "officier": "Officier", "bestuur": "Bestuur", "beleid": "Beleid",
              "beheerder": "Beheerder"}  # fmt: skip
DEMO_NATIONAL = {"actiecentrum": "Actiecentrum", "minister": "LOCC", "rcdv": "RCDV", "veiligheidsberaad": "Beraad",
                 "nipv": "NIPV", "beheerder": "Beheerder LAC"}  # fmt: skip
DEMO_CLASSES = {
    "beheerder": "Geheim",
    **dict.fromkeys(("voorzitter", "officier", "actiecentrum", "minister"), "Vertrouwelijk"),
}
"""Up to which information class a demo role sees, or may let see; Intern where none is named."""


def lay_regions(addresses: Addresses) -> None:
    """Writes the regions and the national action centre, where they are not there yet."""
    regions = read_region_facts().regions
    names = [*zip(regions.code.tolist(), regions.name.tolist()), (NATIONAL_CHAIN, "Landelijk Actiecentrum Brandweer")]
    with psycopg.connect(addresses.owner) as connection, connection.cursor() as cursor:
        cursor.executemany("insert into slagkracht.region (region, name) values (%s, %s) on conflict do nothing", names)


def lay_units(plan: Plan) -> int:
    """Puts the units of a plan at their stations, in both worlds, each by its own region; returns how many are new."""
    region_of = plan.regions.code[plan.stations.region[plan.units.station]]
    capabilities = [
        [name for name in plan.units.capability_names if capability_column(plan.units, name)[row]]
        for row in range(len(plan.units))
    ]
    new = 0
    for world in WORLDS:
        for region in np.unique(region_of).tolist():
            rows = np.flatnonzero(region_of == region).tolist()
            names = plan.units.unit_id[rows].tolist()
            stations = plan.units.station[rows]
            columns = [plan.units.type_code[rows].tolist(), [capabilities[row] for row in rows]]
            columns += [plan.units.crew[rows].tolist(), plan.stations.name[stations].tolist()]
            places = [plan.stations.x_m[stations].tolist(), plan.stations.y_m[stations].tolist()]
            with scope(region, world, "plan") as own, own.connection.cursor() as cursor:
                cursor.executemany(
                    "insert into slagkracht.unit (world, unit_id, region, type_code, capabilities, crew, station) "
                    "values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
                    [(world, name, region, *rest) for name, *rest in zip(names, *columns)],
                )
                new += cursor.rowcount
                cursor.executemany(
                    "insert into slagkracht.unit_place (world, unit_id, region, x_m, y_m, place_at) "
                    "values (%s, %s, %s, %s, %s, %s) on conflict do nothing",
                    [(world, name, region, *place, own.at) for name, *place in zip(names, *places)],
                )
    return new


def lay_accounts(addresses: Addresses, until: datetime.datetime) -> list[str]:
    """Makes the demo accounts that are not there yet, with mandates in both worlds; returns their user names.

    Names are functions, not persons: 'demo-officier-vr06'. Asks for Django to be set up.
    """
    from django.contrib.auth.models import User

    wanted = [
        (f"demo-{role}-{region.lower()}", f"Demo {dutch} {region}", region, role)
        for region in read_region_facts().regions.code.tolist()
        for role, dutch in DEMO_ROLES.items()
    ]
    wanted += [(f"demo-{role}", f"Demo {dutch}", NATIONAL_CHAIN, role) for role, dutch in DEMO_NATIONAL.items()]
    known = set(User.objects.values_list("username", flat=True))
    template = User()
    template.set_password(PASSWORD)  # one slow hash for all: they share one public password anyway
    fresh = [User(username=u, first_name=name, password=template.password) for u, name, *_ in wanted if u not in known]
    User.objects.bulk_create(fresh)
    account = dict(User.objects.values_list("username", "id"))
    with psycopg.connect(addresses.owner) as connection, connection.cursor() as cursor:
        for username, name, region, role in wanted:
            if username in known:
                continue
            give_person(cursor, account[username], region, name)
            for world in WORLDS:
                give_mandate(cursor, account[username], region, role, world, until, DEMO_CLASSES.get(role, "Intern"))
    return [username for username, *_ in wanted]


def give_person(cursor: psycopg.Cursor, account: int, region: str, name: str) -> None:
    """Names the function behind an account. By the owner of the database: nobody names himself."""
    cursor.execute(
        "insert into slagkracht.person (account_id, region, name) values (%s, %s, %s)", (account, region, name)
    )


def give_mandate(
    cursor: psycopg.Cursor,
    account: int,
    region: str,
    role: str,
    world: str,
    until: datetime.datetime,
    information_class: str = "Intern",
) -> None:
    """Lets an account act in ``role`` for ``region`` in one world, until a moment, and see up to a class."""
    cursor.execute(
        "insert into slagkracht.mandate (account_id, region, role, information_class, world, starts_at, until) "
        "values (%s, %s, %s, %s, %s, least(now(), %s - interval '1 second'), %s)",
        (account, region, role, information_class, world, until, until),
    )


def lay_consents(until: datetime.datetime) -> None:
    """Lets every region share the places of its units with the national action centre, where it does not share yet."""
    for world in WORLDS:
        for region in read_region_facts().regions.code.tolist():
            with scope(region, world, "plan") as own:
                if not own.row("select 1 as one from slagkracht.consent where region = %s limit 1", region):
                    share(own, NATIONAL_CHAIN, "plaats", until)


def has_units() -> bool:
    """Whether the platform has units already (in the first region, in the real world)."""
    first = read_region_facts().regions.code[0]
    with scope(str(first), "echt", "plan") as own:
        return own.row("select 1 as one from slagkracht.unit limit 1") is not None
