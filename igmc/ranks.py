"""The processes that train one model together, each on its part of every batch: what they say to each other.

torchrun starts them, and numbers them in environment variables. Each holds the whole graph and all weights,
and takes the same steps: the gradients of their parts are added up in one exchange a step. The first of them
alone writes, measures and reports. A lost process ends all, and torchrun starts them again.
"""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

from igmc.errors import ConfigError, IgmcError, TrainingError

if TYPE_CHECKING:
    from torch import Tensor
    from torch.distributed import ProcessGroup
    from torch.distributed.distributed_c10d import Store

__all__ = ["ALONE", "Place", "Ranks", "is_first", "joined", "local_rank"]

P = ParamSpec("P")
T = TypeVar("T")

# A lost process closes its connections, and torchrun ends the others. While the first one measures, the
# others wait; how long that takes is nobody's to say.
PATIENCE = timedelta(days=7)
START = timedelta(minutes=5)  # until all have come

_JOINS = itertools.count()  # of this process; a program joins as often in each rank


class Place(NamedTuple):
    """Where the part of a rank stands in the batch of all.

    Attributes:
        first: number of its first pair.
        total: pairs of all ranks.
    """

    first: int
    total: int


class Ranks:
    """One process among those that train together; every method is called by all of them, in one order.

    Args:
        rank, size: number of this process, from 0, and how many there are.
        local: its number on its own machine, from 0.
        counting: group of `before`, which a thread in the background calls while another one sums.
    """

    def __init__(
        self, rank: int = 0, size: int = 1, *, local: int = 0, counting: ProcessGroup | None = None
    ) -> None:
        self.rank, self.size, self.local = rank, size, local
        self._counting = counting

    @property
    def first(self) -> bool:
        """Whether this is the one that writes, measures and reports."""
        return self.rank == 0

    def other_number(self, state: Mapping[str, Any]) -> str:
        """What to say of a checkpoint that another number of ranks has saved; nothing if it was this one."""
        before = state.get("ranks", 1)
        if before == self.size:
            return ""
        return (
            f", with {self.size} processes instead of {before}: sums are taken in another order from here, "
            f"so the weights end close to those of {before}, not equal to the last bit"
        )

    def part(self, total: int) -> slice:
        """Which of so many pairs are this rank's: parts are consecutive, and differ by one pair at most."""
        return slice(total * self.rank // self.size, total * (self.rank + 1) // self.size)

    def before(self, count: int) -> int:
        """The sum of the counts of all ranks with a lower number."""
        if self.size == 1:
            return 0
        import torch
        import torch.distributed as dist

        counts = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
        with _together():
            dist.all_gather(counts, torch.tensor([count]), group=self._counting)
        return sum(int(one) for one in counts[: self.rank])

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Put the sums over all ranks into some float32 tensors of one device, by one exchange."""
        if self.size == 1:
            return
        import torch
        import torch.distributed as dist

        with torch.no_grad(), _together():
            flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
            dist.all_reduce(flat)
            totals = torch.split_with_sizes(flat, [tensor.numel() for tensor in tensors])
            for tensor, total in zip(tensors, totals, strict=True):
                tensor.copy_(total.view_as(tensor))

    def of_first(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What ``work(...)`` returns, or raises of our errors, in the first rank, where alone it is done."""
        if self.size == 1:
            return work(*args, **kwargs)
        if not self.first:
            value, error = self._told(None)
            if error is not None:
                raise error
            return value  # type: ignore[no-any-return]
        try:
            value = work(*args, **kwargs)
        except IgmcError as failed:
            self._told((None, failed))
            raise
        self._told((value, None))
        return value

    def wait(self) -> None:
        """Until all have come here."""
        self.of_first(lambda: None)
        self.before(0)

    def _told(self, value: Any) -> Any:
        """The value of the first rank; tensors keep their bits."""
        import torch
        import torch.distributed as dist

        with _together():
            packed = io.BytesIO()
            if self.first:
                torch.save(value, packed)
            size = torch.tensor([packed.tell()])
            dist.broadcast(size, 0)
            content = torch.empty(int(size), dtype=torch.uint8)
            if self.first:
                content = torch.frombuffer(packed.getbuffer(), dtype=torch.uint8)
            dist.broadcast(content, 0)
        # Of our own processes: not a file that somebody gave us.
        return torch.load(io.BytesIO(content.numpy().tobytes()), map_location="cpu", weights_only=False)


ALONE = Ranks()


def is_first() -> bool:
    """Whether this process is to report, by what torchrun says; nothing heavy is loaded to know."""
    return os.environ.get("RANK", "0") == "0" or "MASTER_ADDR" not in os.environ


def local_rank() -> int:
    """The number of this process on its machine, 0 where torchrun did not start it."""
    return int(os.environ.get("LOCAL_RANK", "0")) if "MASTER_ADDR" in os.environ else 0


@contextmanager
def joined() -> Iterator[Ranks]:
    """The ranks that torchrun has started, connected while it lasts; `ALONE` where it has not.

    CPUs exchange by gloo, CUDA devices by nccl. A process group that the program has made is used as it is.

    Raises:
        ConfigError: if torchrun is to start ranks on several machines again, and is not set up for that.
        TrainingError: if the others do not come, or end.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2 or "MASTER_ADDR" not in os.environ:
        yield ALONE
        return
    import torch
    import torch.distributed as dist

    own = not dist.is_initialized()
    if own:
        rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        with _together():
            dist.init_process_group(backend, store=_store(rank), rank=rank, world_size=size, timeout=PATIENCE)
    try:
        with _together():
            counting = dist.new_group(backend="gloo", timeout=PATIENCE)
        yield Ranks(dist.get_rank(), dist.get_world_size(), local=local_rank(), counting=counting)
    finally:
        if own:
            dist.destroy_process_group()


def _store(rank: int) -> Store:
    """Where ranks find each other's addresses: fresh for each time that they join.

    One torchrun on one machine keeps a store over all starts, with the addresses of dead processes in it, and
    of groups that have ended: so each start, and in it each group, has a prefix of its own there. On several
    machines the starts are not numbered alike.
    """
    from torch._C._distributed_c10d import PrefixStore, TCPStore

    environment = os.environ
    kept = environment.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    restarts = int(environment.get("TORCHELASTIC_MAX_RESTARTS", "0"))
    if kept and restarts and int(environment.get("GROUP_WORLD_SIZE", "1")) > 1:
        raise ConfigError(
            "torchrun would start ranks on several machines again with the addresses of those that ended",
            got=f"--max-restarts {restarts}",
            allowed="0, or with TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1",
            remedy="export TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 on each machine before torchrun",
        )
    store = TCPStore(
        environment["MASTER_ADDR"],
        int(environment["MASTER_PORT"]),
        int(environment["WORLD_SIZE"]),
        is_master=not kept and rank == 0,
        timeout=START,
        multi_tenant=not kept,
    )
    start = environment.get("TORCHELASTIC_RESTART_COUNT", "0") if kept else "0"
    return PrefixStore(f"igmc/{start}/{next(_JOINS)}", store)


@contextmanager
def _together() -> Iterator[None]:
    """Say of an exchange that failed what is most often the reason."""
    try:
        yield
    except RuntimeError as error:  # what torch.distributed raises, whatever happened
        raise TrainingError(
            f"another process of this training has ended or cannot be reached ({str(error).splitlines()[0]})",
            remedy="see what it said; torchrun --max-restarts N starts all again from the last epoch",
        ) from error
