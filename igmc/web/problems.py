"""What goes wrong, as answers: statuses, what they mean, and from which errors they come."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from igmc.errors import IgmcError
from igmc.live import DatabaseAwayError, KeyReusedError
from igmc.web import schemas
from igmc.web.limits import RETRY_AFTER, BusyError, LateError
from igmc.web.service import UnknownIdError

__all__ = ["described", "tell_problems"]

_AGAIN = {"Retry-After": str(RETRY_AFTER)}
_MEANINGS = {
    400: "The body cannot be read.",
    401: "The token is missing or wrong.",
    404: "There is no such user or item.",
    408: "The body did not arrive in time.",
    409: "The Idempotency-Key was used for a different request.",
    413: "The body is too large.",
    421: "The request names a host that is not this server.",
    422: "Something in the request is not allowed; the detail says what.",
    503: "The server is busy, or cannot store now: try again after `Retry-After` seconds.",
}


def described(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The answers with these statuses, for the description of an address."""
    return {code: {"model": schemas.Problem, "description": _MEANINGS[code]} for code in codes}


def tell_problems(app: FastAPI) -> None:
    """Let an application answer errors as a `igmc.web.schemas.Problem`."""
    app.add_exception_handler(IgmcError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    for kind_of_error in (BusyError, LateError):
        app.add_exception_handler(kind_of_error, _on_busy)


def _problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"detail": detail}, status, headers)


async def _on_error(request: Request, error: Exception) -> Response:
    if isinstance(error, DatabaseAwayError):
        detail = "ratings cannot be stored now; try again with the same Idempotency-Key"
        return _problem(503, detail, _AGAIN)
    known = ((UnknownIdError, 404), (KeyReusedError, 409))
    status = next((status for kind, status in known if isinstance(error, kind)), 422)
    return _problem(status, str(error))


async def _on_invalid(request: Request, error: Exception) -> Response:
    # What was sent is not sent back: it need not even be JSON (NaN), nor text that can be written (half of a
    # surrogate pair).
    kind = request.headers.get("content-type", "")
    if request.headers.get("content-length", "0") != "0" and "json" not in kind:
        return _problem(422, "the body is not declared to be JSON; hint: send Content-Type: application/json")
    found = error.errors() if isinstance(error, RequestValidationError) else []
    said = dict.fromkeys(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in found[:5])
    detail = "; ".join(said).encode("ascii", "backslashreplace").decode()
    return _problem(422, detail)


async def _on_http(request: Request, error: Exception) -> Response:
    status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    detail = str(error.detail) if isinstance(error, HTTPException) else ""
    if status == 405:
        detail = f"this address does not take {request.method}; allowed: {(headers or {}).get('Allow', '')}"
    if status == 404:
        detail = "there is nothing at this address; /api/openapi.json describes the API"
    return _problem(status, detail, dict(headers or {}))


async def _on_busy(request: Request, error: Exception) -> Response:
    late = "the answer took too long; ask for less, or try again"
    return _problem(503, late if isinstance(error, LateError) else "the server is busy; try again", _AGAIN)
