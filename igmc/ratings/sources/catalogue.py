"""The catalogue of known data sets: origin, checksums and licences.

The hash of each archive is cited from a public list, not computed from a download. No public list is known
for the three sets of Monti et al.; their hashes are those of the files used in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["DATASETS", "Source", "canonical_name"]


@dataclass(frozen=True)
class Source:
    """Names, files and download addresses of one data set.

    Attributes:
        name: canonical name, such as "ml_100k".
        title: one line for people.
        folders: names of its folder under a data folder; the first is the one that `fetch` makes.
        files: files that the folder must hold.
        ratings: the published number of ratings, before duplicates are merged; and numbers found in known
            variants.
        archive: name of the file to download; a .zip, a .tar.* or the data file itself.
        inside: the folder within the archive that becomes the data folder; empty if it is not an archive.
        urls: where to download it, in the order in which they are tried. Empty for a generated data set.
        size: bytes of the download.
        sha256: hash of the download, 64 hex digits.
        hash_source: the public list which that hash is cited from.
        licence: the terms in one sentence.
        homepage: the page of its makers.
        citation: BibTeX.
    """

    name: str
    title: str
    folders: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    ratings: tuple[int, ...] = ()
    archive: str = ""
    inside: str = ""
    urls: tuple[str, ...] = ()
    size: int = 0
    sha256: str = ""
    hash_source: str = ""
    licence: str = ""
    homepage: str = ""
    citation: str = ""

    @property
    def generated(self) -> bool:
        """Made by this project from a seed: there are no files."""
        return not self.folders


_MOVIELENS_TERMS = (
    "GroupLens usage licence: research use with acknowledgement; no redistribution without permission; "
    "no commercial use without permission"
)
_MOVIELENS_OPEN_TERMS = (
    "GroupLens usage licence: research use with acknowledgement; redistribution under the same terms; "
    "no commercial use without permission"
)
_MOVIELENS_CITATION = """\
@article{harper2015movielens,
  author  = {F. Maxwell Harper and Joseph A. Konstan},
  title   = {The {MovieLens} Datasets: History and Context},
  journal = {ACM Transactions on Interactive Intelligent Systems},
  volume  = {5},
  number  = {4},
  pages   = {19:1--19:19},
  year    = {2015},
  doi     = {10.1145/2827872}
}"""
_MONTI_TERMS = (
    "no licence is stated: research use, citing Monti et al. and the makers of the ratings; "
    "ask before redistributing"
)
_MONTI_CITATION = """\
@inproceedings{monti2017geometric,
  author    = {Federico Monti and Michael M. Bronstein and Xavier Bresson},
  title     = {Geometric Matrix Completion with Recurrent Multi-Graph Neural Networks},
  booktitle = {Advances in Neural Information Processing Systems 30},
  year      = {2017},
  url       = {https://arxiv.org/abs/1704.06803}
}"""
_TFDS = "tensorflow/datasets, tensorflow_datasets/url_checksums/movielens.txt at 1c076ac3"
_OMNIREC = "ISG-Siegen/OmniRec, src/omnirec/data_loaders/movielens_small.py at e498cceb"
_NO_LIST = "no public list known: sha256 of the copy that this project is tested with"
_GC_MC = "https://raw.githubusercontent.com/riannevdberg/gc-mc"


def _movielens(
    name: str,
    title: str,
    ratings: int | tuple[int, ...],
    files: str,
    size: int,
    sha256: str,
    *,
    hash_source: str = _TFDS,
    inside: str | None = None,
    terms: str = _MOVIELENS_TERMS,
    mirrors: tuple[str, ...] = (),
) -> Source:
    folder = name.replace("_", "-")
    path = f"files.grouplens.org/datasets/movielens/{folder}.zip"
    return Source(
        name=name,
        title=title,
        folders=(folder,) if inside is None else (folder, inside),
        files=tuple(files.split()),
        ratings=(ratings,) if isinstance(ratings, int) else ratings,
        archive=f"{folder}.zip",
        inside=inside or folder,
        # Plain HTTP second: its certificate has lapsed before, and the hash protects the content anyway.
        urls=(f"https://{path}", f"http://{path}", *mirrors),
        size=size,
        sha256=sha256,
        hash_source=hash_source,
        licence=terms,
        homepage="https://grouplens.org/datasets/movielens/",
        citation=_MOVIELENS_CITATION,
    )


def _monti(name: str, title: str, ratings: int, size: int, sha256: str, mirror: str) -> Source:
    return Source(
        name=name,
        title=title,
        folders=(name,),
        files=("training_test_dataset.mat",),
        ratings=(ratings,) if isinstance(ratings, int) else ratings,
        archive="training_test_dataset.mat",
        urls=(
            f"https://raw.githubusercontent.com/fmonti/mgcnn/master/Data/{name}/training_test_dataset.mat",
            f"{_GC_MC}/{mirror}/{name}/training_test_dataset.mat",
        ),
        size=size,
        sha256=sha256,
        hash_source=_NO_LIST,
        licence=_MONTI_TERMS,
        homepage="https://github.com/fmonti/mgcnn",
        citation=_MONTI_CITATION,
    )


_SPLITS_100K = " ".join(f"u{part}.base u{part}.test" for part in (*"12345", *"ab"))

_ALL = (
    _movielens(
        "ml_100k",
        "MovieLens 100K: 100,000 ratings 1..5, 943 users x 1,682 films",
        100_000,
        f"u.data u.item u.user u.genre {_SPLITS_100K}",
        4_924_029,
        # The same archive as the md5 0e33842e24a9c977be4e0107933c0723 of GroupLens' ml-100k.zip.md5.
        "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
    ),
    _movielens(
        "ml_1m",
        "MovieLens 1M: 1,000,209 ratings 1..5, 6,040 users x 3,706 films",
        (1_000_209, 1_000_168),  # 41 fewer where it was rebuilt from its citations (missing_pairs.txt)
        "ratings.dat users.dat movies.dat",
        5_917_549,
        # GroupLens' ml-1m.zip.md5: c4d9eecfca2ab87c1945afe126590906.
        "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20",
    ),
    _movielens(
        "ml_10m",
        "MovieLens 10M: 10,000,054 ratings 0.5..5, 69,878 users x 10,677 films",
        10_000_054,
        "ratings.dat movies.dat",
        65_566_137,
        # GroupLens' ml-10m.zip.md5: ce571fd55effeba0271552578f2648bd. Not in the list of TensorFlow Datasets.
        "813c411ccb6122564edfe752e7f80c4dcc5aa25fa94c93622f6877a7ba252862",
        hash_source=_OMNIREC,
        inside="ml-10M100K",
    ),
    _movielens(
        "ml_25m",
        "MovieLens 25M: 25,000,095 ratings 0.5..5, 162,541 users x 59,047 films, tag genome",
        25_000_095,
        "ratings.csv movies.csv",
        261_978_986,
        # GroupLens' ml-25m.zip.md5: 6b51fb2759a8657d3bfcbfc42b592ada.
        "8b21cfb7eb1706b4ec0aac894368d90acf26ebdfb6aced3ebd4ad5bd1eb9c6aa",
        terms=_MOVIELENS_OPEN_TERMS,
    ),
    _movielens(
        "ml_latest_small",
        "MovieLens latest-small (9/2018): 100,836 ratings 0.5..5, 610 users x 9,724 films",
        100_836,
        "ratings.csv movies.csv",
        978_202,
        "696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436",
        terms=_MOVIELENS_OPEN_TERMS,
        mirrors=(
            "https://raw.githubusercontent.com/neaorin/databricks-workshop/master/data/ml-latest-small.zip",
        ),
    ),
    _monti(
        "flixster",
        "Flixster, split of Monti et al. 2017: 26,173 ratings 0.5..5, 3,000 x 3,000, with graphs",
        26_173,
        2_776_221,
        "8b07e0387edfe7ffdccead2826bb3844ddbd9e6a8ccba264ce81a3b59b273197",
        "775676697b1770cf40a6327b814aab70a48c9078/rec_gae/data",
    ),
    _monti(
        "douban",
        "Douban, split of Monti et al. 2017: 136,891 ratings 1..5, 3,000 x 3,000, with a graph",
        136_891,
        2_778_554,
        "1f4476321cbfe0f606e7e35d0695ca15447a1b0b2c811df130109b6cb9a067ae",
        "775676697b1770cf40a6327b814aab70a48c9078/rec_gae/data",
    ),
    _monti(
        "yahoo_music",
        "YahooMusic, split of Monti et al. 2017: 5,335 ratings 1..100, 3,000 x 3,000, with a graph",
        5_335,
        1_900_885,
        "56a80de836537544d0d6ba36fc59937dfe87f738ac5e2a701cc8226faf4f31ec",
        "a461c4def00124920bdf09b5024a1f3dabe8bc3b/gcmc/data",
    ),
    Source(
        name="demo",
        title="a small data set that igmc makes from a seed: nothing is downloaded",
        licence="MIT, as igmc",
        homepage="igmc.ratings.demo.dataset",
    ),
)

DATASETS: MappingProxyType[str, Source] = MappingProxyType({source.name: source for source in _ALL})

_ALIASES = {
    alias.lower().replace("-", "_"): source.name
    for source in _ALL
    for alias in (source.name, *source.folders)
}


def canonical_name(text: str) -> str | None:
    """The canonical name of a data set, or None if unknown; ignores case and treats - as _.

    >>> canonical_name("ML-100K")
    'ml_100k'
    """
    return _ALIASES.get(text.strip().lower().replace("-", "_"))
