"""OneChat's REST API as tools read it, made from `miniapp.contract`: OpenAPI 3.1, and a Postman collection."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from ... import contract

bp = Blueprint("openapi", __name__)

_BODY_TYPES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
_ERRORS = {
    400: "A field is missing or wrong; `description` names it",
    401: "The credentials are not good",
    403: "The app is not approved, or may not do this",
    404: "There is no such user, group or domain",
    413: f"The body is longer than {contract.BODY_MAX_BYTES} bytes",
    429: "Too many calls",
}
_FORMS: dict[contract.FieldKind, dict[str, Any]] = {
    "message": {"maxLength": contract.MESSAGE_MAX_BYTES},
    "url": {"format": "uri"},
}


@bp.get("/openapi.json")
def openapi_json() -> Response:
    """Answer with the OpenAPI document."""
    return jsonify(openapi(request.url_root.rstrip("/")))


@bp.get("/postman.json")
def postman_json() -> Response:
    """Answer with the Postman collection."""
    return jsonify(postman(request.url_root.rstrip("/")))


def openapi(server: str) -> dict[str, Any]:
    """Return the OpenAPI document of the REST API at `server`, a URL without path."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "OneChat", "version": "1", "description": "OneChat's REST API, as documented."},
        "servers": [{"url": server + contract.API_PATH}],
        "paths": {f"/{call.name}": {"post": _operation(call)} for call in contract.CALLS.values()},
        "components": {
            "securitySchemes": {
                "apikey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": contract.APIKEY_HEADER,
                    "description": "This is the consumer key of the approved App created in the Developer Portal.",
                }
            },
            "schemas": {"Error": _answer(contract.ERROR)},
        },
    }


def _operation(call: contract.Call) -> dict[str, Any]:
    body = {
        "type": "object",
        "required": [field.name for field in call.fields],
        "properties": {
            field.name: {
                "type": "string",
                "minLength": 1,
                "description": field.description,
                **({"examples": [field.sample]} if field.sample else {}),
                **_FORMS.get(field.kind, {}),
            }
            for field in call.fields
        },
    }
    error = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
    return {
        "operationId": call.name,
        "summary": call.title,
        "description": call.description,
        "security": [{"apikey": []}] if call.keyed else [],
        "requestBody": {"required": True, "content": {kind: {"schema": body} for kind in _BODY_TYPES}},
        "responses": {
            "200": {
                "description": "Done",
                "content": {"application/json": {"schema": _answer(contract.SUCCESS, call.answers)}},
            },
            **{str(status): {"description": text, **error} for status, text in _ERRORS.items()},
        },
    }


def _answer(status: str, answers: tuple[contract.AnswerField, ...] = ()) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "status": {"const": status, "description": "Status"},
        "description": {"type": "string", "description": "Description of the status"},
    }
    for answer in answers:
        values = {"enum": answer.sample.split(", ")} if answer.sample else {"type": "string"}
        properties[answer.name] = {"description": answer.description, **values}
    return {"type": "object", "required": list(properties), "properties": properties}


def postman(server: str) -> dict[str, Any]:
    """Return the calls as a Postman collection (format 2.1), which OneChat's guide has its readers make by hand."""
    return {
        "info": {
            "name": "OneChat",
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "variable": [
            {"key": "baseUrl", "value": server + contract.API_PATH},
            {"key": contract.APIKEY_HEADER, "value": ""},
        ],
        "item": [
            {
                "name": call.name,
                "request": {
                    "method": "POST",
                    "description": call.description,
                    "url": "{{baseUrl}}/" + call.name,
                    "header": [{"key": contract.APIKEY_HEADER, "value": "{{apikey}}"}] if call.keyed else [],
                    "body": {
                        "mode": "urlencoded",
                        "urlencoded": [
                            {"key": field.name, "value": field.sample, "description": field.description}
                            for field in call.fields
                        ],
                    },
                },
            }
            for call in contract.CALLS.values()
        ],
    }
