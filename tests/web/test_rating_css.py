"""The page is served the colours that figures are drawn with."""

import re

from igmc.rating_colours import ON_DARK, ON_WHITE


def test_the_page_gets_the_colours_of_figures_for_both_themes(client):
    answer = client.get("/ratings.css")
    assert answer.headers["content-type"].startswith("text/css")
    blocks = re.findall(r"(:root\S*) { (--level-0[^}]*) }", answer.text)
    assert [name for name, _ in blocks] == [
        ":root",
        ':root[data-theme="dark"]',
        ':root:not([data-theme="light"])',
    ]
    told = [re.findall(r"--level-(\d): (#\w+);", block) for _, block in blocks]
    assert told == [[(str(at), colour) for at, colour in enumerate(c)] for c in (ON_WHITE, ON_DARK, ON_DARK)]
    assert "--level-0:" not in client.get("/style.css").text  # nowhere else
