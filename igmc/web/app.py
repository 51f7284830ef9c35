"""The web application: the JSON API over a `Service`, and the page that uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

from igmc import __version__
from igmc.config import ServeConfig
from igmc.errors import IgmcError
from igmc.web import schemas
from igmc.web.limits import RETRY_AFTER, BodyLimit, BusyError, Gate, LateError
from igmc.web.security import Guard, Shield
from igmc.web.service import Service, UnknownIdError

__all__ = ["make_app"]

T = TypeVar("T")

_STATIC = Path(__file__).parent / "static"
_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/app.js": ("app.js", "text/javascript; charset=utf-8"),
    "/graph.js": ("graph.js", "text/javascript; charset=utf-8"),
    "/style.css": ("style.css", "text/css; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_AGAIN = {"Retry-After": str(RETRY_AFTER)}
_DESCRIPTION = """Recommendations and their reasons, for anyone, from a few ratings and at once.

Nothing is trained, and nothing that is sent is kept. Ids are those of the data; whole numbers and texts are
different ids. Where a request is turned away because the server is busy (503), `Retry-After` says in how many
seconds to come again."""


def _problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    meanings = {
        400: "The body cannot be read.",
        401: "The token is missing or wrong.",
        404: "There is no such user or item.",
        408: "The body did not arrive in time.",
        413: "The body is too large.",
        421: "The server was asked under a name that is not its own.",
        422: "Something in the request is not allowed; the detail says what is.",
        503: "The server is busy: come again after `Retry-After` seconds.",
    }
    return {code: {"model": schemas.Problem, "description": meanings[code]} for code in codes}


_POSTED = _problems(400, 401, 408, 413, 421, 422, 503)
_routes = APIRouter(prefix="/api")


@_routes.get("/health", summary="Whether the server answers", responses=_problems(421))
async def health() -> schemas.Health:
    """Needs no token, and is answered when the server is busy too."""
    return schemas.Health(status="ok")


@_routes.get("/about", summary="What is served, and what may be asked", responses=_problems(401, 421))
async def about(request: Request) -> schemas.About:
    """The scale of ratings, the genres, and the limits."""
    found: schemas.About = request.app.state.about
    return found


@_routes.get("/items", summary="Search titles", responses=_problems(401, 421, 422, 503))
async def items(
    request: Request,
    q: Annotated[str, Query(max_length=100, description="Words of the title, or their beginnings.")] = "",
    limit: Annotated[int, Query(ge=1, le=schemas.MOST, description="How many at most.")] = 20,
) -> schemas.ItemList:
    """The items with these words in their titles; without words, those that most people rated."""
    return await _work(request, partial(_service(request).search, q, limit))


@_routes.post("/recommendations", summary="Recommend", responses={**_POSTED, **_problems(404)})
async def recommendations(request: Request, asked: schemas.ListRequest) -> schemas.ListAnswer:
    """The items that somebody is predicted to like best, of those that they have not rated: for a user of the
    run (`user_id`), for anybody with these `ratings`, or for a user of the run with more ratings (both).
    """
    return await _work(request, partial(_service(request).recommend, asked))


@_routes.post("/explanations", summary="Explain a prediction", responses={**_POSTED, **_problems(404)})
async def explanations(request: Request, asked: schemas.ExplanationRequest) -> schemas.ExplanationAnswer:
    """Why somebody is predicted to give an item what the models say: the ratings around the two that matter
    most, each by the change in the prediction when it is left out.
    """
    return await _work(request, partial(_service(request).explain, asked))


def make_app(service: Service, limits: ServeConfig, *, token: str | None = None) -> FastAPI:
    """The application that serves a run.

    Args:
        service: what answers.
        limits: what a request may take.
        token: what requests to the API have to bring, all but ``/api/health`` and the
            description, ``/api/openapi.json``; none if None, and then the
            server answers under the names of this machine only.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.gate = gate = Gate(limits)
        yield
        gate.close()

    app = FastAPI(
        title="igmc",
        version=__version__,
        description=_DESCRIPTION,
        openapi_url="/api/openapi.json",
        docs_url=None,  # Swagger's page comes from elsewhere, which our policy refuses
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service, app.state.about = service, service.about()
    scheme = HTTPBearer(auto_error=False, description="Checked before anything else is read.")
    app.include_router(_routes, dependencies=[Depends(scheme)] if token is not None else [])
    for path, (name, kind) in _FILES.items():
        app.add_api_route(path, _file(name, kind), methods=["GET", "HEAD"], include_in_schema=False)
    app.add_exception_handler(IgmcError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    for kind_of_error in (BusyError, LateError):
        app.add_exception_handler(kind_of_error, _on_busy)
    # The last one added is the first one asked.
    app.add_middleware(BodyLimit, limits=limits)
    app.add_middleware(Guard, token=token)
    app.add_middleware(Shield)
    return app


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _work(request: Request, task: Callable[[float], T]) -> T:
    gate: Gate = request.app.state.gate
    return await gate.run(task)


def _file(name: str, kind: str) -> Callable[[], Any]:
    content = (_STATIC / name).read_bytes()

    async def serve() -> Response:
        return Response(content, headers={"content-type": kind})

    return serve


def _problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"detail": detail}, status, headers)


async def _on_error(request: Request, error: Exception) -> Response:
    return _problem(404 if isinstance(error, UnknownIdError) else 422, str(error))


async def _on_invalid(request: Request, error: Exception) -> Response:
    # What was sent is not sent back: it need not even be JSON (NaN), nor text that can be written (half of a
    # surrogate pair).
    found = error.errors() if isinstance(error, RequestValidationError) else []
    said = dict.fromkeys(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in found[:5])
    detail = "; ".join(said).encode("ascii", "backslashreplace").decode()
    return _problem(422, detail)


async def _on_http(request: Request, error: Exception) -> Response:
    status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    detail = str(error.detail) if isinstance(error, HTTPException) else ""
    if status == 404:
        detail = "there is nothing at this address; /api/openapi.json describes the API"
    return _problem(status, detail, dict(headers or {}))


async def _on_busy(request: Request, error: Exception) -> Response:
    late = "there was no answer in time; ask for less, or come again"
    return _problem(503, late if isinstance(error, LateError) else "the server is busy; come again", _AGAIN)
