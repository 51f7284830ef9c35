from igmc.config import DataConfig


def test_leave_to_read_changed_data_is_no_part_of_what_was_read():
    assert DataConfig(allow_changed=True).identity() == DataConfig().identity()


def test_settings_stored_before_there_were_implicit_data_keep_their_digest():
    assert DataConfig(dataset="demo").digest() == "75bfb338cf2ac049"
    assert DataConfig(implicit=True).digest() != DataConfig(implicit=True, min_rating=4).digest()
