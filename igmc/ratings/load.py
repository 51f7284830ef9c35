"""Reading a data set: by its name, from a folder in a known layout, or from a file of ratings."""

from __future__ import annotations

import difflib
from pathlib import Path

from igmc.config import DataConfig
from igmc.errors import ConfigError
from igmc.ratings.dataset import Dataset
from igmc.ratings.demo import make_demo
from igmc.ratings.readers import looks_like_path, read_folder, read_path
from igmc.ratings.sources import DATASETS, canonical_name, locate

__all__ = ["load_dataset"]


def load_dataset(
    config: DataConfig | str, *, data_dir: str | Path | None = None, home: str | Path | None = None
) -> Dataset:
    """Read a data set.

    Args:
        config: which one, and how to read it; a plain text stands for ``DataConfig(dataset=text)``.
            The data set is a name (``ml_100k``, also written ``ML-100K``), a folder in the layout of a
            MovieLens release or a Monti set, or a file of ratings (see below).
        data_dir: where the folders of raw data are; see `igmc.ratings.sources.locate.locate`.
        home: where raw data are downloaded to if they are nowhere else.

    A file of ratings is CSV, TSV, any text with one of ``, ; | tab ::`` between its fields, or Parquet; also
    compressed (.gz, .bz2, .xz, .zip). A zip that holds one such file is read as it is; of a zip that holds
    several, name one as if the zip were a folder. ``columns`` says where user, item, rating and, if wanted,
    timestamp are, in this order: by the names in the header, or by positions from 1 if the file has no
    header. It can be left out if the header has the usual names (userId, movie_id, item, rating, ...).

    - ``columns="user_id,book_id,rating"``, ``dataset="goodbooks/ratings.zip"``: a header, items first
    - ``columns="1,2,3,4"``, ``dataset="u.data"``: no header
    - ``columns="2,1,3"``, ``dataset="dump.csv.gz"``: no header, items first
    - ``dataset="ml-20m.zip/ml-20m/ratings.csv"``: one file of a zip

    A rating is a finite number; true and false stand for 1 and 0. A timestamp is in seconds since 1970,
    negative before it, and unknown where it is empty or -1. A line may lack fields at its end, but has no
    more than the first. Ids come back as given. A text column whose values all are plain whole numbers holds
    ints; with one ``01`` or ``x`` among them it holds texts, each as it stands in the file.

    Raises:
        ConfigError: on an unknown name or malformed `columns`.
        DataError: if files are missing or malformed; the message names the file and the line.
    """
    if isinstance(config, str):
        config = DataConfig(dataset=config)
    name = canonical_name(config.dataset)
    if name is None:
        if looks_like_path(config.dataset):
            return read_path(Path(config.dataset).expanduser(), config)
        near = difflib.get_close_matches(config.dataset.lower().replace("-", "_"), DATASETS, n=3)
        raise ConfigError(
            "unknown data set",
            got=config.dataset,
            allowed=", ".join(DATASETS) + ", or the path of a file or folder",
            remedy=f"did you mean {' or '.join(near)}?" if near else "check the name or the path",
        )
    if config.columns is not None:
        raise ConfigError(
            f"--columns does not apply to {name}, whose layout is known",
            got=config.columns,
            remedy="leave --columns out, or give the path of a file as the data set",
        )
    if name == "demo":
        return make_demo()
    return read_folder(locate(name, data_dir=data_dir, home=home), name, config)
