"""Files of a run that somebody changes on purpose."""

import contextlib
import json

from igmc.checked_json import load_checked


@contextlib.contextmanager
def edited(path):
    """The JSON object of a file, to be changed; it is written back without its checksum."""
    value = load_checked(path.read_bytes())
    yield value
    path.write_text(json.dumps(value))
