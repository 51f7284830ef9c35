"""Who may ask, and what a browser may do with the answer."""

from __future__ import annotations

import hmac
import ipaddress
import logging
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from igmc.errors import ConfigError
from igmc.web.limits import send_problem

__all__ = ["Guard", "Shield", "check_token", "image_origin", "is_loopback"]

logger = logging.getLogger(__name__)

POSTER_FIELDS = {"item_id", "title", "name", "year"}  # of an item, in the address of its picture
LEAST = 16  # characters of a token
CLOSED = ("/api/", "/metrics")  # asked with the token, if there is one
OPEN = (
    "/api/health",
    "/api/ready",
    "/api/openapi.json",
)  # asked without a token; like the page, they hold nothing private

# The page loads its own script and style and talks to its own server; nothing inline or from elsewhere.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src {images}; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


def image_origin(template: str | None) -> str | None:
    """Where the pictures of a template come from, such as ``https://posters.example``; None without one.

    Raises:
        ConfigError: on an address that is none of http or https, or that is the same for all items.
    """
    if template is None:
        return None
    found = re.fullmatch(r"(https?://[A-Za-z0-9.:\[\]-]+)/\S*", template)
    names = set(re.findall(r"\{(\w+)\}", template))
    if found is None or not names or not names <= POSTER_FIELDS:
        raise ConfigError(
            "this cannot be the URL of posters",
            got=template,
            allowed=f"http:// or https://, a host, and {{{'}, {'.join(sorted(POSTER_FIELDS))}}} in the path",
            remedy="such as https://posters.example/{item_id}.jpg",
        )
    return found[1]


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine only.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_token(host: str, token: str | None) -> None:
    """Whether one may listen on an address with this token.

    Raises:
        ConfigError: if a token is missing where one is needed, or is easily guessed, or cannot be sent.
    """
    if token is None:
        if not is_loopback(host):
            raise ConfigError(
                "an address that other machines reach needs a token",
                got=host,
                allowed="127.0.0.1, ::1 or localhost without one",
                remedy='set IGMC_TOKEN to a secret, such as what "openssl rand -hex 32" prints',
            )
    elif len(token) < LEAST or not all("!" <= c <= "~" for c in token):
        raise ConfigError(
            "the token is too short, or has characters that a header cannot hold",
            allowed=f"at least {LEAST} ASCII letters, digits and signs, without spaces",
        )


class Guard:
    """Lets in who names this server by its own address, and has the token if there is one.

    Without a token any page that somebody opens in a browser on this machine could have its own name point to
    127.0.0.1 and ask in their place ("DNS rebinding"), so that then only the names of this machine will do.
    """

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self.app, self.expected = app, None if token is None else b"bearer " + token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if self.expected is None:
            if not is_loopback(_name(headers.get(b"host", b"").decode("latin-1"))):
                detail = "this server answers to 127.0.0.1, [::1] and localhost only"
                await send_problem(send, 421, detail)
                return
        elif scope["path"].startswith(CLOSED) and scope["path"] not in OPEN:
            kind, _, given = headers.get(b"authorization", b"").partition(b" ")
            if not hmac.compare_digest(kind.lower() + b" " + given.strip(), self.expected):
                detail = "this server requires a token; send the header 'Authorization: Bearer <token>'"
                await send_problem(send, 401, detail, ((b"www-authenticate", b"Bearer"),))
                return
        await self.app(scope, receive, send)


class Shield:
    """Puts the headers for browsers on every answer; an error nobody foresaw is logged, and told as such.

    Args:
        app: what answers.
        images: from where the page may load pictures besides its own server; see `image_origin`.
    """

    def __init__(self, app: ASGIApp, *, images: str | None = None) -> None:
        self.app = app
        policy = _POLICY.format(images=f"'self' {images or ''}".strip())
        self.headers = ((b"content-security-policy", policy.encode()), *_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message = {**message, "headers": [*message.get("headers", ()), *self.headers]}
            await send(message)

        try:
            await self.app(scope, receive, with_headers)
        except Exception:
            if begun or scope["type"] != "http":
                raise
            logger.exception("%s %s failed", scope["method"], scope["path"])
            await send_problem(with_headers, 500, "the server failed; its log says why")


def _name(host: str) -> str:
    """The name in a Host header, without the port; empty if it is none.

    >>> _name("localhost:8000"), _name("[::1]:8000"), _name("127.0.0.1"), _name("[::1].evil.example")
    ('localhost', '::1', '127.0.0.1', '')
    """
    found = re.fullmatch(r"(?:\[([^\[\]]*)\]|([^\[\]:]*))(?::\d*)?", host)
    return (found[1] or found[2] or "") if found else ""
