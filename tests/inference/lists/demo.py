"""Somebody's ratings of films of the demo, and what is known of the films."""

from igmc.ratings.load import load_dataset

MINE = {"f001": 5, "f002": 1, "f003": 4, "f017": 5, "f100": 2}
INFO = load_dataset("demo").item_info.assign(item=load_dataset("demo").table.items.ids).set_index("item")


def unseen(predictor, ratings=MINE, user_id=None):
    rated = predictor.with_user(ratings, user_id).rated
    return [raw for k, raw in enumerate(predictor.items.ids) if k not in set(rated.tolist())]
