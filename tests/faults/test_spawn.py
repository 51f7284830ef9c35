"""Worker processes import the script that started them: nothing waits for itself."""

import subprocess
import sys

SCRIPT = """
import igmc
from igmc.extract import extract_store
from igmc.graph import make_parts

dataset = igmc.load_dataset("demo")
split = igmc.make_split(dataset, igmc.DataConfig(), seed=1)
part = make_parts(split, "fixed")["train"]
config = igmc.ExtractConfig(max_nodes_per_hop=5)
extract_store(part, config, seed=1, folder="store", shard_size=500, workers=2)
"""


def test_a_script_without_a_guard_is_told_so_and_ends(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, timeout=120, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "extract_store was called from one of its own worker processes" in done.stderr
    assert 'call it under `if __name__ == "__main__":`' in done.stderr.splitlines()[-1]
    assert not list((tmp_path / "store").glob("*.partial"))
