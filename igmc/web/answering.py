"""The part of the API that an arm answers: lists, scores and explanations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Header, Request

from igmc.ratings import RawId
from igmc.web import schemas, score_schemas
from igmc.web.experiment import Choice, Experiment
from igmc.web.limits import Gate
from igmc.web.problems import described
from igmc.web.shadow import Shadow
from igmc.web.watching import ARM
from igmc.web.wire_ids import LONGEST

__all__ = ["routes", "work"]

T = TypeVar("T")
_Answer = TypeVar("_Answer", bound=schemas.Armed)
_Visitor = Annotated[
    str | None,
    Header(
        alias="Visitor-Id",
        min_length=1,
        max_length=LONGEST,
        description="A random text that identifies somebody without a user id, so that the same run always "
        "answers: that of the user with this id. Without it, the ratings decide, in any order.",
    ),
]
_POSTED = described(400, 401, 404, 408, 413, 421, 422, 503)

routes = APIRouter(prefix="/api")


@routes.post("/recommendations", summary="Recommend", responses=_POSTED)
async def recommendations(
    request: Request, asked: schemas.ListRequest, visitor: _Visitor = None
) -> score_schemas.ListAnswer:
    """The unrated items that somebody is predicted to like best: a user of the run (`user_id`), a newcomer
    with these `ratings`, or a user with additional ratings (both).
    """
    choice = _choice(request, asked, visitor)
    answer = await work(request, partial(choice.arm.service.recommend, asked))
    items = [(one.item_id, one.score or 0.0) for one in answer.items]  # None of runs that are not logged
    return _shown(request, choice, "worst" if asked.bottom else "list", asked, answer, items)


@routes.post("/scores", summary="Predict", responses=_POSTED)
async def scores(
    request: Request, asked: score_schemas.ScoreRequest, visitor: _Visitor = None
) -> score_schemas.ScoreAnswer:
    """The ratings that somebody is predicted to give to these items; for whom, see /api/recommendations. An
    unknown item gets a mean; a rated item is predicted without its own rating.
    """
    choice = _choice(request, asked, visitor)
    answer = await work(request, partial(choice.arm.service.score, asked))
    items = [(one.item_id, one.score) for one in answer.scores]
    return _shown(request, choice, "scores", asked, answer, items)


@routes.post("/explanations", summary="Explain a prediction", responses=_POSTED)
async def explanations(
    request: Request, asked: schemas.ExplanationRequest, visitor: _Visitor = None
) -> schemas.ExplanationAnswer:
    """Why somebody is predicted to give this rating: the most important ratings around the user and the item,
    each with the change of the prediction without it.
    """
    choice = _choice(request, asked, visitor)
    answer = await work(request, partial(choice.arm.service.explain, asked))
    items = [(answer.item.item_id, answer.score)]
    return _shown(request, choice, "explanation", asked, answer, items)


async def work(request: Request, task: Callable[[float], T]) -> T:
    """What a task returns; see `Gate.run`."""
    gate: Gate = request.app.state.gate
    return await gate.run(task)


def _choice(request: Request, asked: schemas.Asker, visitor: str | None) -> Choice:
    experiment: Experiment = request.app.state.experiment
    found = experiment.choice(asked, visitor)
    request.scope[ARM] = found.arm.name
    return found


def _shown(
    request: Request,
    choice: Choice,
    kind: str,
    asked: schemas.Asker,
    answer: _Answer,
    items: Sequence[tuple[RawId, float]],
) -> _Answer:
    """The answer with the name of its arm, which the log and the shadow have learned of."""
    experiment: Experiment = request.app.state.experiment
    record = experiment.record(choice, kind, items)
    shadow: Shadow | None = request.app.state.shadow
    if shadow is not None and record is not None:
        shadow.offer(record, asked)
    named: dict[str, Any] = {"arm": choice.arm.name}
    return answer.model_copy(update=named)
