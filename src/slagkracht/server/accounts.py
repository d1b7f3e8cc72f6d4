"""Accounts of a platform without a provider of identities, made by who keeps the machine, with a code from an app."""

from __future__ import annotations

import datetime
import secrets
from dataclasses import dataclass

import psycopg

from slagkracht.server.database import Addresses
from slagkracht.server.demo import give_person
from slagkracht.server.handover import name_first_admin


@dataclass(frozen=True)
class Account:
    """What is shown once, to hand over: the password, and the address that gives an app its codes ("" = no app)."""

    username: str
    password: str
    app: str


def make_account(
    addresses: Addresses,
    username: str,
    region: str,
    name: str,
    admin_until: datetime.datetime | None = None,
    with_app: bool = True,
) -> Account:
    """Makes an account of ``region`` for the function ``name``, or gives one that is there a new password and app.

    ``admin_until`` makes it the region's administrator, who gives all further mandates on screen. Whoever was logged in
    with it no longer is. Asks for Django to be set up. Raises ValueError, in Dutch, for what cannot be.
    """
    from axes.utils import reset
    from django.contrib.auth.models import User
    from django_otp.plugins.otp_static.models import StaticDevice
    from django_otp.plugins.otp_totp.models import TOTPDevice

    if not username.strip() or not name.strip():
        raise ValueError("een account heeft een gebruikersnaam en de naam van een functie")
    with psycopg.connect(addresses.owner) as owner:
        known = [row[0] for row in owner.execute("select region from slagkracht.region order by region").fetchall()]
        if region not in known:
            raise ValueError(f"regio {region!r}: kies uit {', '.join(known)}")
    user = User.objects.filter(username=username).first()
    fresh = user is None
    if user is None:
        user = User(username=username, first_name=name)
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    with psycopg.connect(addresses.owner) as owner, owner.cursor() as cursor:
        if not fresh:
            row = cursor.execute("select region from slagkracht.person where account_id = %s", (user.pk,)).fetchone()
            if row is not None and row[0] != region:
                raise ValueError(f"account {username} is van {row[0]}, niet van {region}")
        user.save()
        if fresh or row is None:
            give_person(cursor, user.pk, region, name)
    if admin_until is not None:
        name_first_admin(addresses, user.pk, region, admin_until)
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
    device = TOTPDevice.objects.create(user=user, name="app") if with_app else None
    reset(username=username)
    return Account(username, password, device.config_url if device is not None else "")
