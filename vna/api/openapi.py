"""The OpenAPI 3.1 document of /api/v1, made from the operations themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence

from vna.api.endpoint import Endpoint, Nothing, Operation, Upload
from vna.api.schema import Schema, Schemas, is_required, members_of
from vna.http.answer import Answer

_TEXT = {"type": "string"}
PROBLEM = {
    "type": "object",
    "properties": {
        "type": _TEXT,
        "status": {"type": "integer"},
        "code": _TEXT,
        "detail": _TEXT,
    },
    "required": ["type", "status", "code", "detail"],
}


def document(operations: Sequence[Operation], *, root: str, server_url: str) -> Schema:
    """The document of `operations`, whose paths lie below `server_url` + `root`."""
    schemas = Schemas()
    schemas.components["Problem"] = PROBLEM
    paths: dict[str, Schema] = {}
    for each in operations:
        path = root + each.path.replace(":rest}", "}")
        paths.setdefault(path, {})[each.method.lower()] = _operation(each, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Archive", "version": "1"},
        "servers": [{"url": server_url}],
        "paths": paths,
        "components": {"schemas": schemas.components},
    }


def _operation(operation: Operation, schemas: Schemas) -> Schema:
    summary, _, description = (inspect.getdoc(operation.handle) or "").partition("\n")
    found: Schema = {
        "operationId": operation.handle.__name__,
        "summary": summary,
        "parameters": [*_path_parameters(operation), *_query_parameters(operation, schemas)],
        "responses": _responses(operation, schemas),
    }
    if description.strip():
        found["description"] = " ".join(description.split())
    if isinstance(operation, Upload):
        found["requestBody"] = {"required": True, "content": {"*/*": {}}}
    elif operation.body is not Nothing:
        schema = schemas.of(operation.body)
        found["requestBody"] = {"required": True, "content": {"application/json": _as(schema)}}
    return found


def _path_parameters(operation: Operation) -> list[Schema]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _TEXT}
        for name in re.findall(r"\{(\w+)", operation.path)
    ]


def _query_parameters(operation: Operation, schemas: Schemas) -> list[Schema]:
    return [
        {"name": name, "in": "query", "required": is_required(field), "schema": schemas.of(hint)}
        for name, (field, hint) in members_of(operation.query).items()
    ]


def _responses(operation: Operation, schemas: Schemas) -> Schema:
    failed = {
        "description": "What went wrong (RFC 9457); `code` is stable.",
        "content": {"application/problem+json": _as({"$ref": "#/components/schemas/Problem"})},
    }
    if operation.result is None:
        return {"204": {"description": "Done."}, "default": failed}
    schema = {} if operation.result is Answer else schemas.of(operation.result)
    media_type = operation.media_type if isinstance(operation, Endpoint) else "application/json"
    done = {"description": "Done.", "content": {media_type: _as(schema)}}
    return {str(operation.status): done, "default": failed}


def _as(schema: Schema) -> Schema:
    return {"schema": schema}
