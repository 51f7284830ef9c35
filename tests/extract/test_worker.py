"""A shard is made from its job alone, in this process or in another that has read the job from files."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igmc.errors import IgmcError
from igmc.extract import worker
from igmc.extract.worker import Job, load_job, make_shard, save_job, start_worker
from igmc.graph.kernel import extract_subgraphs
from igmc.store.fingerprint import fingerprint_of, origin
from igmc.store.manifest import Manifest
from igmc.store.schema import DIGEST
from igmc.store.shard import read_column, read_commit, read_shard, shard_name
from tests.extract.killable_extraction import CONFIG, SEED, make_part

PART = make_part(250)


def job_in(folder, *, shard_size=100, compress=False) -> Job:
    source = origin(PART.graph, PART.pairs, CONFIG, SEED)
    manifest = Manifest(fingerprint_of(source), source, len(PART.pairs), shard_size)
    return Job(folder, PART.graph, PART.pairs, CONFIG, SEED, manifest, compress)


def test_shards_hold_the_subgraphs_of_their_pairs(tmp_path):
    job = job_in(tmp_path)
    assert [job.make(shard) for shard in range(3)] == [100, 100, 50]
    for shard, rows in enumerate((slice(0, 100), slice(100, 200), slice(200, 250))):
        path = tmp_path / shard_name(shard)
        commit = read_commit(path)
        assert (commit.fingerprint, commit.first, commit.pairs) == (
            job.manifest.fingerprint,
            rows.start,
            rows.stop - rows.start,
        )
        user, item = PART.pairs.user[rows].copy(), PART.pairs.item[rows].copy()
        expected = extract_subgraphs(PART.graph, user, item, CONFIG, seed=SEED)
        columns = read_shard(path, commit).columns
        assert columns["pair/user"].tolist() == expected.user.tolist()
        assert columns["pair/rating"].tolist() == PART.pairs.rating[rows].tolist()
        assert columns["user/id"].tolist() == expected.user_id.tolist()
        assert columns["edge/level"].tolist() == expected.edge_level.tolist()


@settings(max_examples=10)
@given(block=st.integers(1, 120))
def test_a_shard_is_the_same_for_any_number_of_pairs_extracted_at_a_time(tmp_path_factory, block):
    one, other = (tmp_path_factory.mktemp(name) for name in ("one", "other"))
    job_in(one).make(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker, "BLOCK", block)
        job_in(other).make(0)
    assert (one / shard_name(0)).read_bytes() == (other / shard_name(0)).read_bytes()


@pytest.mark.parametrize("compress", [False, True])
def test_a_job_that_was_saved_makes_the_same_shards(tmp_path, compress):
    there = tmp_path / "there"
    there.mkdir()
    job = job_in(there, compress=compress)
    save_job(job, tmp_path / "work")
    job.make(1)
    before = (there / shard_name(1)).read_bytes()
    (there / shard_name(1)).unlink()
    loaded = load_job(tmp_path / "work")
    assert (loaded.config, loaded.seed, loaded.manifest, loaded.compress) == (
        CONFIG,
        SEED,
        job.manifest,
        compress,
    )
    assert loaded.graph.digest() == PART.graph.digest()
    assert loaded.make(1) == 100
    assert (there / shard_name(1)).read_bytes() == before


def test_a_saved_job_finds_its_folder_from_wherever_the_worker_starts(tmp_path, monkeypatch):
    (tmp_path / "store").mkdir()
    monkeypatch.chdir(tmp_path)
    save_job(job_in(Path("store")), tmp_path / "work")
    monkeypatch.chdir("/")
    load_job(tmp_path / "work").make(2)
    assert (tmp_path / "store" / shard_name(2)).is_file()


def test_two_jobs_are_not_saved_in_one_place(tmp_path):
    save_job(job_in(tmp_path), tmp_path / "work")
    with pytest.raises(IgmcError, match=r"cannot write .*work: File exists; .*a file stands in its place"):
        save_job(job_in(tmp_path), tmp_path / "work")


def test_a_worker_makes_shards_of_the_job_that_it_was_started_with(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "_job", None)
    with pytest.raises(RuntimeError, match="outside of a worker process"):
        make_shard(0)
    save_job(job_in(tmp_path), tmp_path / ".work")
    start_worker(tmp_path / ".work")
    assert make_shard(2) == 50
    digests = read_column(tmp_path / shard_name(2), DIGEST)
    assert len(np.unique(digests, axis=0)) == 50
