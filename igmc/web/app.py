"""The web application: the JSON API over a `Service`, and the page that uses it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import Response
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

from igmc import __version__
from igmc.config import ServeConfig
from igmc.files import LineFile
from igmc.web import answering, schemas, storing
from igmc.web.answering import work
from igmc.web.experiment import Experiment
from igmc.web.ledger import Ledger
from igmc.web.limits import BodyLimit, Gate
from igmc.web.problems import described, tell_problems
from igmc.web.rating_css import rating_css
from igmc.web.security import Guard, Shield, image_origin
from igmc.web.service import Service
from igmc.web.shadow import Shadow
from igmc.web.watching import AccessLog, Metrics, Watch

__all__ = ["make_app"]

_STATIC = Path(__file__).parent / "static"
_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/app.js": ("app.js", "text/javascript; charset=utf-8"),
    "/dom.js": ("dom.js", "text/javascript; charset=utf-8"),
    "/graph.js": ("graph.js", "text/javascript; charset=utf-8"),
    "/lists.js": ("lists.js", "text/javascript; charset=utf-8"),
    "/net.js": ("net.js", "text/javascript; charset=utf-8"),
    "/store.js": ("store.js", "text/javascript; charset=utf-8"),
    "/style.css": ("style.css", "text/css; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_Limit = Annotated[int, Query(ge=1, le=schemas.MOST, description="Maximum number.")]
_DESCRIPTION = """Recommendations and explanations for anyone, at once, from a few ratings.

Nothing is trained. {kept} Ids are those of the data; a whole number and a text are
different ids. A busy server answers 503, and `Retry-After` says after how many seconds to try again."""


_POSTED = described(400, 401, 408, 413, 421, 422, 503)
_KEPT = "Stored ratings count for everyone a moment later; see `PUT /api/users/{user_id}/ratings`."
_NOT_KEPT = "No request is stored."
_routes = APIRouter(prefix="/api")


@_routes.get("/health", summary="Whether the server answers", responses=described(421))
async def health(request: Request) -> schemas.Health:
    """Needs no token, and answers even while the server is busy."""
    return schemas.Health(status="ok", arms=_arms(request.app.state.experiment))


@_routes.get("/ready", summary="Whether the server is ready for requests", responses=described(421, 503))
async def ready(request: Request) -> schemas.Ready:
    """Needs no token. The server stays ready while the database is away, and serves what it knows."""
    experiment: Experiment = request.app.state.experiment
    lives = experiment.lives
    if not lives:
        return schemas.Ready(status="ok", arms=_arms(experiment), position=None, database="none")
    if any(live.stuck for live in lives):
        raise HTTPException(503, "an entry of the store cannot be applied; see the server's log")
    database = "the database does not answer" if any(live.away for live in lives) else "ok"
    position = min(live.state.position for live in lives)
    return schemas.Ready(status="ok", arms=_arms(experiment), position=position, database=database)


@_routes.get("/about", summary="What is served, and the limits of requests", responses=described(401, 421))
async def about(request: Request) -> schemas.About:
    """The scale of ratings, the genres, and the limits."""
    experiment: Experiment = request.app.state.experiment
    more = {"stores": bool(experiment.lives), "arms": _arms(experiment)}
    return _service(request).about().model_copy(update=more)


@_routes.get("/items", summary="Search titles", responses=described(401, 421, 422, 503))
async def items(
    request: Request,
    q: Annotated[str, Query(max_length=100, description="Words of the title, or beginnings of words.")] = "",
    limit: _Limit = 20,
    telling: Annotated[
        bool, Query(description="Without words: first what is well known and disputed.")
    ] = False,
) -> schemas.ItemList:
    """The items whose titles have these words, or similar ones; without words, those with the most ratings,
    or the most informative ones.
    """
    return await work(request, partial(_service(request).search, q, limit, telling))


@_routes.post("/items/named", summary="Look up items by id", responses=_POSTED)
async def named(request: Request, asked: schemas.NamedItems) -> schemas.ItemList:
    """The items with these ids, in this order; for a page that stored only ids."""
    return await work(request, partial(_service(request).named, asked))


@_routes.get("/users", summary="Find users of the run", responses=described(401, 421, 422, 503))
async def users(
    request: Request,
    q: Annotated[str, Query(max_length=100, description="Beginning of the id.")] = "",
    limit: _Limit = 20,
) -> schemas.UserList:
    """The users of the run whose ids begin with a text; without one, those with the most ratings."""
    return await work(request, partial(_service(request).users, q, limit))


@_routes.post("/similar", summary="Find similar items", responses={**_POSTED, **described(404)})
async def similar(request: Request, asked: schemas.SimilarRequest) -> schemas.SimilarList:
    """The items most similar to this one, by the users who rated both. No model is used."""
    return await work(request, partial(_service(request).similar, asked))


def make_app(
    experiment: Experiment,
    limits: ServeConfig,
    *,
    token: str | None = None,
    access_log: LineFile | None = None,
) -> FastAPI:
    """The application that serves one run, or several.

    Args:
        experiment: what answers, and where ratings are stored; nothing that is sent is kept without a store.
        limits: what a request may take.
        token: what requests to the API have to bring, all but ``/api/health`` and the
            description, ``/api/openapi.json``; none if None, and then the
            server answers under the names of this machine only.
        access_log: where a line of JSON is written for each request; nowhere if None.
    """
    stores = bool(experiment.lives)
    app = FastAPI(
        title="igmc",
        version=__version__,
        description=_DESCRIPTION.format(kept=_KEPT if stores else _NOT_KEPT),
        openapi_url="/api/openapi.json",
        docs_url=None,  # Swagger's page comes from elsewhere, which our policy refuses
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,  # so that a generated client has short names
        lifespan=partial(_lifespan, experiment, limits),
    )
    app.state.experiment = experiment
    scheme = HTTPBearer(auto_error=False, description="Checked before anything else is read.")
    dependencies = [Depends(scheme)] if token is not None else []
    for routes in (_routes, answering.routes, *([storing.routes] if stores else [])):
        app.include_router(routes, dependencies=dependencies)
    if stores:
        app.state.ledger = Ledger(experiment.lives[0], limits)
    files = [] if access_log is None else [access_log]
    files += [] if experiment.log is None else [experiment.log.file]
    app.state.metrics = metrics = Metrics(lambda: app.state.gate.taken, experiment, files)
    app.add_api_route("/metrics", _metrics(metrics), methods=["GET"], include_in_schema=False)
    for path, (name, kind) in _FILES.items():
        content = (_STATIC / name).read_bytes()
        app.add_api_route(path, _file(content, kind), methods=["GET", "HEAD"], include_in_schema=False)
    colours = _file(rating_css().encode(), "text/css; charset=utf-8")
    app.add_api_route("/ratings.css", colours, methods=["GET", "HEAD"], include_in_schema=False)
    tell_problems(app)
    # The last one added is the first one asked.
    app.add_middleware(BodyLimit, limits=limits)
    app.add_middleware(Guard, token=token)
    app.add_middleware(Shield, images=image_origin(limits.poster_url))
    told = (metrics.seen,) if access_log is None else (metrics.seen, AccessLog(access_log).seen)
    app.add_middleware(Watch, tell=told)
    return app


@asynccontextmanager
async def _lifespan(experiment: Experiment, limits: ServeConfig, app: FastAPI) -> AsyncIterator[None]:
    """What runs as long as the application: the threads that answer, and what tells other processes."""
    metrics: Metrics = app.state.metrics
    app.state.gate = gate = Gate(limits)
    shadow = None
    if experiment.shadow is not None:
        shadow = Shadow(experiment, limits.timeout, lambda: gate.full, metrics.shadow_seen)
    app.state.shadow = shadow
    noting = asyncio.create_task(_note(metrics)) if metrics.shared else None
    yield
    if noting is not None:
        noting.cancel()
    if shadow is not None:
        shadow.close()
    gate.close()


def _service(request: Request) -> Service:
    """What answers where all arms answer alike."""
    experiment: Experiment = request.app.state.experiment
    return experiment.first.service


def _arms(experiment: Experiment) -> list[str]:
    return [arm.name for arm in experiment.arms]


async def _note(metrics: Metrics) -> None:
    while True:
        metrics.note()
        await asyncio.sleep(1)


def _metrics(metrics: Metrics) -> Callable[[], Any]:
    async def read() -> Response:
        return Response(metrics.text(), headers={"content-type": "text/plain; version=0.0.4; charset=utf-8"})

    return read


def _file(content: bytes, kind: str) -> Callable[[], Any]:
    async def serve() -> Response:
        return Response(content, headers={"content-type": kind})

    return serve
