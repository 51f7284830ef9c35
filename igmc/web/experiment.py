"""The runs that a server answers with: one, several that share the users, and one in the shadow."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Self

from igmc.errors import ConfigError
from igmc.experiments import NAMES, SHADOW, Allocation, Answer, AnswerLog, subject_of
from igmc.live import LiveRatings
from igmc.ratings import RawId
from igmc.web import schemas
from igmc.web.service import Service
from igmc.web.wire_ids import kind_of, received, received_all, typed

__all__ = ["Arm", "Choice", "Experiment"]

logger = logging.getLogger(__name__)


class Arm(NamedTuple):
    """A run that answers.

    Attributes:
        name: a letter, or "shadow".
        service: what answers.
        live: how the run follows the store; None without one.
    """

    name: str
    service: Service
    live: LiveRatings | None = None


class Choice(NamedTuple):
    """Who answers a request, and to whom.

    Attributes:
        arm: what answers.
        user: the user, or the visitor by the id that was sent; None for a visitor without one.
        position: the last entry of the store that the arm had applied before; None without a store.
    """

    arm: Arm
    user: RawId | None
    position: int | None


class Experiment:
    """The arms of a server.

    Args:
        arms: at least one; the first one also searches titles and checks what is stored.
        shares: percentages of users; see `Allocation`.
        shadow: answers too, for the log only.
        log: where answers are written; nowhere if None.

    Raises:
        ConfigError: if the shares do not fit, or the runs predict ratings on different scales; if one that
            predicts none is to be compared, or its answers logged.
    """

    def __init__(
        self,
        arms: Sequence[Arm],
        shares: Sequence[float] = (),
        shadow: Arm | None = None,
        log: AnswerLog | None = None,
    ) -> None:
        self.arms, self.shadow, self.log = tuple(arms), shadow, log
        self.first = self.arms[0]
        self._allocation = Allocation(shares, len(self.arms))
        self._kind = kind_of(self.first.service.predictor.users)
        for other in self.all[1:]:
            _check_alike(self.first, other)
        if (log is not None or len(self.all) > 1) and not all(a.service.predictor.rates for a in self.all):
            raise ConfigError(
                "answers are logged and compared by predicted ratings, and a run predicts none",
                remedy="serve it alone, without --answer-log and --shadow",
            )

    @classmethod
    def of(cls, service: Service, live: LiveRatings | None = None) -> Self:
        """One run that answers everybody."""
        return cls([Arm(NAMES[0], service, live)])

    @property
    def all(self) -> tuple[Arm, ...]:
        """The arms, and the shadow if there is one."""
        return self.arms if self.shadow is None else (*self.arms, self.shadow)

    @property
    def lives(self) -> list[LiveRatings]:
        """How the arms follow the store; the first one is written to. Empty without a store."""
        return [arm.live for arm in self.all if arm.live is not None]

    def choice(self, asked: schemas.Asker, visitor: str | None) -> Choice:
        """Who answers.

        Args:
            asked: names a user, or has the ratings of a visitor.
            visitor: the id of a visitor, if one was sent; a user id in `asked` precedes it.
        """
        users = self.first.service.predictor.users
        user: RawId | None = None
        if asked.user_id is not None:
            user = received(users, asked.user_id)
        elif visitor is not None:
            user = typed(users, self._kind, visitor)
        rated: dict[RawId, float] = {one.item_id: one.rating for one in asked.ratings or ()}
        arm = self.arms[self._allocation.arm(subject_of(user, rated)) if len(self.arms) > 1 else 0]
        return Choice(arm, user, None if arm.live is None else arm.live.state.position)

    def record(self, choice: Choice, kind: str, items: Sequence[tuple[RawId, float]]) -> Answer | None:
        """Log what was shown; None without a log."""
        if self.log is None:
            return None
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        number = secrets.token_hex(8)
        found = Answer(now, number, kind, choice.arm.name, choice.user, choice.position, self._logged(items))
        self.log.append(found)
        return found

    def record_shadow(
        self,
        shown: Answer,
        items: Sequence[tuple[RawId, float]],
        scored: Sequence[tuple[RawId, float]],
    ) -> None:
        """Log what the shadow answered, and its predictions for the items that were shown."""
        if self.log is not None:
            items, scored = self._logged(items), self._logged(scored)
            self.log.append(shown._replace(arm=SHADOW, items=items, scored=scored))

    def _logged(self, items: Sequence[tuple[RawId, float]]) -> tuple[tuple[RawId, float], ...]:
        """With ids as the store has them."""
        ids = received_all(self.first.service.predictor.items, [item for item, _ in items])
        return tuple((item, score) for item, (_, score) in zip(ids, items, strict=True))


def _check_alike(first: Arm, other: Arm) -> None:
    """Requests are the same for all arms: so is the scale, and the items should be."""
    ours, theirs = first.service.predictor, other.service.predictor
    if ours.scale.shown().tolist() != theirs.scale.shown().tolist():
        raise ConfigError(
            f"run {other.name} predicts ratings on a different scale from run {first.name}",
            got=", ".join(f"{value:g}" for value in theirs.scale.shown()),
            allowed=", ".join(f"{value:g}" for value in ours.scale.shown()),
        )
    for side, left, right in (("users", ours.users, theirs.users), ("items", ours.items, theirs.items)):
        missing = int((right.encode(left.ids) < 0).sum())
        if missing:
            logger.warning(
                "run %s does not know %d of the %d %s of run %s: requests that name them fail there",
                *(other.name, missing, len(left), side, first.name),
            )
