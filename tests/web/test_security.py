"""Who may ask, and what a browser may do with the answer."""

import logging
import re
from pathlib import Path

import pytest

import igmc.web
from igmc.errors import ConfigError
from igmc.web.security import check_token, image_origin, is_loopback
from igmc.web.service import Service

TOKEN = "0123456789abcdef"
STATIC = Path(igmc.web.__file__).parent / "static"


class BrokenService(Service):
    def search(self, words, limit, telling, deadline):
        raise RuntimeError("secret of the house")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/app.js",
        "/graph.js",
        "/style.css",
        "/icon.svg",
        "/api/about",
        "/api/nothing",
        "/api/items?limit=0",
    ],
)
def test_every_answer_tells_the_browser_what_it_may_do(client, path):
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_the_page_keeps_to_its_policy():
    html = (STATIC / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|<style|\sstyle=|javascript:", html)
    for name in ("index.html", "app.js", "graph.js", "style.css"):
        text = (STATIC / name).read_text()
        addresses = set(re.findall(r"\w+://[\w.-]+", text))
        assert addresses <= {"http://www.w3.org"}  # names the language of drawings, and is never asked
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|localStorage", text
        )


def test_an_error_nobody_foresaw_is_logged_and_not_told(make_client, caplog):
    client = make_client(service=BrokenService)
    with caplog.at_level(logging.ERROR, "igmc.web"):
        answer = client.get("/api/items")
    assert answer.status_code == 500
    assert answer.json() == {"detail": "the server failed; its log says why"}
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "secret of the house" in caplog.text


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost:8000", "[::1]:8000", "LOCALHOST"])
def test_without_a_token_the_server_answers_under_the_names_of_this_machine(client, host):
    assert client.get("/api/about", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["example.com", "127.0.0.1.example.com", "example.com:8000", "", "10.0.0.1", "[::2]"]
)
def test_and_under_no_other(client, host):
    answer = client.get("/api/about", headers={"host": host})
    assert answer.status_code == 421
    assert "localhost only" in answer.json()["detail"]


@pytest.mark.parametrize(
    "header",
    [
        *(None, "", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}"),
        *(TOKEN, f"Bearer {TOKEN}0", f"Bearer {TOKEN[:-1]}", "Bearer \xff"),
    ],
)
@pytest.mark.parametrize(
    "path", ["/api/about", "/api/items", "/api/recommendations", "/api/explanations", "/api/x"]
)
def test_with_a_token_the_api_is_closed_to_who_does_not_have_it(make_client, header, path):
    client = make_client(token=TOKEN)
    answer = client.get(path, headers={} if header is None else {"authorization": header.encode("latin-1")})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert TOKEN not in answer.text


def test_and_open_to_who_has_it_under_any_name(make_client):
    client = make_client(token=TOKEN)
    for kind in ("Bearer", "bearer"):
        headers = {"authorization": f"{kind} {TOKEN}", "host": "films.example.com"}
        assert client.get("/api/about", headers=headers).status_code == 200
    for path in ("/", "/app.js", "/api/health"):
        assert client.get(path).status_code == 200
    schemes = client.get("/api/openapi.json").json()["components"]["securitySchemes"]
    assert schemes["HTTPBearer"]["scheme"] == "bearer"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_this_machine_needs_no_token(host):
    assert is_loopback(host)
    check_token(host, None)
    check_token(host, TOKEN)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "example.com", ""])
def test_any_other_address_needs_one(host):
    check_token(host, TOKEN)
    with pytest.raises(ConfigError, match=r"needs a token.*IGMC_TOKEN"):
        check_token(host, None)


@pytest.mark.parametrize("token", ["", "short", "0123456789 abcdef", "0123456789abcdéf", "0123456789abcde\n"])
def test_a_token_that_is_guessed_or_cannot_be_sent_is_refused(token):
    with pytest.raises(ConfigError, match="at least 16"):
        check_token("127.0.0.1", token)


def test_pictures_may_come_from_where_the_operator_says(make_client):
    client = make_client(poster_url="https://posters.example/w92/{item_id}.jpg")
    policy = client.get("/").headers["content-security-policy"]
    assert "img-src 'self' https://posters.example;" in policy
    assert client.get("/api/about").json()["poster_url"] == "https://posters.example/w92/{item_id}.jpg"
    plain = make_client()
    assert "img-src 'self';" in plain.get("/").headers["content-security-policy"]
    assert plain.get("/api/about").json()["poster_url"] == ""


@pytest.mark.parametrize(
    "template",
    ["posters.example/{item_id}", "https://posters.example/all.jpg", "https://a.example/{user}", "ftp://a/{title}",
     "https://a.example; script-src */{item_id}"],
)  # fmt: skip
def test_addresses_that_cannot_be_those_of_posters_are_refused(template):
    with pytest.raises(ConfigError, match="cannot be the URL of posters"):
        image_origin(template)
