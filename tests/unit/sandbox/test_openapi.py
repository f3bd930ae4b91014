"""The REST API's descriptions for tools, and Schemathesis, which drives the sandbox by one of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings, strategies
from schemathesis import GenerationMode

from miniapp import contract
from miniapp.sandbox import SandboxConfig, create_sandbox, sandbox_of
from miniapp.sandbox.web.openapi import openapi, postman

pytestmark = pytest.mark.slow

# Five operations, good and bad: the 10,000 requests that a release needs; every commit makes a tenth of them.
EXAMPLES = 1000 if os.environ.get("HYPOTHESIS_PROFILE") == "ci" else 100
CHECKS = [
    schemathesis.checks.not_a_server_error,
    schemathesis.checks.status_code_conformance,
    schemathesis.checks.content_type_conformance,
    schemathesis.checks.response_schema_conformance,
]


@pytest.fixture(scope="module")
def sandbox_app() -> Flask:
    app = create_sandbox(SandboxConfig(trusted_hosts=("localhost",)))
    yield app
    sandbox_of(app).close()


@pytest.fixture(scope="module")
def key(sandbox_app: Flask) -> str:
    host = sandbox_of(sandbox_app)
    admin = next(user.jid for user in host.store.users.all() if user.admin)
    return host.register(name="Fuzz", icon="https://a.example/i.png", url="https://a.example/", admin=admin).api_key


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("call", contract.CALLS)
def test_whatever_is_sent_the_answer_is_a_documented_one(
    call: str, mode: GenerationMode, sandbox_app: Flask, key: str, record_property: Callable[[str, object], None]
):
    """Schemathesis' requests, good and bad, with the key and without, get documented answers and never a 500."""
    schema = schemathesis.openapi.from_wsgi("/openapi.json", sandbox_app)
    statuses = Counter()

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=schema[f"/{call}"]["POST"].as_strategy(generation_mode=mode), with_key=strategies.booleans())
    def drive(case: schemathesis.Case, with_key: bool) -> None:
        response = case.call(headers={"apikey": key} if with_key else {})
        statuses[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    drive()
    record_property("generated", statuses.total())
    assert statuses[400] + statuses[401]


def test_the_document_has_every_call_and_field():
    """OpenAPI names all of the contract, with the header where the contract has it."""
    document = openapi("http://onechat.localhost")
    assert set(document["paths"]) == {f"/{name}" for name in contract.CALLS}
    for call in contract.CALLS.values():
        operation = document["paths"][f"/{call.name}"]["post"]
        for content in operation["requestBody"]["content"].values():
            assert content["schema"]["required"] == [field.name for field in call.fields]
        assert operation["security"] == ([{"apikey": []}] if call.keyed else [])


def test_the_collection_has_every_call():
    """Postman's collection has a request for each call, its samples filled in."""
    collection = postman("http://onechat.localhost")
    assert [item["name"] for item in collection["item"]] == list(contract.CALLS)
    assert {
        "key": "jid",
        "value": "6581234567@onechat.net",
        "description": "The jid of the specific user",
    } in collection["item"][1]["request"]["body"]["urlencoded"]
