"""Verifies a log without the platform: any changed, removed, reordered or cut-off entry shows.

One file, nothing but Python 3.11: copy it to any machine.

    python verify_log.py LOG.jsonl [CHECKPOINTS.jsonl [KEYS.json]]

LOG.jsonl has one entry per line, of one chain or of many; CHECKPOINTS.jsonl one signed checkpoint per line, as regions
exchange them (beside the log of one chain, those of other chains are passed over and counted); KEYS.json the public
key (hex, Ed25519) of each chain, as you got it from the region itself. Without
KEYS.json a checkpoint proves only what its own key says. Exit code 0 = nothing found, 1 = findings, 2 = unreadable.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Collection
from typing import Any

GENESIS = "0" * 64
FIELDS = {
    "event_id", "chain", "number", "kind", "happened_at", "recorded_at", "actor", "body", "previous_hash", "hash",
}  # fmt: skip
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
"""How a moment is written: in UTC, so that moments compare as texts do."""


def canonical(record: dict[str, Any]) -> str:
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def verify(log: str, checkpoints: str = "", keys: dict[str, str] | None = None) -> list[str]:
    """Every finding, as a Dutch sentence; empty when the log is whole and every checkpoint holds."""
    findings: list[str] = []
    chains: dict[str, list[dict[str, Any]]] = {}
    if log and not log.endswith("\n"):
        findings.append("het logboek eindigt midden in een regel")
    for row, line in enumerate(log.split("\n"), start=1):
        if not line and row == log.count("\n") + 1:
            continue
        try:
            record = json.loads(line)
            whole = isinstance(record, dict) and set(record) == FIELDS and canonical(record) == line
            whole = whole and isinstance(record["chain"], str) and type(record["number"]) is int
            whole = whole and all(re.fullmatch(MOMENT, str(record[name])) for name in ("happened_at", "recorded_at"))
        except (ValueError, RecursionError):
            whole = False
        if not whole:
            findings.append(f"regel {row}: geen logboekregel in de vastgelegde schrijfwijze: {line[:60]!r}")
            continue
        chain = chains.setdefault(record["chain"], [])
        findings += [f"regel {row} ({record['event_id']}): {what}" for what in check_entry(record, chain)]
        chain.append(record)
    others = 0
    signed: dict[tuple[str, int], set[str]] = {}
    for row, line in enumerate(checkpoints.splitlines(), start=1):
        if is_of_another(line, chains):
            others += 1
            continue
        found, point = check_checkpoint(line, chains, keys)
        findings += [f"controlepunt {row}: {what}" for what in found]
        if point is not None:
            signed.setdefault((point["chain"], point["number"]), set()).add(point["hash"])
    findings += [
        f"{chain} tekende twee geschiedenissen voor nr. {number}"
        for (chain, number), hashes in sorted(signed.items())
        if len(hashes) > 1
    ]
    if others and not signed and not findings:
        (own,) = chains
        findings.append(
            f"alle {others} controlepunten gaan over andere logboeken, geen over {own}: "
            "of dit logboek is afgekapt of herschreven, is hiermee niet te zien"
        )
    return findings


def proven(log: str, checkpoints: str) -> list[str]:
    """How far checkpoints prove each chain of a log in which nothing was found: what was cut off after, nobody sees."""
    length: dict[str, int] = {}
    for line in log.split("\n")[:-1]:
        length[json.loads(line)["chain"]] = json.loads(line)["number"]
    last: dict[str, int] = {}
    for line in checkpoints.splitlines():
        point = json.loads(line)
        last[point["chain"]] = max(point["number"], last.get(point["chain"], 0))
    told = []
    for chain, number in sorted(length.items()):
        if chain not in last:
            told.append(f"{chain}: geen controlepunt; of er aan het eind iets ontbreekt, is niet te zien")
        elif last[chain] < number:
            told.append(
                f"{chain}: getekend tot en met nr. {last[chain]}; of er na nr. {number} iets ontbreekt, is niet te zien"
            )
    return told


def is_of_another(line: str, chains: Collection[str]) -> bool:
    """Whether a checkpoint speaks of another chain than the only one that the log holds."""
    try:
        return len(chains) == 1 and json.loads(line)["chain"] not in chains
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def check_entry(record: dict[str, Any], before: list[dict[str, Any]]) -> list[str]:
    """What is wrong with an entry, given the entries before it in its chain."""
    findings = []
    expected = before[-1]["number"] + 1 if before else 1
    if record["number"] != expected:
        findings.append(f"hier hoort nr. {expected} te staan: weggelaten of verplaatst")
    if record["event_id"] != f"{record['chain']}-{record['number']}":
        findings.append("het kenmerk past niet bij de plaats")
    if record["previous_hash"] != (before[-1]["hash"] if before else GENESIS):
        findings.append("sluit niet aan op het vorige feit")
    unsealed = {name: value for name, value in record.items() if name != "hash"}
    if record["hash"] != hashlib.sha256(canonical(unsealed).encode()).hexdigest():
        findings.append("de inhoud is na het vastleggen gewijzigd")
    if before and record["recorded_at"] < before[-1]["recorded_at"]:
        findings.append("is eerder vastgelegd dan het feit ervoor")
    return findings


def check_checkpoint(
    line: str, chains: dict[str, list[dict[str, Any]]], keys: dict[str, str] | None
) -> tuple[list[str], dict[str, Any] | None]:
    """What is wrong with a signed checkpoint, or with the log that it speaks of; and what it says, where signed."""
    try:
        signed = json.loads(line)
        point = {name: signed[name] for name in ("chain", "number", "hash", "at")}
        if not isinstance(point["chain"], str) or type(point["number"]) is not int or point["number"] < 1:
            raise ValueError(line)
        key, signature = bytes.fromhex(signed["key"]), bytes.fromhex(signed["signature"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return [f"geen controlepunt: {line[:60]!r}"], None
    message = b"slagkracht-checkpoint-1\n" + canonical(point).encode()
    if keys is not None and keys.get(point["chain"]) != key.hex():
        return [f"niet getekend met de sleutel van {point['chain']}"], None
    if not is_signed(key, message, signature):
        return ["de handtekening klopt niet"], None
    chain = chains.get(point["chain"], [])
    if len(chain) < point["number"]:
        what = f"{point['chain']} is afgekapt: op {point['at']} waren er {point['number']} feiten, nu {len(chain)}"
        return [what], point
    if chain[point["number"] - 1]["hash"] != point["hash"]:
        return [f"{point['chain']} nr. {point['number']}: een andere geschiedenis dan getekend op {point['at']}"], point
    return [], point


# Ed25519, RFC 8032 section 5.1.7, written out so that nothing needs to be installed.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]


def add(a: Point, b: Point) -> Point:
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    return (f - e) * (d - c) % P, (d + c) * (f + e) % P, (d - c) * (d + c) % P, (f - e) * (f + e) % P


def multiply(factor: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            total = add(total, point)
        point, factor = add(point, point), factor >> 1
    return total


def decompress(encoded: bytes) -> Point | None:
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    x_squared = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x_squared, (P + 3) // 8, P)
    if (x * x - x_squared) % P:
        x = x * SQRT_M1 % P
    if (x * x - x_squared) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` (64 bytes) over ``message`` was made with the secret half of ``key`` (32 bytes)."""
    if len(key) != 32 or len(signature) != 64:
        return False
    base = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    public, r = decompress(key), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if base is None or public is None or r is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    left, right = multiply(s, base), add(r, multiply(h, public))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def main(arguments: list[str]) -> int:
    if not 1 <= len(arguments) <= 3:
        print(__doc__)
        return 2
    try:
        texts = []
        for path in arguments:
            with open(path, encoding="utf-8", newline="") as file:
                texts.append(file.read())
        keys = json.loads(texts[2]) if len(texts) > 2 else None
    except (OSError, ValueError) as error:
        print(f"onleesbaar: {error}")
        return 1 if isinstance(error, UnicodeDecodeError) else 2
    log, points = texts[0], texts[1] if len(texts) > 1 else ""
    findings = verify(log, points, keys)
    chains = set() if findings else {json.loads(line)["chain"] for line in log.split("\n")[:-1]}
    others = sum(is_of_another(line, chains) for line in points.splitlines())
    checked = f"; {len(points.splitlines()) - others} controlepunten kloppen" if points else ""
    checked += f", {others} gaan over andere logboeken" if others else ""
    print(
        "\n".join(findings)
        or f"in orde: {log.count(chr(10))} feiten, niets gewijzigd, weggelaten of verplaatst{checked}"
    )
    if not findings:
        print("".join(f"{what}\n" for what in proven(log, points)), end="")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
