"""What a file cannot hold is refused when it is saved, not when it is read."""

import numpy as np
import pytest
import torch
from scipy import sparse

from igmc.errors import CheckpointError
from igmc.recommenders.packing import packed, unpacked


def test_what_can_be_saved_comes_back():
    value = {
        "array": np.arange(6, dtype=np.int16).reshape(2, 3)[:, ::-1],
        "matrix": sparse.csr_array(np.eye(3)),
        "tensor": torch.arange(2.0),
        "plain": {"text": "Amélie", "none": None, "list": [1, 2.5]},
    }
    found = unpacked(packed(value, "model.table"))
    np.testing.assert_array_equal(found["array"], value["array"])
    np.testing.assert_array_equal(found["matrix"].toarray(), np.eye(3))
    assert found["tensor"].tolist() == [0.0, 1.0]
    assert found["plain"] == value["plain"]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (sparse.csr_matrix(np.eye(2)), r"csr_matrix"),
        ({1, 2}, "builtins.set"),
        (np.float32(1), "numpy.float32"),
    ],
)
def test_anything_else_is_refused_by_its_name(value, kind):
    with pytest.raises(
        CheckpointError, match=rf"model\.table\['x'\] cannot be saved; got .*{kind}'; allowed: "
    ):
        packed({"x": value}, "model.table")
