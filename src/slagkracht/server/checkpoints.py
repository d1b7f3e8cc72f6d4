"""Signed checkpoints: every region signs how long its log is, and holds what the others signed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from slagkracht.server.database import WORLDS, Row, Scope, scope
from slagkracht.server.journal import sign_checkpoint
from slagkracht.server.ledger import LedgerError
from slagkracht.server.verify_log import canonical, is_signed

FIELDS = ("chain", "number", "hash", "at", "key", "signature")


def read_key(folder: Path, region: str, world: str) -> Ed25519PrivateKey:
    """The key with which a region signs in one world; made at its first use, readable by its owner alone."""
    path = folder / f"{region}-{world}.key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(Ed25519PrivateKey.generate().private_bytes_raw().hex(), encoding="ascii")
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text(encoding="ascii")))


def sign_new(own: Scope, key: Ed25519PrivateKey) -> dict[str, Any] | None:
    """Signs the acting region's log where it grew since its last checkpoint; None where it did not.

    The first time, the public key is told to all. Raises LedgerError when the region signs with another key than it
    told: who holds its checkpoints could not tell it from a forger.
    """
    public = key.public_key().public_bytes_raw().hex()
    known = own.row("select key from slagkracht.region_key where region = %s", own.region)
    if known is None:
        own.insert("region_key", region=own.region, key=public)
    elif known["key"] != public:
        raise LedgerError(f"{own.region} tekende met een andere sleutel dan nu is gegeven; zet de oude sleutel terug")
    grew = own.row(
        "select coalesce((select max(number) from slagkracht.event where world = %s and chain = %s), 0) > "
        "coalesce((select max(number) from slagkracht.checkpoint where chain = %s), 0) as yes",
        own.world,
        own.region,
        own.region,
    )
    return sign_checkpoint(own, key) if grew and grew["yes"] else None


def hold(own: Scope, signed: dict[str, Any]) -> bool:
    """Holds a checkpoint of another region; False when it was held already.

    Raises LedgerError when it was not signed with that region's key, or contradicts one that is held: the same place in
    the same log with another hash.
    """
    known = own.row("select key from slagkracht.region_key where region = %s", signed["chain"])
    if known is None or known["key"] != signed["key"]:
        raise LedgerError(f"controlepunt van {signed['chain']}: niet getekend met de sleutel die {signed['chain']} gaf")
    point = {name: signed[name] for name in ("chain", "number", "hash", "at")}
    message = b"slagkracht-checkpoint-1\n" + canonical(point).encode()
    if not is_signed(bytes.fromhex(signed["key"]), message, bytes.fromhex(signed["signature"])):
        raise LedgerError(f"controlepunt van {signed['chain']} nr. {signed['number']}: de handtekening klopt niet")
    before = own.row(
        "select hash from slagkracht.held_checkpoint where chain = %s and number = %s",
        signed["chain"],
        signed["number"],
    )
    if before is None:
        own.insert("held_checkpoint", region=own.region, **{name: signed[name] for name in FIELDS})
    elif before["hash"] != signed["hash"]:
        raise LedgerError(f"{signed['chain']} tekende twee geschiedenissen voor nr. {signed['number']}")
    return before is None


def exchange(own: Scope) -> int:
    """Takes over the newest checkpoint of every other region that shows one; returns how many are new."""
    newest = own.rows(
        "select distinct on (c.chain) c.chain, c.number, c.hash, c.at, c.key, c.signature from slagkracht.checkpoint c "
        "where c.chain <> %s and not exists (select 1 from slagkracht.held_checkpoint h "
        "where h.chain = c.chain and h.number >= c.number) order by c.chain, c.number desc",
        own.region,
    )
    return sum(hold(own, row) for row in newest)


def read_held(own: Scope) -> str:
    """What the acting region holds of others, and others of it, as JSON lines for ``verify_log.py``."""
    rows = own.rows(
        "select distinct chain, number, hash, at, key, signature from slagkracht.held_checkpoint order by 1, 2"
    )
    return "".join(json.dumps(row) + "\n" for row in rows)


def read_exchanged(own: Scope) -> list[Row]:
    """Who holds whose newest checkpoint, as far as the acting region has a part in it: holder, log, number."""
    return own.rows(
        "select distinct on (chain = slagkracht.own(), chain, region) region, chain, number, at::timestamptz as at, "
        "received_at from slagkracht.held_checkpoint "
        "order by chain = slagkracht.own() desc, chain, region, number desc"
    )


def read_public_keys(own: Scope) -> dict[str, str]:
    """The public key of every log, as ``verify_log.py`` takes it."""
    return {row["region"]: row["key"] for row in own.rows("select region, key from slagkracht.region_key")}


def sign_and_exchange(keys: Path) -> int:
    """One round for all regions in both worlds: each signs its log, then each takes over the others'.

    ``keys`` is the folder of private keys. Returns how many logs were signed.
    """
    signed = 0
    for world in WORLDS:
        regions = [row["region"] for row in _all_regions(world)]
        for region in regions:
            with scope(region, world, "controlepunten") as own:
                if own.row(
                    "select 1 as one from slagkracht.event where world = %s and chain = %s limit 1", world, region
                ):
                    signed += sign_new(own, read_key(keys, region, world)) is not None
        for region in regions if signed else ():
            with scope(region, world, "controlepunten") as own:
                exchange(own)
    return signed


def _all_regions(world: str) -> list[Row]:
    with scope("LAC", world, "controlepunten") as own:
        return own.rows("select region from slagkracht.region order by region")
