// The page: search and rate, the list that follows, and why. All that the server sends goes in as text.

import { drawing, levelOf, shortened, svg } from "./graph.js";

const $ = (id) => document.getElementById(id);
const STAR = "M12 1.8l3.1 6.6 7.1.9-5.2 5 1.3 7.2L12 18l-6.3 3.5L7 14.3l-5.2-5 7.1-.9z";
const WAIT = 120; // ms of rest before asking
const TRIES = 4; // of a request that the server is too busy for

const rated = new Map(); // item id -> { item, rating }, the latest last; ids keep their type, 1 is not "1"
let about = null, token = "", groups = 0;

/** An HTML element with properties, and text or children inside. */
function make(name, properties = {}, ...inside) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...inside);
  return element;
}

const plural = (count) => `${count.toLocaleString("en")} ${about.noun}${count === 1 ? "" : "s"}`;

/** A title without the year that may stand in it, or the id. */
function nameOf(item) {
  const title = (item.title || "").trim() || `${about.noun} ${item.item_id ?? item.id}`;
  return title.replace(/\s*\((?:1[89]|20)\d\d\)$/, "") || title;
}

function metaOf(item) {
  return [item.year, item.genres.join(", ")].filter(Boolean).join(" · ");
}

// ---- asking -------------------------------------------------------------------------------------------------

const rest = (ms, signal) => new Promise((done, fail) => {
  const timer = setTimeout(done, ms);
  signal?.addEventListener("abort", () => { clearTimeout(timer); fail(signal.reason); });
});

/** The answer to a GET, or to a POST of `body`; waits and asks again where the server is busy. */
async function ask(path, { body, signal } = {}) {
  for (let turn = 1; ; turn += 1) {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    if (body) headers["Content-Type"] = "application/json";
    const options = body ? { method: "POST", body: JSON.stringify(body) } : {};
    const answer = await fetch(path, { ...options, headers, signal, cache: "no-store" });
    if (answer.ok) return answer.json();
    const busy = answer.status === 429 || answer.status === 503;
    if (busy && turn < TRIES) {
      await rest(1000 * (Number(answer.headers.get("Retry-After")) || 1), signal);
    } else if (answer.status === 401) {
      await unlock();
    } else {
      const problem = await answer.json().catch(() => ({}));
      throw new Error(problem.detail || `The server answered ${answer.status}.`);
    }
  }
}

let unlocking = null;

/** Ask the reader for the token, once for all requests that wait for it. */
function unlock() {
  unlocking ??= new Promise((done) => {
    $("locked").showModal();
    $("locked-form").onsubmit = (event) => {
      event.preventDefault();
      const typed = $("token").value.trim();
      token = /^[!-~]*$/.test(typed) ? typed : ""; // fetch refuses a header of other signs: the reader is asked again
      $("token").value = "";
      unlocking = null;
      $("locked").close();
      done();
    };
  });
  return unlocking;
}

const failed = new Map(); // task -> what went wrong when it last ran

/** The banner tells of the last failure that is not mended yet. */
function tell() {
  const messages = [...failed.values()];
  $("banner").hidden = !messages.length;
  if (messages.length) $("banner-text").textContent = messages[messages.length - 1];
}

function complain(error, again) {
  if (error.name === "AbortError") return;
  const away = error instanceof TypeError; // what fetch throws without a connection
  failed.delete(again);
  failed.set(again, away ? "The server does not answer." : error.message);
  tell();
}

function mended(task) {
  failed.delete(task);
  tell();
}

function tryAgain() {
  const tasks = [...failed.keys()];
  failed.clear();
  tell();
  tasks.forEach((task) => task());
}

/** `task`, called after a moment of rest with the signal that a later call aborts. */
function latest(task, wait = WAIT) {
  let running = null;
  const again = async () => {
    running?.abort();
    const mine = (running = new AbortController());
    try {
      await rest(wait, mine.signal);
      await task(mine.signal);
      mended(again);
    } catch (error) {
      complain(error, again);
    }
  };
  return again;
}

// ---- rating -------------------------------------------------------------------------------------------------

/** Stars, or half stars, or a choice of numbers: whatever fits the scale. */
function rater(item) {
  const values = about.scale, top = values[values.length - 1];
  const whole = values.length <= 7 && values.every(Number.isInteger);
  const halves = values.length === 10 && values[0] === 0.5 && top === 5;
  const control = whole || halves ? starGroup(item, values, halves) : numberChoice(item, values);
  control.dataset.item = JSON.stringify(item.item_id);
  paint(control, rated.get(item.item_id)?.rating);
  return control;
}

function starGroup(item, values, halves) {
  const group = `stars-${(groups += 1)}`;
  const field = make("fieldset", { className: "stars" }, make("legend", { className: "hidden" }, `Your rating of ${nameOf(item)}`));
  values.forEach((value, k) => {
    const half = halves ? (k % 2 ? "right" : "left") : "";
    const shape = svg("svg", { viewBox: { left: "0 0 12 24", right: "12 0 12 24" }[half] ?? "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: STAR }));
    const input = make("input", { type: "radio", name: group, id: `${group}-${k}`, value, className: "hidden" });
    const words = `${value} of ${values[values.length - 1]}`;
    const label = make("label", { htmlFor: input.id, className: half, title: words }, shape, make("span", { className: "hidden" }, words));
    input.addEventListener("change", () => rate(item, value));
    field.append(input, label);
  });
  return field;
}

function numberChoice(item, values) {
  const choice = make("select", { "aria-label": `Your rating of ${nameOf(item)}` }, make("option", { value: "" }, "–"));
  choice.append(...values.map((value) => make("option", { value }, String(value))));
  choice.addEventListener("change", () => (choice.value ? rate(item, Number(choice.value)) : drop(item)));
  return choice;
}

/** Show a rating, or none, on a control. */
function paint(control, rating) {
  if (control.tagName === "SELECT") {
    control.value = rating ?? "";
    return;
  }
  for (const input of control.querySelectorAll("input")) {
    input.checked = Number(input.value) === rating;
    input.nextElementSibling.classList.toggle("on", rating !== undefined && Number(input.value) <= rating);
  }
}

function repaint(itemId) {
  const key = JSON.stringify(itemId);
  for (const control of document.querySelectorAll("[data-item]")) {
    if (control.dataset.item === key) paint(control, rated.get(itemId)?.rating);
  }
}

function rate(item, rating) {
  const old = rated.get(item.item_id);
  rated.set(item.item_id, { item, rating, row: old?.row ?? ratedRow(item) });
  if (!old) $("rated").prepend(rated.get(item.item_id).row);
  changed(item.item_id);
}

function drop(item) {
  const row = rated.get(item.item_id).row;
  const next = row.nextElementSibling ?? row.previousElementSibling;
  if (row.contains(document.activeElement)) (next?.querySelector(".drop") ?? $("search")).focus();
  row.remove();
  rated.delete(item.item_id);
  changed(item.item_id);
}

function changed(itemId) {
  repaint(itemId);
  $("mine").hidden = !rated.size;
  $("count").textContent = rated.size || "";
  $("jump").hidden = !rated.size;
  refresh();
}

function row(item, ...more) {
  const what = make("div", { className: "what" }, make("div", { className: "title" }, nameOf(item)), make("div", { className: "meta" }, metaOf(item)));
  return make("li", {}, what, make("div", { className: "give" }, rater(item), ...more));
}

function ratedRow(item) {
  const button = make("button", { type: "button", className: "drop", "aria-label": `Remove your rating of ${nameOf(item)}`, title: "Remove" }, "×");
  button.addEventListener("click", () => drop(item));
  return row(item, button);
}

const search = latest(async (signal) => {
  const words = $("search").value.trim();
  const { items } = await ask(`api/items?${new URLSearchParams({ q: words, limit: words ? 30 : 20 })}`, { signal });
  $("found").replaceChildren(...items.map((item) => row(item)));
  $("found").scrollTop = 0;
  $("found-note").textContent = !words ? "What many people have rated, to begin with"
    : items.length ? `${items.length === 30 ? "The first 30" : items.length} with “${shortened(words, 40)}”`
      : `Nothing is called “${shortened(words, 40)}”. Fewer letters find more.`;
});

// ---- the list -----------------------------------------------------------------------------------------------

const whose = () => [...rated].map(([item_id, { rating }]) => ({ item_id, rating }));

/** What the filters ask for, in the words of the API. */
function filters() {
  const form = new FormData($("filter-form")), year = (name) => {
    const number = Number.parseInt(form.get(name), 10);
    return Number.isInteger(number) && number >= 0 && number <= 9999 ? number : null;
  };
  return {
    genres: [form.get("genre")].filter(Boolean),
    exclude_genres: [form.get("without")].filter(Boolean),
    year_from: year("from"),
    year_to: year("to"),
    min_score: form.get("score") ? Number(form.get("score")) : null,
    k: Number(form.get("k")),
  };
}

async function list(signal) {
  const asked = filters(), start = performance.now();
  const found = await ask("api/recommendations", { body: { ratings: whose(), ...asked }, signal });
  const took = Math.round(performance.now() - start);
  $("recommended").replaceChildren(...found.items.map(card));
  const from = rated.size ? `from your ${rated.size === 1 ? "rating" : `${rated.size} ratings`}` : "before you rate";
  $("status").textContent = `${plural(found.items.length)} ${from}, in ${took} ms`;
  const { k, ...rest } = asked;
  $("filter-count").textContent = Object.values(rest).filter((value) => value !== null && String(value)).length || "";
  $("reason").textContent = found.reason ? `${found.reason[0].toUpperCase()}${found.reason.slice(1)}.` : "";
  $("hint").textContent = rated.size ? "" : `This is what people like in general. Rate a ${about.noun} or two, and the list becomes yours.`;
}

const listLater = latest(async (signal) => {
  $("recommended").setAttribute("aria-busy", "true");
  try {
    await list(signal);
  } finally {
    if (!signal.aborted) $("recommended").setAttribute("aria-busy", "false");
  }
});

function refresh() {
  $("recommended").setAttribute("aria-busy", "true");
  listLater();
}

function card(item) {
  const [low, high] = [about.scale[0], about.scale[about.scale.length - 1]];
  const meter = make("meter", { min: low, max: high, value: item.score });
  meter.setAttribute("aria-hidden", "true");
  const score = make("div", { className: "score" }, make("span", { className: "hidden" }, "predicted "), item.score.toFixed(high > 20 ? 0 : 1), meter);
  const button = make("button", { type: "button", className: "small why" }, "Why?");
  button.setAttribute("aria-label", `Why ${nameOf(item)}?`);
  button.addEventListener("click", () => explain(item));
  const what = make("div", { className: "what" }, make("div", { className: "title" }, nameOf(item)), make("div", { className: "meta" }, metaOf(item)));
  return make("li", {}, make("span", { className: "rank" }, String(item.rank)), what, score, button);
}

// ---- why ----------------------------------------------------------------------------------------------------

async function explain(item) {
  onresize = null;
  const dialog = $("why");
  $("why-title").textContent = `Why ${item.score.toFixed(1)} for ${nameOf(item)}?`;
  $("why-text").textContent = "Leaving out one rating after the other …";
  for (const id of ["why-graph", "why-legend", "why-table", "why-note"]) $(id).replaceChildren();
  $("why-more").hidden = true;
  dialog.showModal();
  const leaving = new AbortController();
  dialog.onclose = () => leaving.abort();
  try {
    const found = await ask("api/explanations", { body: { item_id: item.item_id, ratings: whose() }, signal: leaving.signal });
    shown(found);
  } catch (error) {
    if (error.name !== "AbortError") $("why-text").textContent = error instanceof TypeError ? "The server does not answer." : error.message;
  }
}

function shown(found) {
  $("why-text").textContent = found.text.replaceAll("the new user", "you");
  if (!found.ratings.length) return;
  const draw = () => $("why-graph").replaceChildren(
    drawing(found, { width: Math.max(300, $("why-graph").clientWidth), scale: about.scale, name: nameOf }));
  draw();
  onresize = () => $("why").open && draw();
  const ends = [...new Set([0, 0.25, 0.5, 0.75, 1].map((at) => about.scale[Math.round(at * (about.scale.length - 1))]))];
  const line = (kind, width) => svg("svg", { width: 26, height: 10, "aria-hidden": "true" }, svg("path", { d: "M2 5H24", class: `edge ${kind}`, "stroke-width": width }));
  $("why-legend").replaceChildren(
    make("span", {}, "gave", ...ends.flatMap((value) => [line(`level-${levelOf(value, about.scale)}`, 4), String(value)])),
    make("span", {}, line("level-2", 7), "matters much"), make("span", {}, line("level-2", 1.5), "little"),
    make("span", {}, line("level-2 minus", 3), "pulls it down"));
  $("why-table").replaceChildren(table(found));
  $("why-more").hidden = false;
  const { users, items, ratings } = found.subgraph;
  $("why-note").textContent = `Read off ${ratings.toLocaleString("en")} ratings by ${users.toLocaleString("en")} people of ${plural(items)}; the drawing shows the ones that matter most.`;
}

function table(found) {
  const cell = (text, kind = "", name = "td") => make(name, { className: kind }, text);
  const head = make("tr", {}, cell("Who", "", "th"), cell("gave", "number", "th"), cell("to", "", "th"), cell("which moves it by", "number", "th"));
  const rows = found.ratings.map((one) => make("tr", {},
    cell(one.user ? `user ${found.users[one.user].id}` : "you"), cell(String(one.rating), "number"),
    cell(nameOf(found.items[one.item])), cell((one.importance < 0 ? "−" : "+") + Math.abs(one.importance).toFixed(3), "number")));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
}

// ---- the rest -----------------------------------------------------------------------------------------------

function themes() {
  const names = { auto: ["Auto", "as the system"], light: ["Light", "light"], dark: ["Dark", "dark"] };
  const order = Object.keys(names);
  let at = 0;
  $("theme").addEventListener("click", () => {
    at = (at + 1) % order.length;
    const [shownName, words] = names[order[at]];
    document.documentElement.dataset.theme = order[at];
    $("theme").textContent = shownName;
    $("theme").setAttribute("aria-label", `Colours: ${words}`);
  });
}

function prepare() {
  for (const word of document.querySelectorAll("[data-noun]")) word.textContent = about.noun + word.dataset.noun;
  $("dataset").textContent = about.dataset;
  $("facts").textContent = `${about.ratings.toLocaleString("en")} ratings by ${about.users.toLocaleString("en")} people of ${plural(about.items)}, igmc ${about.version}.`;
  const form = $("filter-form").elements;
  for (const name of ["genre", "without"]) {
    form[name].append(...about.genres.map((genre) => make("option", { value: genre }, genre)));
    form[name].closest("label").hidden = !about.genres.length;
  }
  for (const [name, year] of [["from", about.years[0]], ["to", about.years[1]]]) {
    form[name].placeholder = year ?? "";
    form[name].closest("label").hidden = year === undefined;
  }
  const low = about.scale[0], span = about.scale[about.scale.length - 1] - low;
  for (const share of [0.5, 0.625, 0.75, 0.875]) {
    const value = low + share * span;
    form.score.append(make("option", { value }, `at least ${Number(value.toFixed(2))}`));
  }
}

async function start() {
  try {
    about ??= await ask("api/about");
  } catch (error) {
    complain(error, start);
    return;
  }
  prepare();
  $("search").addEventListener("input", search);
  $("filter-form").addEventListener("input", refresh);
  $("filter-form").addEventListener("reset", () => setTimeout(refresh));
  $("filter-form").addEventListener("submit", (event) => event.preventDefault());
  $("clear").addEventListener("click", () => {
    const ids = [...rated.keys()];
    rated.clear();
    $("rated").replaceChildren();
    ids.forEach(repaint);
    $("search").focus();
    changed();
  });
  $("why-close").addEventListener("click", () => $("why").close());
  $("why").addEventListener("click", (event) => event.target === $("why") && $("why").close());
  $("locked").addEventListener("cancel", (event) => event.preventDefault());
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.closest("input:not([type=radio]), select, dialog")) return;
    event.preventDefault();
    $("search").focus();
  });
  if (matchMedia("(max-width: 820px)").matches) $("filters").open = false;
  search();
  refresh();
}

/** On a phone the list is below what one rates: a way there, while it is out of sight. */
function jumps() {
  const seen = new IntersectionObserver(([one]) => $("jump").classList.toggle("seen", one.isIntersecting), { rootMargin: "0px 0px -25% 0px" });
  seen.observe($("list"));
}

$("again").addEventListener("click", tryAgain);
themes();
jumps();
start();
