from igmc.recommenders.early_stopping import EarlyStopping


def test_the_best_epoch_is_the_first_of_equals_and_patience_counts_from_it():
    stopping = EarlyStopping(2, higher_is_better=True)
    assert [stopping.update(epoch, value) for epoch, value in enumerate([3, 5, 5], 1)] == [True, True, False]
    assert (stopping.best_epoch, stopping.best_value, stopping.stop) == (2, 5, False)
    assert not stopping.update(4, 4)
    assert stopping.stop
    assert stopping.update(5, 6)
    assert not stopping.stop


def test_less_can_be_better():
    stopping = EarlyStopping(1, higher_is_better=False)
    assert [stopping.update(epoch, value) for epoch, value in enumerate([3, 2, 4], 1)] == [True, True, False]
    assert (stopping.best_epoch, stopping.stop) == (2, True)


def test_without_a_measurement_there_is_no_best_epoch_and_no_end():
    stopping = EarlyStopping(1, higher_is_better=False)
    assert (stopping.best_epoch, stopping.stop) == (0, False)
