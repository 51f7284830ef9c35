"""Jobs on the workers of Ray: started here, and one of them killed, they give what one process gives."""

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from igmc.config import ListConfig
from igmc.errors import ConfigError, IgmcError, MissingExtraError, WorkerLostError
from igmc.evaluation import evaluate
from igmc.extract import extract_store
from igmc.inference.lists import ListRequest, recommend_parts
from igmc.inference.predictor import Predictor
from igmc.jobs import check_executor, ray_executor, workers_for
from igmc.recommenders import RECOMMENDERS
from tests.evaluation.datasets import make_dataset
from tests.evaluation.evaluations import figures
from tests.extract.killable_extraction import CONFIG, SEED, make_part
from tests.worker_jobs import KillsOnce, asleep, killed_once, lives, refused, until


@pytest.fixture(scope="module")
def ray():
    """Ray with two workers on this machine; it takes some seconds to start."""
    found = pytest.importorskip("ray", reason="needs the extra ray")
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    found.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        configure_logging=False,
        runtime_env={"env_vars": {"PYTHONPATH": path}},
    )
    yield found
    found.shutdown()


@pytest.mark.ray
def test_a_block_whose_worker_is_killed_is_done_again(ray, tmp_path):
    with ray_executor("ray") as executor:
        assert executor.workers == 2
        work = partial(killed_once, str(tmp_path / "killed"))
        blocks = [executor.submit(work, k) for k in range(6)]
        assert [done.result() for done in blocks] == [0, 1, 4, 9, 16, 25]
    assert (tmp_path / "killed").exists()


@pytest.mark.ray
def test_our_errors_come_back_as_they_are(ray):
    with ray_executor("ray") as executor, pytest.raises(ConfigError) as caught:
        executor.submit(refused, 7).result()
    assert (caught.value.got, caught.value.remedy) == (7, "ask for another")


def loaded_but_once(run: Path, mark: Path) -> Predictor:
    """The predictor of a run; the worker that is the first to load it is killed."""
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return Predictor.from_run(run, device="cpu")


@pytest.mark.ray
def test_lists_whose_worker_is_killed_are_those_of_one_process(ray, predictor, demo_run, tmp_path):
    request, users = ListRequest(ratings={}, config=ListConfig(k=3, order="score")), range(1, 13)
    alone = recommend_parts(predictor, tmp_path / "alone", request, users=users, block=3, progress=False)
    load = partial(loaded_but_once, demo_run, tmp_path / "killed")
    how = {"users": users, "block": 3, "load": load, "executor": "ray", "progress": False}
    assert recommend_parts(predictor, tmp_path / "ray", request, **how) == alone
    assert (tmp_path / "killed").exists()
    for path in sorted((tmp_path / "alone").glob("part-*")):
        assert (tmp_path / "ray" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.ray
def test_a_study_whose_worker_is_killed_is_that_of_one_process(ray, monkeypatch, tmp_path):
    pytest.importorskip("optuna", reason="needs the extra tune")
    from igmc.evaluation.tuning import tune
    from tests.evaluation.tuning.test_study import outcome

    monkeypatch.setitem(RECOMMENDERS, "stairs", "tests.evaluation.tuning.test_study:Stairs")
    given = {"dataset": make_dataset(3, users=40, items=25), "trials": 14, "parallel": 3}
    alone = tune("stairs", **given, workers=1)
    mark = tmp_path / "killed"
    assert outcome(tune(f"stairs:mark={mark}", **given, executor="ray")) == outcome(alone)
    assert mark.exists()


@pytest.mark.ray
def test_an_evaluation_by_ray_is_that_of_one_process(ray, tmp_path):
    data = replace(make_dataset(3, users=30, items=12), item_tags=KillsOnce(tmp_path / "killed"))
    given = {"models": ["biases", "igmc:model.side_features=true"], "datasets": data, "ks": [5]}
    assert figures(evaluate(**given, executor="ray")) == figures(evaluate(**given))
    assert (tmp_path / "killed").exists()


@pytest.mark.ray
def test_an_interrupt_ends_blocks_that_take_long(ray, tmp_path):
    with workers_for("ray", 2) as executor:
        block = executor.submit(asleep, str(tmp_path), 1)
        until(lambda: len(list(tmp_path.iterdir())) == 1)
        begun = int(next(tmp_path.iterdir()).name)
        executor.shutdown(cancel_futures=True)  # as `drive` does
    assert isinstance(block.exception(), WorkerLostError)
    until(lambda: not lives(begun))


@pytest.mark.ray
def test_an_extraction_whose_worker_is_killed_has_the_digest_of_one_process(ray, tmp_path):
    part = make_part(4000)
    options = {"seed": SEED, "shard_size": 100, "progress": False}
    alone = extract_store(part, CONFIG, folder=tmp_path / "alone", workers=1, **options)
    killed = []

    def kill(_) -> None:
        """Kill the process that writes a shard, once."""
        while not killed:
            for half in (tmp_path / "ray").glob("*.h5.*.partial"):
                pid = int(half.name.split("-")[-1].split(".")[0])
                killed.append(pid)
                os.kill(pid, signal.SIGKILL)
                return
            time.sleep(0.001)

    with ThreadPoolExecutor(1) as killer:
        killer.submit(kill, None)
        report = extract_store(part, CONFIG, folder=tmp_path / "ray", executor="ray", **options)
    assert killed
    assert report.digest == alone.digest
    assert not list((tmp_path / "ray").glob("*.partial"))


@pytest.mark.parametrize("name", ["", "dask", "ray:/host", "Ray"])
def test_other_executors_are_refused(tmp_path, name):
    with pytest.raises(ConfigError, match=r"unknown executor; got .*; allowed: local, ray, ray://HOST:PORT"):
        extract_store(make_part(10), CONFIG, seed=1, folder=tmp_path, executor=name)
    assert [check_executor(name) for name in ("local", "ray", "ray://a:1")] == ["local", "ray", "ray://a:1"]


def test_without_the_extra_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'igmc\[ray\]'"), ray_executor("ray"):
        raise IgmcError("not reached")
