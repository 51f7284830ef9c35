"""The description of the API: complete, and no request that it allows, or nearly, makes the server fail."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from igmc.config import ServeConfig
from igmc.web.app import make_app
from igmc.web.experiment import Experiment
from igmc.web.service import Service
from tests.web.conftest import FIVE

EXAMPLES = 40  # of each address
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


@pytest.fixture(scope="session")
def described(predictor):
    limits = ServeConfig(timeout=60)
    app = make_app(Experiment.of(Service(predictor, limits)), limits)
    return schemathesis.openapi.from_asgi("/api/openapi.json", app, headers={"Host": "127.0.0.1"})


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "not"])
@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("items", "GET"),
        ("users", "GET"),
        ("similar", "POST"),
        ("recommendations", "POST"),
        ("explanations", "POST"),
    ],
)
def test_no_request_makes_the_server_fail(described, path, method, mode):
    operation = described[f"/api/{path}"][method]
    seen = set()

    @settings(max_examples=EXAMPLES, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case):
        answer = case.call(headers={"Host": "127.0.0.1"})
        case.validate_response(answer, checks=CHECKS)
        seen.add(answer.status_code)

    check()
    assert 200 in seen if method == "GET" and mode is GenerationMode.POSITIVE else seen


def test_each_answer_is_described(client):
    paths = client.get("/api/openapi.json").json()["paths"]
    assert set(paths) == {
        "/api/health",
        "/api/ready",
        "/api/about",
        "/api/items",
        "/api/users",
        "/api/items/named",
        "/api/similar",
        "/api/recommendations",
        "/api/scores",
        "/api/explanations",
    }
    for methods in paths.values():
        for operation in methods.values():
            assert operation["summary"]
            assert operation["description"]
            for answer in operation["responses"].values():
                assert answer["content"]["application/json"]["schema"]["$ref"]
    assert {"200", "404", "413", "422", "503"} <= set(paths["/api/recommendations"]["post"]["responses"])


def test_a_valid_request_is_answered_with_what_was_described(described):
    for path, more in (("recommendations", {}), ("explanations", {"item_id": "f050"})):
        case = described[f"/api/{path}"]["POST"].Case(body={"ratings": FIVE, **more})
        answer = case.call(headers={"Host": "127.0.0.1"})
        case.validate_response(answer, checks=CHECKS)
        assert answer.status_code == 200
