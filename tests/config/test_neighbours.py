"""Settings of the neighbours network: dates are decided by whether the data have times."""

import pytest

from igmc.config import NeighboursConfig
from igmc.errors import ConfigError


def test_dates_are_the_past_where_times_are_known_and_nothing_else():
    auto = NeighboursConfig()
    assert auto.for_times(True).date_kind == "past"
    assert auto.for_times(False) == auto
    assert auto.date_kind is None


@pytest.mark.parametrize("kind", ["past", "both", "none"])
def test_what_is_chosen_stays(kind):
    assert NeighboursConfig(dates=kind).for_times(True).dates == kind


def test_dates_of_data_without_times_are_refused():
    assert NeighboursConfig(dates="none").for_times(False).date_kind is None
    with pytest.raises(ConfigError, match="no rating has one; got '--dates both'"):
        NeighboursConfig(dates="both").for_times(False)


@pytest.mark.parametrize("estimates", ["auto", "none"])
def test_side_features_need_estimates_that_are_named(estimates):
    with pytest.raises(ConfigError, match="side features are read by the estimates, which must be named"):
        NeighboursConfig(side_features=True, estimates=estimates)
    assert "side_features" not in NeighboursConfig(estimates=estimates).to_dict()
