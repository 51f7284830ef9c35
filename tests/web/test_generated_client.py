"""A client generated from the description of a real server calls each operation, in types of its own."""

import importlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec

import pytest

pytestmark = pytest.mark.skipif(
    find_spec("openapi_python_client") is None, reason="pip install openapi-python-client"
)

TOKEN = "t" * 20


@pytest.fixture(scope="module")
def address(demo_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    command = [sys.executable, "-m", "igmc", "serve", "--run", demo_run, "--run", demo_run, "--port", "0"]
    command += ["--device", "cpu", "--store", folder / "ratings.db"]
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, "IGMC_TOKEN": TOKEN}
        )
    try:
        yield process.stdout.readline().split()[1].rstrip("/")
    finally:
        process.terminate()
        assert process.wait(60) == 0, (folder / "log").read_text()


class Generated:
    """The package of a generated client.

    Attributes:
        called: names of the operations that were called.
    """

    def __init__(self, folder, address, token):
        self.package, self.called = folder.name, set()
        client = self.part("client").AuthenticatedClient(base_url=address, token=token, timeout=60)
        self.client, self.models = client, self.part("models")

    def part(self, name):
        return importlib.import_module(f"{self.package}.{name}")

    def call(self, operation, *path, **more):
        """The status and the answer, which is of a class of the client."""
        self.called.add(operation)
        module = self.part(f"api.default.{operation}")
        answer = module.sync_detailed(*path, client=self.client, **more)
        return int(answer.status_code), answer.parsed

    def made(self, name, **fields):
        """A body of a request."""
        return getattr(self.models, name).from_dict(fields)


@pytest.fixture(scope="module")
def folder(address, tmp_path_factory):
    """Where the client is generated; a warning would mean that it lacks something."""
    place = tmp_path_factory.mktemp("client")
    description = urllib.request.urlopen(f"{address}/api/openapi.json", timeout=60).read()
    (place / "openapi.json").write_bytes(description)
    (place / "config.yml").write_text("post_hooks: []\n")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    command += ["--path", "openapi.json", "--config", "config.yml", "--output-path", "igmc_client"]
    done = subprocess.run(
        [*command, "--fail-on-warning"], cwd=place, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return place / "igmc_client"


@pytest.fixture
def client(folder, address, monkeypatch):
    monkeypatch.syspath_prepend(str(folder.parent))
    return Generated(folder, address, TOKEN)


def test_each_operation_is_called_and_answered_in_its_types(client, folder):
    models = client.models
    assert client.call("health")[1].arms == ["A", "B"]
    about = client.call("about")[1]
    assert isinstance(about, models.About)
    assert about.stores
    first, second, *_ = client.call("items", limit=5)[1].items
    item = first.item_id
    assert client.call("named", body=client.made("NamedItems", item_ids=[item]))[1].items[0] == first
    assert client.call("similar", body=client.made("SimilarRequest", item_id=item))[1].item == first

    rated = [{"item_id": one.item_id, "rating": 4} for one in (first, second)]
    status, stored = client.call("rate", "9001", body=client.made("UserRatings", ratings=rated))
    assert (status, stored.entries) == (200, 2)
    body = client.made("StoredRatings", ratings=[{"user_id": 9002, "item_id": "n1", "rating": 5}])
    body.items = [client.made("NewItem", item_id="n1", title="New", genres=["Drama"])]
    assert client.call("append", body=body)[1].entries == 2
    described = client.call("describe", "n2", body=client.made("Described", title="Newer", year=2026))[1]
    end = time.monotonic() + 60
    while client.call("ready")[1].position < described.position:
        assert time.monotonic() < end
        time.sleep(0.05)

    assert client.call("users", q="900")[1].users[0].ratings > 0
    listed = client.call("recommendations", body=client.made("ListRequest", user_id=9001, k=3))[1]
    assert isinstance(listed, models.ListAnswer)
    assert [one.rank for one in listed.items] == [1, 2, 3]
    assert listed.arm in ("A", "B")
    asked = client.made("ScoreRequest", item_ids=["n1", item], ratings=rated)
    scores = client.call("scores", body=asked, visitor_id="somebody")[1]
    assert [one.item_id for one in scores.scores] == ["n1", item]
    again = client.call("scores", body=asked, visitor_id="somebody")[1]
    assert again == scores
    why = client.call("explanations", body=client.made("ExplanationRequest", user_id=9001, item_id=item))[1]
    assert isinstance(why, models.ExplanationAnswer)

    assert client.call("delete", "9001", item, idempotency_key="a key")[1].repeated is False
    assert client.call("delete", "9001", item, idempotency_key="a key")[1].repeated is True
    assert client.call("erase", "9001")[1].entries == 1
    operations = {path.stem for path in (folder / "api" / "default").glob("*.py")} - {"__init__"}
    assert client.called == operations


def test_what_is_refused_is_answered_as_a_problem(client, address, folder):
    body = client.made("ListRequest", user_id="nobody")
    status, problem = client.call("recommendations", body=body)
    assert status == 404
    assert isinstance(problem, client.models.Problem)
    assert "no such user" in problem.detail
    other = Generated(folder, address, "x" * 20)
    assert other.call("about") == (401, other.models.Problem(detail=other.call("about")[1].detail))


def test_a_wrong_body_does_not_pass_the_declaration_that_the_client_was_made_from(address):
    request = urllib.request.Request(
        f"{address}/api/recommendations",
        json.dumps({"user_id": 1, "count": 3}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"},
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=60)
    assert caught.value.code == 422
    assert "count" in json.load(caught.value)["detail"]
