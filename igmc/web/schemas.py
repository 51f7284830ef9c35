"""What goes over the wire: the bodies of requests and answers, as JSON and in the OpenAPI description."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from igmc.config import COVERAGE
from igmc.web.wire_ids import EXACT, LONGEST

__all__ = [
    "About",
    "Armed",
    "Asker",
    "Because",
    "ExplanationAnswer",
    "ExplanationRequest",
    "Genre",
    "Health",
    "Id",
    "Influence",
    "Item",
    "ItemList",
    "ListRequest",
    "NamedItems",
    "Node",
    "Problem",
    "Rating",
    "Ready",
    "Score",
    "SimilarItem",
    "SimilarList",
    "SimilarRequest",
    "Strict",
    "Subgraph",
    "User",
    "UserList",
    "Year",
]

MOST = 100  # items in an answer
MOST_HIDDEN = 1000  # items that a request leaves out

# Whole numbers and texts are different ids, as in the data, but for numbers that not every language can hold.
Id = Annotated[
    Annotated[StrictInt, Field(ge=-EXACT, le=EXACT)] | Annotated[StrictStr, Field(max_length=LONGEST)],
    Field(
        description="As in the data: a whole number or a text, which are different ids. Numbers of 2^53 and "
        "more are sent as texts."
    ),
]
_Number = Annotated[float, Field(allow_inf_nan=False)]
Year = Annotated[int, Field(ge=0, le=9999)]
Genre = Annotated[str, Field(min_length=1, max_length=100)]


class Strict(BaseModel):
    """Nothing is converted on the way in, and what is not known is refused."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Rating(Strict):
    """What one person gave to one item."""

    item_id: Id
    rating: _Number = Field(description="One of the values of the scale; see /api/about.")


class Asker(Strict):
    """Who asks: somebody known, somebody new with these ratings, or somebody known with more ratings."""

    user_id: Id | None = Field(None, description="A user of the run.")
    ratings: list[Rating] | None = Field(
        None, description="Each item once; for the maximum number see /api/about. Not stored."
    )
    round: bool = Field(False, description="Round ratings between two levels of the scale to the nearest.")


class _Uncertain(Asker):
    """How wide intervals are to be."""

    coverage: float = Field(
        COVERAGE,
        ge=0.001,
        le=0.999,
        description="Probability that a rating lies between low and high.",
    )


class ListRequest(_Uncertain):
    """For whom, how many, and which."""

    k: int = Field(10, ge=1, le=MOST, description="Length of the list.")
    genres: list[Genre] = Field([], max_length=50, description="Of at least one of these genres.")
    exclude_genres: list[Genre] = Field([], max_length=50, description="Of none of these genres.")
    year_from: Year | None = Field(None, description="The first year.")
    year_to: Year | None = Field(None, description="The last year.")
    min_score: _Number | None = Field(None, description="Omit items with a lower predicted rating.")
    bottom: bool = Field(False, description="List the least relevant items instead, worst first.")
    exclude: list[Id] = Field(
        [], max_length=MOST_HIDDEN, description="Items to omit, such as those seen or not wanted."
    )
    order: str = Field("auto", max_length=20, description="One of `orders`; see /api/about.")
    diversity: _Number = Field(0.0, ge=0, le=1, description="Larger values give less similar items.")
    gems: bool = Field(False, description="Hidden gems: items that few people have rated, by lift.")
    because: bool = Field(False, description="Give the user's rating that supports each item most.")


class SimilarRequest(Strict):
    """Which item, and how many like it."""

    item_id: Id
    k: int = Field(10, ge=1, le=MOST, description="Length of the list.")


class ExplanationRequest(_Uncertain):
    """Whose prediction for which item."""

    item_id: Id


class Item(BaseModel):
    """An item, and what is known of it."""

    item_id: Id
    title: str = Field(description="As in the data; empty if unknown.")
    name: str = Field(description="In natural word order, without the year; empty if unknown.")
    genres: list[str]
    year: int | None
    ratings: int = Field(description="Number of known ratings of it.")


class ItemList(BaseModel):
    """The answer to a search."""

    items: list[Item]
    corrected: bool = Field(description="Whether no title has these words, and similar ones were used.")


class NamedItems(Strict):
    """Which items to tell of."""

    item_ids: list[Id] = Field(max_length=MOST_HIDDEN, description="Unknown ids are skipped.")


class SimilarItem(Item):
    """An item like another one."""

    similarity: float = Field(description="Damped adjusted cosine over the users who rated both; -1 to 1.")
    raters: int = Field(description="Number of users who rated both.")


class SimilarList(BaseModel):
    """Items like another one, the most similar first."""

    item: Item
    items: list[SimilarItem]


class User(BaseModel):
    """A user of the run."""

    user_id: Id
    ratings: int = Field(description="Number of known ratings of the user.")


class UserList(BaseModel):
    """Users of the run."""

    users: list[User]


class Score(BaseModel):
    """What somebody is predicted to give."""

    score: float = Field(description="Predicted rating, within the scale, to 4 decimals.")
    source: str = Field(description="'model', or the damped mean that replaces it.")
    low: float | None = Field(
        None, description="Lower end of the interval; null if the run gives no intervals."
    )
    high: float | None = Field(None, description="Upper end of the interval.")


class Because(BaseModel):
    """The rating of the user that raises a prediction most."""

    item_id: Id
    name: str = Field(description="Name of the rated item; empty if unknown.")
    rating: float
    importance: float = Field(description="How much the prediction would fall without it.")


class Armed(BaseModel):
    """An answer, and the run that gave it."""

    arm: Annotated[str, Field(description="The run that answered: A, B, ... in the order of --run.")] = "A"


class Node(BaseModel):
    """A user or an item in the drawing of an explanation."""

    id: Id | None = Field(description="Null for a new user.")
    title: str = Field(description="Title of an item; empty if unknown.")
    name: str = Field(description="In natural word order, without the year.")


class Subgraph(BaseModel):
    """How large the enclosing subgraph is, all its samples together; the drawing shows a part."""

    users: int
    items: int
    ratings: int


class Influence(BaseModel):
    """A rating in the drawing, and how it moves the prediction."""

    user: int = Field(description="Position in `users`.")
    item: int = Field(description="Position in `items`.")
    rating: float
    importance: float = Field(description="How much this rating alone raises the prediction.")


class ExplanationAnswer(Score, Armed):
    """Why a prediction is what it is: the ratings around it that matter most."""

    item: Item
    text: str = Field(description="The most important part, as a sentence; may be empty.")
    known_rating: float | None = Field(
        description="The user's own rating, which the prediction does not use."
    )
    users: list[Node] = Field(description="The user of the request, then users who rated the item.")
    items: list[Node] = Field(description="The item of the request, then items that the user rated.")
    ratings: list[Influence] = Field(description="Ratings among these users and items, most important first.")
    subgraph: Subgraph


class Health(BaseModel):
    """Whether there is a model that answers."""

    status: str = Field(description="'ok'.")
    arms: list[str] = Field(description="The runs that are served: A, B, ... in the order of --run.")


class Ready(BaseModel):
    """Whether requests should be sent here."""

    status: str = Field(description="'ok', or why not.")
    arms: list[str] = Field(description="The runs that are served, as in /api/health.")
    position: int | None = Field(description="The last entry that all runs applied; null without a store.")
    database: str = Field(description="'ok', 'none', or why ratings cannot be stored now.")


class About(BaseModel):
    """What is served, and the limits of requests."""

    dataset: str
    noun: str = Field(description="What an item is: 'film' or 'item'.")
    users: int
    items: int
    ratings: int
    epochs: list[int] = Field(description="Epochs of the checkpoints, whose predictions are averaged.")
    scale: list[float] = Field(description="The values of a rating, ascending; one where there are none.")
    rates: bool = Field(description="Whether ratings are predicted; if not, there are lists alone.")
    genres: list[str]
    years: list[int] = Field(description="The first and the last year of an item; empty where unknown.")
    max_ratings: int = Field(description="Maximum number of ratings in a request.")
    max_k: int
    arms: list[str] = Field(description="The runs that share the users; see the header Visitor-Id.")
    stores: bool = Field(description="Whether ratings can be stored here; see PUT /api/users/{id}/ratings.")
    orders: list[str] = Field(description="Possible orders of a list.")
    poster_url: str = Field(
        description="URL template of item pictures, with {item_id}, {title}, ...; may be empty."
    )
    version: str


class Problem(BaseModel):
    """What is wrong with a request, and what to do about it."""

    detail: str
