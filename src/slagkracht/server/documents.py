"""Documents as they were made: kept once, with their hash in the log, and given only to whom they are for."""

from __future__ import annotations

import hashlib
import secrets

from slagkracht.server.database import Row, Scope
from slagkracht.server.journal import record
from slagkracht.server.ledger import NotFoundError

PDF = "application/pdf"


def keep_document(
    scope: Scope, name: str, content: bytes, media_type: str, request: str, audience: list[str], with_request: bool
) -> str:
    """Keeps a document of the acting region and tells its hash to ``audience``; returns its id.

    ``with_request`` lets everyone see it who may see the request, also those who are asked later.
    """
    document = f"S-{scope.region}-{secrets.token_hex(5)}"
    digest = hashlib.sha256(content).hexdigest()
    scope.insert(
        "document",
        document_id=document,
        region=scope.region,
        audience=sorted(set(audience) - {scope.region}),
        request_id=request,
        with_request=with_request,
        name=name,
        media_type=media_type,
        sha256=digest,
        content=content,
        made_by=scope.actor,
        made_at=scope.at,
    )
    told = {"document": document, "name": name, "sha256": digest, "request": request}
    record(scope, "document_made", told, audience)
    return document


def list_documents(scope: Scope, request: str) -> list[Row]:
    """The documents of a request that the acting region may see, in order of making, without their content."""
    return scope.rows(
        "select document_id, region, name, media_type, sha256, made_by, made_at, length(content) as bytes "
        "from slagkracht.document where request_id = %s order by made_at, name",
        request,
    )


def read_document(scope: Scope, document: str) -> Row:
    """A document with its content. Raises NotFoundError, also where it is not for who asks."""
    row = scope.row("select * from slagkracht.document where document_id = %s", document)
    if row is None:
        raise NotFoundError("dit stuk is hier niet bekend")
    return row
