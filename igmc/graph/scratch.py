"""Arrays over all users and items that each thread keeps for its next extractions."""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.graph.row_kernels import UNSEEN

__all__ = ["KEPT", "Scratch"]


class Scratch(NamedTuple):
    """What a thread writes over again: all marks are `UNSEEN` between two pairs.

    Attributes:
        user_at, item_at: int32, position of each node in the subgraph, or a mark.
        seen_users, seen_items: int32, the nodes that are marked.
    """

    user_at: NDArray[np.int32]
    item_at: NDArray[np.int32]
    seen_users: NDArray[np.int32]
    seen_items: NDArray[np.int32]


class Kept(threading.local):
    """The scratch of each thread: to fill arrays over all nodes takes longer than many pairs do."""

    scratch: Scratch | None = None

    def taken(self, hops: int, n_users: int, n_items: int) -> Scratch:
        """The scratch with room for these nodes; nobody has it until it is put back, clean.

        With one hop no user needs a mark.
        """
        users, items, seen = (n_users, n_items, n_items) if hops > 1 else (1, n_items, 1)
        kept, self.scratch = self.scratch, None
        if kept is not None:
            have = len(kept.user_at), len(kept.item_at), len(kept.seen_items)
            if have[0] >= users and have[1] >= items and have[2] >= seen:
                return kept
            users, items, seen = map(max, have, (users, items, seen))
        at = np.full(users, UNSEEN, np.int32), np.full(items, UNSEEN, np.int32)
        return Scratch(*at, np.empty(users, np.int32), np.empty(seen, np.int32))


KEPT = Kept()
