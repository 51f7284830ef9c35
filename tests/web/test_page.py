"""The page in a browser: rate five films, see ten others, filter, ask why; with a mouse and with keys alone.

Needs Debian's chromium (``apt-get install chromium``) and the Python package playwright, which drives it.
Screenshots go to the folder in IGMC_SCREENSHOTS, if there is one.
"""

import json
import os
import re
import shutil
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

import igmc.web
from igmc.inference import natural_title
from igmc.inference.lists.recommend import recommend
from igmc.rating_colours import ON_WHITE
from tests.web.conftest import serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
STARS = (5, 1, 4, 5, 2)
AT_REST = "document.getAnimations().every(one => one.playState !== 'running')"


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no chromium here: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, address):
    """A page of a size, whose scripts must not complain."""
    contexts, complaints = [], []

    def open_one(
        width=1280, height=900, at=None, wait="before you rate", telling="these tell most about you", **more
    ):
        context = browser.new_context(viewport={"width": width, "height": height}, **more)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(at or address)
        page.get_by_text(wait).wait_for()
        page.get_by_text(telling).wait_for()
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture(scope="session")
def shots(tmp_path_factory):
    folder = os.environ.get("IGMC_SCREENSHOTS")
    path = Path(folder) if folder else tmp_path_factory.mktemp("screenshots")
    path.mkdir(parents=True, exist_ok=True)
    return path


def titles(page, within):
    return page.locator(f"{within} .title").all_text_contents()


def rate_five(page):
    for row, stars in enumerate(STARS):
        page.locator("#found li").nth(row).locator("label").nth(stars - 1).click()
    page.get_by_text("10 films from your 5 ratings").wait_for()


def given_by(page, predictor):
    """What `rate_five` gave, by id."""
    ids = [json.loads(one.get_attribute("data-item")) for one in page.locator("#found [data-item]").all()[:5]]
    return dict(zip(ids, STARS, strict=True))


def test_rate_five_see_ten_others_filter_and_ask_why(open_page, predictor, shots):
    page = open_page()
    before = titles(page, "#recommended")
    rate_five(page)
    rated = titles(page, "#rated")
    after = titles(page, "#recommended")
    assert rated == titles(page, "#found")[:5][::-1]
    assert len(after) == 10
    assert not set(rated) & set(after)
    assert after != before

    expected = recommend(predictor, ratings=given_by(page, predictor), order="score")
    assert after == names_of(expected)
    page.screenshot(path=shots / "desktop.png")

    page.locator("#filters-summary").click()
    page.get_by_role("button", name="Drama: any").click()
    settled(page, filters=1)
    assert all("Drama" in text for text in page.locator("#recommended .meta").all_text_contents())
    page.get_by_role("button", name="Drama: wanted").click()
    settled(page, filters=1)
    assert not any("Drama" in text for text in page.locator("#recommended .meta").all_text_contents())
    page.get_by_label("From year").fill("2010")
    page.locator("input[name=score]").fill("4")
    settled(page, filters=3)
    assert "left: of 250 films" in page.locator("#reason").inner_text()
    assert "None" not in page.locator("body").inner_text()
    page.get_by_role("button", name="Reset", exact=True).click()
    page.get_by_text("10 films from your 5 ratings").wait_for()
    settled(page, filters="")
    assert titles(page, "#recommended") == after

    page.locator("#recommended .why").first.click()
    page.locator("#why-graph svg").wait_for()
    assert page.locator("#why-title").inner_text() == f"Why {expected.score[0]:.1f} for {after[0]}?"
    words = page.locator("#why-text").inner_text()
    assert re.match(r"What weighs most: your [1-5] for |What weighs most: user \d+'s ", words)
    assert "you's" not in words
    drawn = page.locator("#why-graph")
    assert drawn.locator("path.edge").count() > 5
    assert drawn.locator("[data-node^=item-]").count() == 6
    page.get_by_text("The same as a table").click()
    assert page.locator("#why-table tbody tr").count() == drawn.locator("path.edge").count()
    page.get_by_text("The same as a table").click()
    page.screenshot(path=shots / "why.png")
    page.keyboard.press("Escape")
    assert not page.locator("#why").is_visible()

    page.get_by_role("button", name=f"Remove your rating of {rated[0]}").click()
    page.get_by_text("10 films from your 4 ratings").wait_for()
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("before you rate").wait_for()
    assert titles(page, "#recommended") == before


def settled(page, filters=None):
    if filters is not None:
        page.wait_for_function(
            "n => document.getElementById('filter-count').textContent === String(n)", arg=filters
        )
    page.wait_for_timeout(200)  # the rest before asking
    page.locator("#recommended[aria-busy=false]").wait_for(state="attached")


def names_of(frame):
    return [natural_title(title) for title in frame.title]


def test_each_list_is_that_of_the_predictor(open_page, predictor):
    page = open_page()
    rate_five(page)
    given = given_by(page, predictor)
    for name, note, asked in (
        ("Your taste", "like more than most people do", {"order": "lift"}),
        ("Next for you", "and you are predicted to like", {"order": "blend"}),
        ("Hidden gems", "Little known", {"gems": True}),
        ("Least for you", "the worst first", {"bottom": True}),
    ):
        expected = names_of(recommend(predictor, ratings=given, **asked))  # first: it trains the ranker
        page.get_by_text(name, exact=True).click()
        assert note in page.locator("#view-note").inner_text()
        assert page.get_by_label(name, exact=True).is_checked()
        settled(page)
        assert titles(page, "#recommended") == expected
    page.get_by_text("Best bets").click()
    page.locator("#filters-summary").click()
    page.locator("input[name=diversity]").fill("0.8")
    page.locator("select[name=k]").select_option("20")
    settled(page)
    expected = recommend(predictor, ratings=given, diversity=0.8, k=20, order="score")
    assert titles(page, "#recommended") == names_of(expected)
    page.get_by_label("Group by what you liked").check()
    page.locator("#recommended .group").first.wait_for()
    settled(page)
    assert set(titles(page, "#recommended")) == set(names_of(expected))
    heads = page.locator("#recommended h3").all_text_contents()
    assert any(head.startswith("Because you gave 5 to ") for head in heads)


def test_a_card_says_what_is_predicted_and_what_most_give(open_page, predictor):
    def bounded(route):  # this run has no intervals of its own
        answer = route.fetch()
        items = [item | {"low": 2.3, "high": 4.7} for item in answer.json()["items"]]
        route.fulfill(response=answer, json={**answer.json(), "items": items})

    page = open_page()
    page.route("**/api/recommendations", bounded)
    rate_five(page)
    given = given_by(page, predictor)
    for view, asked in (("Best bets", {"order": "score"}), ("Least for you", {"bottom": True})):
        page.get_by_text(view, exact=True).click()
        settled(page)
        rows = recommend(predictor, ratings=given, **asked)
        counts = predictor.graph.by_item.degrees(predictor.items.encode(rows.item_id))
        cards = page.locator("#recommended li").all()
        for card, row, count in zip(cards, rows.itertuples(), counts, strict=True):
            words, level = card.inner_text(), abs(row.lift) < 0.05
            assert f"{count} rating" in words
            numbers = [float(one) for one in re.findall(r"\d\.\d", card.locator(".score").inner_text())]
            expected = [row.score, *([] if level else [abs(row.lift)]), 2.3, 4.7]
            assert numbers == pytest.approx(expected, abs=0.051)  # halves are rounded in two ways
            assert "likely 2.3 to 4.7" in words
            sign = "as most people" if level else "more than most" if row.lift > 0 else "less than most"
            assert f"{sign} give" in words
            bar = card.locator(".bar").get_attribute("style")
            at, usual = (float(one) for one in re.findall(r"[\d.]+(?=%)", bar))
            assert at == pytest.approx(25 * (row.score - 1), abs=0.1)
            assert level or (at > usual) == (row.lift > 0)


def test_more_titles_and_years_in_either_order(open_page):
    page = open_page()
    page.get_by_role("button", name="Show more").click()
    assert page.locator("#found li").count() == 24
    assert page.locator("#found li").nth(12).locator("input:focus").count() == 1
    page.locator("#filters-summary").click()
    page.get_by_label("From year").fill("1995")
    page.get_by_label("To year").fill("1980")
    settled(page, filters=1)
    assert page.locator("#years-out").inner_text() == "1980 to 1995"
    years = [int(words[:4]) for words in page.locator("#recommended .meta").all_text_contents()]
    assert len(years) == 10
    assert all(1980 <= year <= 1995 for year in years)


def test_the_drawing_of_an_explanation_and_its_table_say_what_the_server_said(open_page):
    page = open_page()
    rate_five(page)
    with page.expect_response("**/api/explanations") as answer:
        page.locator("#recommended .why").first.click()
    ratings = answer.value.json()["ratings"]
    page.locator("#why-graph svg").wait_for()
    page.get_by_text("The same as a table").click()
    cells = page.locator("#why-table tbody tr td:last-child").all_text_contents()
    told = [("\N{MINUS SIGN}" if one["importance"] < 0 else "+", abs(one["importance"])) for one in ratings]
    assert [cell[0] for cell in cells] == [sign for sign, _ in told]
    assert [float(cell[1:]) for cell in cells] == pytest.approx([size for _, size in told], abs=6e-4)
    look = "lines => lines.map(getComputedStyle).map(one => [one.stroke, one.strokeDasharray !== 'none'])"
    drawn = page.locator("#why-graph .edge").evaluate_all(look)[::-1]  # the greatest is drawn last
    hexes = [re.findall("..", ON_WHITE[int(one["rating"]) - 1][1:]) for one in ratings]
    colours = [f"rgb({', '.join(str(int(part, 16)) for part in one)})" for one in hexes]
    assert drawn == [[colour, one["importance"] < 0] for colour, one in zip(colours, ratings, strict=True)]


def test_filters_that_leave_nothing_are_reset_by_one_click(open_page):
    page = open_page()
    rate_five(page)
    before = titles(page, "#recommended")
    page.get_by_text("Your taste").click()
    page.locator("#filters-summary").click()
    page.locator("input[name=score]").fill("5")
    page.get_by_text("No film from your 5 ratings").wait_for()
    assert "not rated by you" in page.locator("#reason").inner_text()
    page.get_by_role("button", name="Reset the filters").click()
    page.get_by_text("10 films from your 5 ratings").wait_for()
    assert page.get_by_label("Best bets").is_checked()  # what is shown is what is marked
    assert titles(page, "#recommended") == before
    assert not page.get_by_role("button", name="Reset the filters").is_visible()


def test_a_click_on_clear_can_be_undone(open_page):
    page = open_page()
    rate_five(page)
    page.get_by_role("button", name="Not for me").first.click()
    settled(page)
    rated, away, after = (titles(page, place) for place in ("#rated", "#away", "#recommended"))
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("before you rate").wait_for()
    assert page.get_by_role("button", name="Undo: clear").and_(page.locator(":focus")).count() == 1
    page.keyboard.press("Enter")
    page.get_by_text("from your 5 ratings").wait_for()
    settled(page)
    assert [titles(page, place) for place in ("#rated", "#away", "#recommended")] == [rated, away, after]
    assert page.locator("#found li").first.locator("label.on").count() == STARS[0]
    assert not page.get_by_text("Cleared.").is_visible()


def test_the_list_itself_is_rated_hidden_and_followed(open_page):
    page = open_page()
    rate_five(page)
    first, second, third = titles(page, "#recommended")[:3]
    page.get_by_role("button", name=f"Not for me: {first}").click()
    page.get_by_role("button", name=f"Seen: {second}").click()
    settled(page)
    assert not {first, second} & set(titles(page, "#recommended"))
    assert titles(page, "#away") == [second, first]
    assert page.locator("#count").inner_text() == "5"
    page.get_by_role("button", name=f"Undo: {first}").click()
    settled(page)
    assert titles(page, "#recommended")[0] == first
    page.get_by_role("button", name=f"More like this: {third}").click()
    page.locator("#like-rows li").first.wait_for()
    assert third not in titles(page, "#like-rows")
    page.keyboard.press("Escape")
    page.locator("#recommended li").first.locator("label").nth(3).click()
    page.get_by_text("from your 6 ratings").wait_for()
    assert titles(page, "#rated")[0] == first
    page.locator("#rated li").first.locator("label").nth(3).click()  # the star that is set
    page.get_by_text("from your 5 ratings").wait_for()


def address_of(page, name):
    """The address that a button hands out where there is no clipboard."""
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject() }")
    page.get_by_role("button", name=name).click()
    page.get_by_text("The link is in the address bar.").wait_for()
    return page.evaluate("location.href")


def test_what_was_said_is_kept_shared_and_saved_only_if_that_is_asked(open_page, address):
    page = open_page()
    rate_five(page)
    rated = titles(page, "#rated")
    assert page.evaluate("localStorage.length") == 0
    page.reload()
    page.get_by_text("before you rate").wait_for()
    rate_five(page)
    page.get_by_label("Keep them on this device").check()
    page.reload()
    page.get_by_text("from your 5 ratings").wait_for()
    assert titles(page, "#rated") == rated
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file").click()
    saved = json.loads(Path(download.value.path()).read_text())
    assert [one["rating"] for one in saved["ratings"]] == list(STARS)
    other = open_page(at=address_of(page, "Copy a link to them"), wait="from your 5 ratings")
    assert titles(other, "#rated") == rated
    page.get_by_label("Keep them on this device").uncheck()
    assert page.evaluate("localStorage.length") == 0


def test_the_list_of_a_known_user(open_page, predictor):
    page = open_page()
    page.get_by_role("button", name="You: a newcomer").click()
    page.get_by_label("Start of a user's id").fill("17")
    page.get_by_role("button", name="User 17", exact=True).click()
    page.get_by_text("10 films for user 17").wait_for()
    assert titles(page, "#recommended") == names_of(recommend(predictor, user_id=17, order="score"))
    page.get_by_role("button", name="User 17").click()
    page.get_by_role("button", name="A newcomer").click()
    page.get_by_text("10 films before you rate").wait_for()
    assert page.locator("#people").inner_text() == "You: a newcomer"


def test_a_typing_error_is_forgiven(open_page):
    page = open_page()
    page.get_by_label("Search").fill("goldn miror")
    page.get_by_text("Did you mean one of these?").wait_for()
    assert titles(page, "#found")[0] == "The Golden Mirror"


def test_slow_and_offline_the_page_says_so(browser, address, shots):
    context = browser.new_context()
    page = context.new_page()
    network = context.new_cdp_session(page)
    slow = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
    network.send("Network.emulateNetworkConditions", slow)
    page.goto(address, wait_until="commit")
    page.locator("#recommended .skeleton").first.wait_for()
    page.screenshot(path=shots / "slow.png")
    page.get_by_text("before you rate").wait_for()
    page.get_by_text("these tell most about you").wait_for()
    assert not page.locator(".skeleton").count()
    network.send("Network.emulateNetworkConditions", {**slow, "offline": True})
    page.locator("#found li").first.locator("label").nth(4).click()
    page.get_by_text("Not up to date. Still 10 films before you rate.").wait_for()
    page.get_by_text("The server does not answer.").wait_for()
    assert page.locator("#recommended.stale li").count() == 10
    page.screenshot(path=shots / "offline.png")
    page.get_by_label("Search titles").fill("golden")
    page.locator("#found.stale").wait_for()
    assert page.locator("#found-note").inner_text() == "Not searched yet."
    page.locator("#recommended .why").first.click()
    page.get_by_text("The server does not answer. Close this, and ask again in a moment.").wait_for()
    page.keyboard.press("Escape")
    page.locator("#people").click()
    page.locator("#pick-note").get_by_text("The server does not answer.").wait_for()
    page.keyboard.press("Escape")
    network.send("Network.emulateNetworkConditions", {**slow, "offline": False, "latency": 0})
    page.get_by_text("10 films from your rating,").wait_for()
    assert not page.locator("#banner").is_visible()
    page.get_by_text("with “golden”").wait_for()
    assert not page.locator(".stale").count()
    context.close()


@pytest.mark.parametrize(("motion", "animation"), [("no-preference", "wait"), ("reduce", "none")])
def test_there_are_skeletons_before_any_script(browser, address, motion, animation):
    page = browser.new_page(reduced_motion=motion)
    page.route("**/*.js", lambda route: route.abort())
    page.goto(address)
    for place in ("#found", "#recommended"):
        assert page.locator(f"{place} .skeleton").first.is_visible()
    look = "one => getComputedStyle(one).animationName"
    assert page.locator(".skeleton div").first.evaluate(look) == animation
    page.close()


def save(page, title, new=None, on=None):
    page.locator("#recommended").get_by_role("button", name=f"Save: {title}", exact=True).click()
    if new is not None:
        page.get_by_label("A new list").fill(new)
        page.keyboard.press("Enter")
    else:
        page.locator("#save").get_by_label(on).check()
    page.locator("#save-note").get_by_text("It is on").wait_for()
    page.keyboard.press("Escape")


def lists_of(page):
    names = page.locator("#named summary bdi").all_text_contents()
    return {name: titles(page, f"#named > li:nth-child({k})") for k, name in enumerate(names, 1)}


def test_named_lists_hold_what_is_put_on_them(open_page):
    page = open_page()
    one, two, three = titles(page, "#recommended")[:3]
    sought = titles(page, "#found")[0]
    save(page, one, new="  Friday   night ")
    save(page, two, on="Friday night")
    page.locator("#found").get_by_role("button", name=f"Save: {sought}", exact=True).click()
    page.get_by_role("checkbox", name="Friday night").check()
    page.keyboard.press("Escape")
    save(page, three, new="With <b>Ann</b>")
    assert lists_of(page) == {"Friday night": [one, two, sought], "With <b>Ann</b>": [three]}
    assert page.locator("#recommended").get_by_role("button", name=f"Saved: {one}").inner_text() == "Saved"
    page.get_by_role("button", name="Your lists 2").click()
    assert page.locator("#lists-head:focus").count() == 1
    page.get_by_role("button", name=f"Take off Friday night: {two}").click()
    assert (
        page.locator("#named .drop:focus").get_attribute("aria-label") == f"Take off Friday night: {sought}"
    )
    assert lists_of(page)["Friday night"] == [one, sought]
    assert page.locator("#recommended").get_by_role("button", name=f"Save: {two}").count() == 1
    page.locator("#named").get_by_text("4 of 5").nth(0).locator("..").click()  # rated where it is listed
    page.get_by_text("from your rating,").wait_for()
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("before you rate").wait_for()
    assert list(lists_of(page)) == ["Friday night", "With <b>Ann</b>"]


def test_names_of_lists_are_checked_and_changed(open_page):
    page = open_page()
    one = titles(page, "#recommended")[0]
    save(page, one, new="Friday night")
    page.get_by_role("button", name=f"Saved: {one}").first.click()
    field, wrong = page.get_by_label("A new list"), page.locator("#save .wrong")
    for name, said in (
        ("", "A list needs a name."),
        (" \u200b ", "A list needs a name."),
        ("FRIDAY  NIGHT", "You have a list “FRIDAY NIGHT” already."),
        ("x" * 61, "A name has at most 60 characters; this one has 61."),
    ):
        field.fill(name)
        page.get_by_role("button", name="Make it").click()
        assert wrong.inner_text() == said
        assert field.get_attribute("aria-invalid") == "true"
        assert field.and_(page.locator(":focus")).count() == 1
    page.keyboard.press("Escape")
    assert list(lists_of(page)) == ["Friday night"]
    page.get_by_role("button", name="Rename Friday night").click()
    page.keyboard.press("Escape")
    assert page.get_by_role("button", name="Rename Friday night").and_(page.locator(":focus")).count() == 1
    page.keyboard.press("Enter")
    page.keyboard.type("W" * 60)
    page.keyboard.press("Enter")
    assert list(lists_of(page)) == ["W" * 60]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Delete WW").click()
    assert lists_of(page) == {}
    page.keyboard.press("Enter")  # on Undo, where the focus is
    assert lists_of(page) == {"W" * 60: [one]}


def test_lists_are_kept_saved_and_sent_one_by_one(open_page, address):
    page = open_page()
    one, two = titles(page, "#recommended")[:2]
    save(page, one, new="Friday night")
    save(page, two, new="Ann")
    assert page.evaluate("localStorage.length") == 0
    page.get_by_label("Keep them on this device").check()
    page.get_by_role("button", name="Take off Ann").click()
    page.reload()
    page.get_by_text("Ann", exact=True).wait_for()
    assert lists_of(page) == {"Friday night": [one], "Ann": []}
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file").click()
    saved = json.loads(Path(download.value.path()).read_text())["lists"]
    assert [(each["name"], len(each["items"])) for each in saved] == [("Friday night", 1), ("Ann", 0)]
    page.locator("#named summary").first.click()
    link = address_of(page, "Copy a link to Friday night")

    other = open_page()
    rate_five(other)
    save(other, titles(other, "#recommended")[1], new="friday night")
    other.get_by_label("Keep them on this device").check()
    mine = lists_of(other)
    other.goto(link)
    other.get_by_text("Somebody sent you “Friday night 2”.").wait_for()
    assert one not in mine["friday night"]
    assert lists_of(other) == {**mine, "Friday night 2": [one]}
    other.get_by_text("from your 5 ratings").wait_for()
    other.reload()  # what was sent is one's own now
    other.get_by_text("from your 5 ratings").wait_for()
    assert list(lists_of(other)) == ["friday night", "Friday night 2"]


def test_a_link_to_ratings_changes_nothing_that_is_kept(open_page):
    page = open_page()
    rate_five(page)
    link = address_of(page, "Copy a link to them")
    other = open_page()
    other.locator("#found li").first.locator("label").nth(2).click()
    other.get_by_label("Keep them on this device").check()
    kept = other.evaluate("localStorage.igmc")
    other.goto(link)
    other.get_by_text("from your 5 ratings").wait_for()
    other.get_by_text("These are of a link.").wait_for()
    other.locator("#rated .drop").first.click()
    other.get_by_text("from your 4 ratings").wait_for()
    assert other.evaluate("localStorage.igmc") == kept
    assert not other.get_by_label("Keep them on this device").is_checked()


def test_what_is_kept_survives_a_server_that_is_away_at_first(browser, address):
    page = browser.new_context().new_page()
    page.goto(address)
    page.get_by_text("these tell most about you").wait_for()
    rate_five(page)
    page.get_by_label("Keep them on this device").check()
    kept = page.evaluate("localStorage.igmc")
    page.route("**/api/items/named", lambda route: route.fulfill(status=500, json={"detail": "no disk"}))
    page.reload()
    page.get_by_text("no disk").wait_for()
    page.unroute("**/api/items/named")
    page.get_by_role("button", name="Try again").click()
    page.get_by_text("from your 5 ratings").wait_for()
    assert page.evaluate("localStorage.igmc") == kept
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_that_axe_finds(open_page, scheme):
    folder = Path(os.environ.get("IGMC_NPM", "node_modules"))
    if not (folder / "axe-core" / "axe.min.js").is_file():
        pytest.skip("no axe-core: npm install axe-core, and its node_modules in IGMC_NPM")
    page = open_page(color_scheme=scheme)
    rate_five(page)
    settled(page)
    page.locator("#filters-summary").click()
    first, second = titles(page, "#recommended")[:2]
    save(page, first, new="Friday night")
    page.get_by_role("button", name=f"Not for me: {second}").click()
    settled(page)
    page.evaluate((folder / "axe-core" / "axe.min.js").read_text())
    under_way = set()
    page.on("request", lambda one: under_way.add(one))  # Playwright takes no built-in functions
    page.on("requestfinished", lambda one: under_way.discard(one))
    page.on("requestfailed", lambda one: under_way.discard(one))
    like = "#recommended [aria-label^='More like']"
    for open_dialog in (None, "#recommended .why", "#people", like, "[data-save]", "[aria-label^=Rename]"):
        if open_dialog:
            page.locator(open_dialog).first.click()
            page.wait_for_timeout(300)
            while under_way or not page.evaluate(AT_REST):
                page.wait_for_timeout(100)
        found = page.evaluate("axe.run()")["violations"]
        told = [(one["id"], [node["html"][:90] for node in one["nodes"][:3]]) for one in found]
        assert told == []
        page.keyboard.press("Escape")


def test_the_page_is_small():
    static = Path(igmc.web.__file__).parent / "static"
    assert sum(path.stat().st_size for path in static.iterdir()) < 120_000


def test_targets_are_large_on_a_phone(open_page):
    page = open_page(390, 844, has_touch=True, is_mobile=True)
    rate_five(page)
    save(page, titles(page, "#recommended")[0], new="Friday night")
    for selector in (
        "#found [data-save]",
        "#to-lists",
        "#named summary",
        "#named button",
        "#found .stars label",
        ".acts button",
        ".views label",
        "#people",
        "#filters-summary",
        ".drop",
    ):
        for place in page.locator(selector).all()[:5]:
            box = place.bounding_box()
            assert box["height"] >= 44, selector
            assert box["width"] >= 44, selector


def test_keys_alone_will_do(open_page):
    page = open_page()
    keys = page.keyboard
    keys.press("/")
    keys.type("golden mirror")
    page.get_by_text("with “golden mirror”").wait_for()
    assert titles(page, "#found")[0] == "The Golden Mirror"
    keys.press("Tab")
    keys.press("Space")  # one star
    for _ in range(3):
        keys.press("ArrowRight")
    page.get_by_text("10 films from your rating,").wait_for()
    assert page.locator("#rated label.on").count() == 4
    assert page.locator("#found li").first.locator("label.on").count() == 4
    for _ in range(60):
        keys.press("Tab")
        if page.locator("#recommended .why").first.and_(page.locator(":focus")).count():
            break
    keys.press("Enter")
    page.locator("#why-graph svg").wait_for()
    keys.press("Escape")
    assert page.locator("#recommended .why").first.and_(page.locator(":focus")).count() == 1


def test_two_tabs_and_enter_lead_to_the_list_or_the_filters(open_page):
    for tabs, words, place in (
        (1, "Skip to your list", "for-you"),
        (2, "Skip to the filters", "filters-summary"),
    ):
        page = open_page()
        keys = page.keyboard
        for _ in range(tabs):
            keys.press("Tab")
        assert page.get_by_text(words).bounding_box()["x"] >= 0  # seen as soon as it has the focus
        keys.press("Enter")
        assert page.evaluate("document.activeElement.id") == place
    keys.press("Enter")
    keys.press("Tab")
    assert page.locator("#genres button").first.and_(page.locator(":focus")).is_visible()


def test_the_key_f_opens_the_filters_but_not_where_one_types(open_page):
    page = open_page()
    keys = page.keyboard
    page.get_by_label("Search").focus()
    keys.type("ff")
    assert page.get_by_label("Search").input_value() == "ff"
    assert not page.locator("#genres").is_visible()
    page.locator("#people").click()
    page.locator("#pick-close").focus()
    keys.press("f")  # a dialog is open
    keys.press("Escape")
    assert not page.locator("#genres").is_visible()
    page.locator("#theme").focus()
    keys.press("Control+f")  # the browser's own search
    assert not page.locator("#genres").is_visible()
    for _ in range(2):  # once more, and they stay open
        keys.press("f")
        assert page.locator("#filters-summary:focus").count() == 1
        assert page.locator("#genres").is_visible()


def test_posters_come_from_the_address_that_the_operator_gives(browser, predictor):
    asked = []
    dot = '<svg xmlns="http://www.w3.org/2000/svg" width="46" height="69"/>'

    def poster(route):
        asked.append(route.request.url)
        missing = len(asked) == 2
        route.fulfill(status=404) if missing else route.fulfill(body=dot, content_type="image/svg+xml")

    page = browser.new_page()
    page.route("https://posters.example/**", poster)
    template = "https://posters.example/{item_id}.jpg?of={name}&file={title}&in={year}"
    with serving(predictor, poster_url=template) as place:
        page.goto(place)
        page.locator("#recommended span.poster").wait_for()  # a place left for the one that is missing
        drawn = "[...document.images].filter(one => one.naturalWidth === 46).length"
        page.wait_for_function(f"() => {drawn} === 9")
        rows = recommend(predictor, ratings={}, order="score")
        expected = [
            template.format(
                item_id=one, name=quote(natural_title(title), safe=""), title=quote(title), year=year
            )
            for one, title, year in zip(rows.item_id, rows.title, rows.year, strict=True)
        ]
        assert sorted(map(unquote, asked)) == sorted(map(unquote, expected))
        assert not any(" " in address for address in asked)
        assert page.locator("#recommended img[alt='']").count() == 9
        lefts = {poster.bounding_box()["x"] for poster in page.locator("#recommended .poster").all()}
        assert len(lefts) == 1  # titles stay in one column
        page.set_viewport_size({"width": 390, "height": 844})
        card = page.locator("#recommended li").first
        picture, words = (card.locator(part).bounding_box() for part in (".poster", ".title"))
        assert picture["x"] + picture["width"] < words["x"]
        assert words["x"] + words["width"] < 390
    page.close()


def test_on_a_phone_and_in_the_dark(open_page, shots):
    page = open_page(390, 844, has_touch=True, is_mobile=True)
    rate_five(page)
    assert not page.locator("#genres").is_visible()
    wide = page.locator("body").bounding_box()["width"]
    for selector in ("#found li", "#rated li", "#recommended li", ".panel"):
        box = page.locator(selector).first.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= wide == 390
    page.screenshot(path=shots / "phone-rate.png")
    page.get_by_text("See your list").tap()
    page.locator("#recommended li").nth(3).scroll_into_view_if_needed()
    page.screenshot(path=shots / "phone.png")
    page.locator("#recommended .why").first.tap()
    page.locator("#why-graph svg").wait_for()
    page.screenshot(path=shots / "phone-why.png")

    page = open_page(color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(18, 22, 27)"
    rate_five(page)
    page.screenshot(path=shots / "dark.png")
    page.locator("#recommended .why").first.click()
    page.locator("#why-graph svg").wait_for()
    page.screenshot(path=shots / "dark-why.png")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Auto: colours as the system").click()
    assert page.evaluate(ground) == "rgb(245, 246, 248)"
    page.get_by_role("button", name="Light: colours always light").click()
    assert page.evaluate(ground) == "rgb(18, 22, 27)"


def test_what_failed_stays_told_until_it_succeeds(browser, address):
    context = browser.new_context()
    page, broken = context.new_page(), {"status": 500, "json": {"detail": "the disk is full"}}
    page.route("**/api/recommendations", lambda route: route.fulfill(**broken))
    page.goto(address)
    banner = page.get_by_text("the disk is full")
    banner.wait_for()
    page.locator("#recommended[aria-busy=false]").wait_for(state="attached")
    page.get_by_label("Search").fill("a")
    page.locator("#found li").first.wait_for()
    page.wait_for_timeout(500)
    assert banner.is_visible()  # the search went well, the list still did not
    page.route("**/api/items*", lambda route: route.fulfill(status=500, json={"detail": "no titles"}))
    page.get_by_label("Search").fill("b")
    page.get_by_text("no titles").wait_for()
    page.unroute("**/api/items*")
    page.get_by_label("Search").fill("c")
    banner.wait_for()  # what is still not mended
    page.unroute("**/api/recommendations")
    page.get_by_text("Your taste").click()
    banner.wait_for(state="hidden")
    context.close()


def test_all_that_failed_is_tried_again(browser, address):
    context = browser.new_context()
    page = context.new_page()
    for path in ("items*", "recommendations"):
        page.route(f"**/api/{path}", lambda route: route.fulfill(status=500, json={"detail": "no disk"}))
    page.goto(address)
    page.get_by_text("no disk").wait_for()
    page.locator("#recommended[aria-busy=false]").wait_for(state="attached")
    page.wait_for_timeout(500)
    for path in ("items*", "recommendations"):
        page.unroute(f"**/api/{path}")
    page.get_by_role("button", name="Try again").click()
    page.get_by_text("before you rate").wait_for()
    page.locator("#found li").first.wait_for()
    assert not page.locator("#banner").is_visible()
    context.close()


@pytest.mark.parametrize("arms", [["A"], ["A", "B"]])
def test_a_visitor_has_an_id_only_where_runs_are_compared_and_keeps_it(browser, address, arms):
    def about(route):
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "arms": arms})

    context = browser.new_context()
    page = context.new_page()
    page.route("**/api/about", about)
    sent = []
    page.on("request", lambda one: sent.append(one) if one.url.endswith("/recommendations") else None)
    for _ in range(2):
        page.goto(address)
        page.get_by_text("before you rate").wait_for()
    assert len(sent) >= 2
    ids = {request.headers.get("visitor-id") for request in sent}
    assert len(ids) == 1
    assert len(ids.pop() or "") == (32 if len(arms) > 1 else 0)
    context.close()


def test_a_wrong_token_is_asked_for_again(browser, address):
    context = browser.new_context()
    page = context.new_page()

    def guard(route):
        known = route.request.headers.get("authorization") == "Bearer right"
        route.continue_() if known else route.fulfill(status=401, json={"detail": "a token, please"})

    page.route("**/api/*", guard)
    page.goto(address)
    for token in ("wrong", "Schlüssel", "钥匙"):
        page.locator("#token").fill(token)
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.getElementById('token').value === ''")
        page.locator("#locked[open]").wait_for()
    page.locator("#token").fill("right")
    page.keyboard.press("Enter")
    page.get_by_text("before you rate").wait_for()
    context.close()


def test_without_ratings_one_likes_items_and_sees_no_scores(open_page, clicks, shots):
    with serving(clicks) as place:
        page = open_page(at=place, telling="The best known")
        first = page.locator("#found .like").first
        first.click()
        page.get_by_text("10 items from your choice").wait_for()
        assert first.get_attribute("aria-pressed") == "true"
        assert titles(page, "#rated") == titles(page, "#found")[:1]
        assert not page.locator("#recommended .score, .stars, .why").count()
        assert not page.get_by_text("Predicted at least").is_visible()
        page.screenshot(path=shots / "clicks.png")
        first.click()
        page.get_by_text("before you").wait_for()
        assert first.get_attribute("aria-pressed") == "false"
