"""What `tests/test_ranks.py` has torchrun start: the gradients of a few steps, and trainings, killed or not.

torchrun --nproc-per-node 2 -m tests.two_ranks WORKS.json
python -m tests.two_ranks WORKS.json RESTARTS  # torchrun's agent forks: nothing is imported again

Works are done one after the other, since importing torch takes longer than each of them: a list of
``{"gradients": FOLDER}`` and ``{"train": ARGUMENTS OF igmc-train}``, the latter with ``"kill": [NETWORK, N]``
where rank 1 kills itself in epoch 2, if torchrun has started it N times before.
"""

import json
import os
import signal
import sys
from pathlib import Path

import torch
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from igmc import run
from igmc.cli.main import _exit_code
from igmc.cli.train import train_command
from igmc.config import ExtractConfig, ModelConfig, NeighboursConfig
from igmc.graph.parts import make_parts
from igmc.loading.loader import Loader
from igmc.loading.source import LiveSource
from igmc.loading.support_dropout import SupportDropout
from igmc.models.igmc import IGMC
from igmc.ranks import Ranks, joined
from igmc.training import loop, neighbours_loop
from igmc.training.step import ensemble_gradients, step_gradients
from tests.evaluation.splits import make_split, random_rows
from tests.statistics.graphs import known_ratings

CPU = torch.device("cpu")
ROWS = random_rows(3, users=30, items=20)
STEPS = {"neighbours": (neighbours_loop, "ensemble_gradients"), "rgcn": (loop, "step_gradients")}
NORMS, BACKENDS = ("none", "relation", "degree"), ("fused", "torch")


def paper_gradients(norm: str, backend: str, ranks: Ranks) -> list[list[torch.Tensor]]:
    """Of all steps of an epoch, the last of them of a single pair, with each dropout that there is."""
    model = IGMC(
        ModelConfig(layers=(8, 8), mlp_width=8, norm=norm, edge_dropout=0.3, mlp_dropout=0.5),
        n_levels=5,
        backend=backend,
    )
    part = make_parts(make_split(ROWS[:-62], ROWS[-62:-1], ROWS[-1:], users=30, items=20), "fixed")["train"]
    size = next(size for size in range(45, 90) if len(part.pairs) % size == 1)
    dropout = SupportDropout(0.5, "both", most=3)
    source = LiveSource(part, ExtractConfig(max_nodes_per_hop=8), seed=1, support_dropout=dropout)
    found = []
    for batch in Loader(source, size, seed=1, shuffle=True, ranks=ranks).epoch(1):
        losses = step_gradients(model.train(), batch, 0.1, ranks)
        found.append([torch.stack(losses), *(p.grad.clone() for p in model.parameters())])
    return found


def neighbours_gradients(ranks: Ranks) -> list[list[torch.Tensor]]:
    """Of all steps of an epoch with newcomers, dropout, and members that leave out some pairs each."""
    known = known_ratings()
    config = NeighboursConfig(members=2, max_neighbors=10, newcomers=0.1, dropout=0.3, estimates="none")
    size = next(size for size in range(45, 90) if len(known) // 10 % size == 1)
    run = neighbours_loop._Training(
        known, config.replace(batch_size=size), CPU, 1, None, 2**20, None, False, ranks
    )
    found = []
    for batch in run.loader.epoch(1):
        loss = ensemble_gradients(run.model.train(), batch, ranks)
        found.append([loss[None], *(p.grad.clone() for p in run.weights)])
    return found


def gradients(ranks: Ranks) -> dict[str, list[list[torch.Tensor]]]:
    found = {f"{n} {b}": paper_gradients(n, b, ranks) for n in NORMS for b in BACKENDS}
    return found | {"neighbours": neighbours_gradients(ranks)}


def dies_in_epoch(epoch: int, module, name: str) -> None:
    """Let this process kill itself at the third step of an epoch, counted by the batches of the loader."""
    steps, original = [], getattr(module, name)

    def dying(*arguments):
        steps.append(None)
        batch = arguments[1]
        if batch.place.first and len(steps) >= 3 and getattr(dying, "epoch", 0) >= epoch:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments)

    def told(what: str) -> None:
        if what.startswith("training, epoch"):
            dying.epoch = int(what.split()[-1])
            steps.clear()  # at the third, the other process has taken two, and saved the epoch before

    setattr(module, name, dying)
    module.working_on = told


def trained(arguments: list[str]) -> None:
    sys.argv[1:] = arguments
    code = _exit_code(train_command, "igmc-train")
    if code:
        sys.exit(code)


def work_off(path: str) -> None:
    works = json.loads(Path(path).read_text())
    run.save_curves = lambda history, stem: None
    for work in works:  # each joins by itself, as trainings of one script do
        if "gradients" in work:
            with joined() as ranks:
                torch.save(gradients(ranks), Path(work["gradients"]) / f"{ranks.rank}.pt")
            continue
        network, start = work.get("kill", (None, None))
        if (os.environ["RANK"], os.environ["TORCHELASTIC_RESTART_COUNT"]) == ("1", str(start)):
            dies_in_epoch(2, *STEPS[network])
        trained(work["train"])


def launch(path: str, restarts: int) -> None:
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=2,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=restarts,
        start_method="fork",
        monitor_interval=0.1,
    )
    elastic_launch(config, work_off)(path)


if __name__ == "__main__":
    if "RANK" in os.environ:
        work_off(sys.argv[1])
    else:
        launch(sys.argv[1], int(sys.argv[2]))
