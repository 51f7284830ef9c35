import pytest

from igmc.config import RankerConfig
from igmc.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "value"), [("folds", 0), ("hidden", 0.9), ("members", 0), ("newcomers", 1.0), ("target", "best")]
)
def test_settings_out_of_range_are_refused(name, value):
    with pytest.raises(ConfigError, match=name):
        RankerConfig(**{name: value})
