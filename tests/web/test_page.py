"""The page in a browser: rate five films, see ten others, filter, ask why; with a mouse and with keys alone.

Needs Debian's chromium (``apt-get install chromium``) and the Python package playwright, which drives it.
Screenshots go to the folder in IGMC_SCREENSHOTS, if there is one.
"""

import os
import shutil
from pathlib import Path

import pytest

from igmc.inference.lists.recommend import recommend

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
STARS = (5, 1, 4, 5, 2)


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

    def open_one(width=1280, height=900, **more):
        context = browser.new_context(viewport={"width": width, "height": height}, **more)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(address)
        page.get_by_text("before you rate").wait_for()
        page.get_by_text("What many people have rated").wait_for()
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

    most = sorted(range(250), key=lambda k: (-len(predictor.graph.by_item.row(k)[0]), k))[:5]
    given = dict(zip(predictor.items.decode(most), STARS, strict=True))
    expected = recommend(predictor, ratings=given)
    assert after == [title.rpartition(" (")[0] for title in expected.title]
    page.screenshot(path=shots / "desktop.png")

    page.get_by_label("Genre").select_option("Drama")
    page.get_by_text("1", exact=True).and_(page.locator("#filter-count")).wait_for()
    page.locator("#recommended[aria-busy=false]").wait_for(state="attached")
    assert all("Drama" in text for text in page.locator("#recommended .meta").all_text_contents())
    page.get_by_label("From").fill("2000")
    page.get_by_label("Score").select_option(index=4)
    page.get_by_text("3", exact=True).and_(page.locator("#filter-count")).wait_for()
    page.locator("#recommended[aria-busy=false]").wait_for(state="attached")
    assert "left: of 250 items" in page.locator("#reason").inner_text()
    page.get_by_role("button", name="Reset").click()
    page.get_by_text("10 films from your 5 ratings").wait_for()

    page.locator("#recommended .why").first.click()
    page.locator("#why-graph svg").wait_for()
    assert page.locator("#why-title").inner_text() == f"Why {expected.score[0]:.1f} for {after[0]}?"
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


def test_on_a_phone_and_in_the_dark(open_page, shots):
    page = open_page(390, 844, has_touch=True, is_mobile=True)
    rate_five(page)
    assert not page.locator("#filter-form").is_visible()
    wide = page.locator("body").bounding_box()["width"]
    for selector in ("#found li", "#rated li", "#recommended li", ".panel"):
        box = page.locator(selector).first.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= wide == 390
    page.screenshot(path=shots / "phone-rate.png")
    page.get_by_text("See what is for you").tap()
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
    page.get_by_role("button", name="Colours: as the system").click()
    assert page.evaluate(ground) == "rgb(245, 246, 248)"
    page.get_by_role("button", name="Colours: light").click()
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
    page.get_by_label("Genre").select_option("Drama")
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
        page.wait_for_function("document.getElementById('token').value === ''")
        page.locator("#locked[open]").wait_for()
    page.locator("#token").fill("right")
    page.keyboard.press("Enter")
    page.get_by_text("before you rate").wait_for()
    context.close()
