// The page: rate, the lists that follow, and why. All that the server sends goes in as text.

import { $, button, handOut, make } from "./dom.js";
import { drawing, levelOf, shortened, svg } from "./graph.js";
import { saver, showLists, startLists, tidy } from "./lists.js";
import { ask, complain, latest, mended, saidOf, tryAgain, visit } from "./net.js";
import { before, hidden, isKept, isLink, keep, link, lists, rated, said } from "./store.js";

const STAR = "M12 1.8l3.1 6.6 7.1.9-5.2 5 1.3 7.2L12 18l-6.3 3.5L7 14.3l-5.2-5 7.1-.9z";
const FIRST = 12; // titles to rate that are shown at first
const MOST = 1000; // ids in a question

let about = null, groups = 0, user = null, view = "score", views = null, answered = null, shownTitles = FIRST;

const plural = (count) => `${count.toLocaleString("en")} ${about.noun}${count === 1 ? "" : "s"}`;
const isFilm = () => about.noun === "film";

/** Ratings, or choices where there are no ratings, in words with their number. */
const counted = (count) => `${count.toLocaleString("en")} ${about.rates ? "rating" : "choice"}${count === 1 ? "" : "s"}`;

/** A title as people say it, or the id. */
const nameOf = (item) => item.name || `${about.noun} ${item.item_id ?? item.id}`;

const metaOf = (item) => [item.year, item.genres.join(", ")].filter(Boolean).join(" · ");

// ---- rating -------------------------------------------------------------------------------------------------

/** Stars, or half stars, or a choice of numbers: whatever fits the scale; without ratings, a button. */
function rater(item) {
  const values = about.scale, top = values[values.length - 1];
  if (values.length === 1) return liker(item, top);
  const whole = values.length <= 7 && values.every(Number.isInteger);
  const halves = values.length === 10 && values[0] === 0.5 && top === 5;
  const control = whole || halves ? starGroup(item, values, halves) : numberChoice(item, values);
  control.dataset.item = JSON.stringify(item.item_id);
  paint(control, rated.get(item.item_id)?.rating);
  return control;
}

/** One button that says the item is liked, and takes that back. */
function liker(item, value) {
  const control = button("♥ Like", `Like ${nameOf(item)}`, () => (rated.has(item.item_id) ? drop(item) : rate(item, value)), "small like");
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
    // A click on the star that is set takes the rating back; keys that move to another star click it too.
    input.addEventListener("click", () => (rated.get(item.item_id)?.rating === value ? drop(item) : rate(item, value)));
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
  if (control.tagName === "BUTTON") {
    control.setAttribute("aria-pressed", String(rating !== undefined));
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
  unhide(item, false);
  rated.set(item.item_id, { item, rating, row: old?.row ?? ratedRow(item) });
  if (!old) $("rated").prepend(rated.get(item.item_id).row);
  changed(item.item_id);
}

function drop(item) {
  const row = rated.get(item.item_id).row;
  leave(row, ".drop");
  rated.delete(item.item_id);
  changed(item.item_id);
}

/** Take a row away; the focus, if it is there, goes to its neighbour. */
function leave(row, inside) {
  const next = row.nextElementSibling ?? row.previousElementSibling;
  if (row.contains(document.activeElement)) (next?.querySelector(inside) ?? $("search")).focus();
  row.remove();
}

/** Leave an item out of the lists without a rating. */
function hide(item, why) {
  const words = why === "seen" ? (isFilm() ? "seen" : "known") : "not for you";
  const row = make("li", {}, what(item, words), button("Undo", `Undo: ${nameOf(item)}`, () => unhide(item)));
  hidden.set(item.item_id, { item, why, row });
  $("away").prepend(row);
  changed(item.item_id);
}

function unhide(item, tell = true) {
  const old = hidden.get(item.item_id);
  if (!old) return;
  leave(old.row, "button");
  hidden.delete(item.item_id);
  if (tell) changed(item.item_id);
}

/** Take all ratings back, and what was left out; one click brings them back. */
function clear() {
  const given = [...rated.values()], away = [...hidden.values()];
  rated.clear();
  hidden.clear();
  $("rated").replaceChildren();
  $("away").replaceChildren();
  for (const { item } of [...given, ...away]) repaint(item.item_id);
  changed();
  const undo = button("Undo", "Undo: clear", () => {
    for (const { item, rating } of given) if (!rated.has(item.item_id)) rate(item, rating);
    for (const { item, why } of away) if (!rated.has(item.item_id) && !hidden.has(item.item_id)) hide(item, why);
    $("clear").focus();
  });
  $("cleared").replaceChildren("Cleared. ", undo);
  undo.focus();
}

function changed(itemId) {
  repaint(itemId);
  $("cleared").replaceChildren();
  $("given").hidden = !rated.size && !hidden.size;
  $("put-away").hidden = !hidden.size;
  $("count").textContent = rated.size || "";
  $("away-count").textContent = hidden.size || "";
  $("jump").hidden = !rated.size;
  keepUp();
  refresh();
}

/** After any change of what the reader said: show what there is to keep, and keep it if that is wanted. */
function keepUp() {
  $("mine").hidden = !rated.size && !hidden.size && !lists.length && $("own-lists").hidden;
  if ($("keep").checked && !keep(true)) {
    $("keep").checked = false;
    $("own-note").textContent = "This browser keeps no more for this page.";
  }
}

function what(item, more = metaOf(item)) {
  return make("div", { className: "what" }, make("div", { className: "title" }, nameOf(item)), make("div", { className: "meta" }, more));
}

const row = (item, ...more) => make("li", {}, what(item), make("div", { className: "give" }, rater(item), ...more));

function ratedRow(item) {
  const away = button("×", `Remove ${about.rates ? "your rating of " : ""}${nameOf(item)}`, () => drop(item), "drop");
  away.title = "Remove";
  return about.rates ? row(item, away) : make("li", {}, what(item), make("div", { className: "give" }, away));
}

/** What a request finds; if it fails, a note says so where the answer would be, and what is there turns grey. */
async function told(request, note, rows) {
  try {
    const found = await request;
    rows?.classList.remove("stale");
    return found;
  } catch (error) {
    if (error.name !== "AbortError") {
      note.textContent = rows ? "Not searched yet." : saidOf(error);
      rows?.classList.add("stale");
    }
    throw error;
  }
}

let titles = [];

const search = latest(async (signal) => {
  const words = $("search").value.trim();
  const asked = new URLSearchParams({ q: words, limit: 60, telling: !words });
  const { items, corrected } = await told(ask(`api/items?${asked}`, { signal }), $("found-note"), $("found"));
  titles = items;
  shownTitles = FIRST;
  showTitles();
  const many = items.length === 60 ? "The first 60" : items.length;
  $("found-note").textContent = !words ? (about.rates ? "Well-known, and people do not agree on them: these tell most about you" : "The best known")
    : !items.length ? `Nothing is called “${shortened(words, 40)}”. Fewer letters find more.`
      : corrected ? `Nothing is called “${shortened(words, 40)}”. Did you mean one of these?` : `${many} with “${shortened(words, 40)}”`;
});

function showTitles() {
  $("found").replaceChildren(...titles.slice(0, shownTitles).map((item) => row(item, saver(item, true))));
  $("more").hidden = titles.length <= shownTitles;
}

// ---- the list -----------------------------------------------------------------------------------------------

const VIEWS = {
  score: ["Best bets", "By predicted rating, the highest first.", { order: "score" }],
  lift: ["Your taste", "What you are predicted to like more than most people do.", { order: "lift" }],
  blend: ["Next for you", "What people with such ratings choose next, and you are predicted to like.", { order: "blend" }],
  gems: ["Hidden gems", "Little known, and above what most people give.", { gems: true }],
  least: ["Least for you", "What you are predicted to like least, the worst first.", { order: "score", bottom: true }],
};

views = VIEWS;

// What there is where no ratings are predicted.
const LISTS = {
  relevance: ["For you", "What people with such choices choose next.", { order: "relevance" }],
  gems: ["Hidden gems", "The same, but only what few people know.", { gems: true }],
};

const whose = () => ({
  ...(user === null ? {} : { user_id: user }),
  ratings: [...rated].map(([item_id, { rating }]) => ({ item_id, rating })),
});

/** What the filters ask for, in the words of the API. */
function filters() {
  const form = $("filter-form").elements, [first, last] = about.years;
  const chips = [...document.querySelectorAll("#genres button")];
  const of = (state) => chips.filter((chip) => chip.dataset.state === state).map((chip) => chip.textContent);
  let [from, to] = [Number(form.from.value), Number(form.to.value)];
  if (from > to) [from, to] = [to, from];
  return {
    genres: of("in"),
    exclude_genres: of("out"),
    year_from: first === undefined || from <= first ? null : from,
    year_to: first === undefined || to >= last ? null : to,
    min_score: about.rates && Number(form.score.value) > about.scale[0] ? Number(form.score.value) : null,
    diversity: Number(form.diversity.value),
  };
}

/** Say beside each slider what it stands at, and how many filters there are. */
function tellFilters() {
  const asked = filters(), form = $("filter-form").elements;
  const { year_from: from, year_to: to } = asked;
  const [first, last] = [from ?? about.years[0], to ?? about.years[1]];
  $("years-out").textContent = from === null && to === null ? "any" : first === last ? first : `${first} to ${last}`;
  $("score-out").textContent = asked.min_score === null ? "any" : Number(asked.min_score.toFixed(2));
  $("variety-out").textContent = ["none", "a little", "some", "much", "most"][Math.round(asked.diversity * 5)];
  const set = [...asked.genres, ...asked.exclude_genres, from ?? to, asked.min_score, asked.diversity || null, form.because.checked || null];
  $("filter-count").textContent = set.filter((value) => value !== null).length || "";
  $("view-note").textContent = views[view][1];
}

async function list(signal) {
  const form = $("filter-form").elements, start = performance.now();
  const body = { ...whose(), ...filters(), ...views[view][2], k: Number(form.k.value), exclude: [...hidden.keys()], because: form.because.checked };
  const found = await ask("api/recommendations", { body, signal });
  const took = Math.round(performance.now() - start);
  $("recommended").replaceChildren(...(form.because.checked ? grouped(found.items) : found.items.map(card)));
  const own = rated.size === 1 ? (about.rates ? "rating" : "choice") : counted(rated.size);
  const from = user !== null ? `for user ${user}${rated.size ? ` with ${own} of yours` : ""}` : rated.size ? `from your ${own}` : "before you rate";
  answered = `${found.items.length ? plural(found.items.length) : `No ${about.noun}`} ${from}`;
  $("status").textContent = answered;
  $("took").textContent = `, in ${took} ms`;
  $("reason").textContent = reasonOf(found.reason);
  $("relax").hidden = !found.reason || !$("filter-count").textContent;
  $("hint").textContent = rated.size || user !== null ? "" : `This is what people like in general. ${about.rates ? "Rate" : "Like"} a ${about.noun} or two, and the list becomes yours.`;
}

/** Why a list is short, in the words of the page. */
function reasonOf(reason) {
  const words = reason.replace(/\bitem(s?)\b/g, `${about.noun}$1`).replace("by the user", user === null ? "by you" : `by user ${user}`)
    .replace(/\d{4,}(?= (film|item))/, (count) => Number(count).toLocaleString("en"));
  return words && `${words[0].toUpperCase()}${words.slice(1)}.`;
}

const listLater = latest(async (signal) => {
  const cards = $("recommended");
  try {
    await list(signal);
    cards.classList.remove("stale");
  } catch (error) {
    if (error.name !== "AbortError") {
      cards.classList.add("stale");
      $("took").textContent = "";
      $("status").textContent = answered === null ? "There is no list yet." : `Not up to date. Still ${answered}.`;
      if (answered === null) cards.replaceChildren();
    }
    throw error;
  } finally {
    if (!signal.aborted) cards.setAttribute("aria-busy", "false");
  }
});

function refresh() {
  tellFilters();
  const cards = $("recommended");
  cards.setAttribute("aria-busy", "true");
  if (!cards.childElementCount) cards.replaceChildren(...skeletons());
  listLater();
}

/** Grey shapes where the list will be. */
function skeletons() {
  return Array.from({ length: 6 }, () => make("li", { className: "skeleton", "aria-hidden": "true" }, make("div"), make("div")));
}

/** Cards under what they are there for, in the order of the list. */
function grouped(items) {
  const groups = new Map();
  for (const item of items) {
    const key = item.because ? JSON.stringify(item.because.item_id) : "";
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return [...groups.values()].map((members) => {
    const reason = members[0].because;
    const words = reason ? `Because you gave ${reason.rating} to ${reason.name || `${about.noun} ${reason.item_id}`}` : "For other reasons";
    return make("li", { className: "group" }, make("h3", {}, words), make("ol", {}, ...members.map(card)));
  });
}

/** What is predicted, beside what most people give; nothing where no ratings are predicted. */
function scoreOf(item) {
  const [low, high] = [about.scale[0], about.scale[about.scale.length - 1]], span = high - low || 1;
  if (item.score === null) return [];
  const digits = high > 20 ? 0 : 1, lift = item.lift;
  const meter = make("div", { className: "bar", "aria-hidden": "true" }, make("i"), make("b"));
  meter.style.setProperty("--at", `${(100 * (item.score - low)) / span}%`);
  meter.style.setProperty("--usual", `${(100 * (item.usual - low)) / span}%`);
  const sign = Math.abs(lift) < span / 80 ? "as most people give" : `${Math.abs(lift).toFixed(digits)} ${lift > 0 ? "more" : "less"} than most give`;
  const likely = item.low === undefined || item.low === null ? "" : `likely ${item.low.toFixed(digits)} to ${item.high.toFixed(digits)}`;
  const score = make("div", { className: "score" },
    make("span", {}, make("span", { className: "hidden" }, "predicted "), make("strong", {}, item.score.toFixed(digits))), meter,
    make("span", { className: `lift ${lift > span / 80 ? "up" : lift < -span / 80 ? "down" : ""}` }, sign));
  if (likely) score.append(make("span", { className: "lift" }, likely));
  return [score];
}

function card(item) {
  const name = nameOf(item);
  const said = [metaOf(item), counted(item.ratings)].filter(Boolean).join(" · ");
  const acts = make("div", { className: "acts" }, rater(item),
    ...(about.rates ? [button("Why?", `Why ${name}?`, () => explain(item), "small why")] : []),
    button("More like this", `More like this: ${name}`, () => like(item)),
    button(isFilm() ? "Seen" : "Know it", `${isFilm() ? "Seen" : "Know it"}: ${name}`, () => hide(item, "seen")),
    button("Not for me", `Not for me: ${name}`, () => hide(item, "no")), saver(item));
  const card = make("li", {}, make("span", { className: "rank" }, String(item.rank)), what(item, said), ...scoreOf(item), acts);
  const poster = posterOf(item);
  if (poster) card.classList.add("posted"), card.prepend(poster);
  return card;
}

/** The picture that the operator's template leads to; none where there is none. */
function posterOf(item) {
  if (!about.poster_url) return null;
  const fill = { item_id: item.item_id, title: item.title, name: item.name, year: item.year ?? "" };
  const address = about.poster_url.replace(/\{(\w+)\}/g, (all, key) => (key in fill ? encodeURIComponent(fill[key]) : all));
  const picture = make("img", { className: "poster", alt: "", loading: "lazy", width: 46, height: 69, src: address });
  picture.addEventListener("error", () => picture.replaceWith(make("span", { className: "poster" })));
  return picture;
}

// ---- more like this, and whose list -------------------------------------------------------------------------

async function like(item) {
  $("like-title").textContent = `More like ${nameOf(item)}`;
  $("like-note").textContent = "Looking …";
  $("like-rows").replaceChildren();
  $("like").showModal();
  try {
    const { items } = await ask("api/similar", { body: { item_id: item.item_id, k: 10 } });
    $("like-rows").replaceChildren(...items.map((one) => row(one, saver(one, true))));
    $("like-note").textContent = !items.length ? "Too few people rated this to tell." : about.rates ? "People who rated both agreed on them." : "Chosen by the same people.";
  } catch (error) {
    $("like-note").textContent = saidOf(error, true);
  }
}

const people = latest(async (signal) => {
  const asked = new URLSearchParams({ q: $("pick-search").value, limit: 8 });
  const { users } = await told(ask(`api/users?${asked}`, { signal }), $("pick-note"));
  $("pick-note").textContent = users.length ? "" : "No user has such an id.";
  const choose = (id) => { user = id; $("pick").close(); $("people").textContent = id === null ? "You: a newcomer" : `User ${id}`; refresh(); };
  const line = (words, meta, id) => make("li", {}, button(words, "", () => choose(id), "pick"), make("span", { className: "meta" }, meta));
  $("pick-rows").replaceChildren(line("A newcomer", about.rates ? "with your own ratings" : "with your own choices", null), ...users.map((one) =>
    line(`User ${one.user_id}`, counted(one.ratings), one.user_id)));
});

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
    const found = await ask("api/explanations", { body: { item_id: item.item_id, ...whose() }, signal: leaving.signal });
    shown(found);
  } catch (error) {
    if (error.name !== "AbortError") $("why-text").textContent = saidOf(error, true);
  }
}

function shown(found) {
  $("why-text").textContent = found.text.replaceAll("the new user's", "your").replaceAll("the new user", "you");
  if (!found.ratings.length) return;
  const draw = () => $("why-graph").replaceChildren(
    drawing(found, { width: Math.max(300, $("why-graph").clientWidth), scale: about.scale, name: nameOf }));
  draw();
  onresize = () => $("why").open && draw();
  const ends = [...new Set([0, 0.25, 0.5, 0.75, 1].map((at) => about.scale[Math.round(at * (about.scale.length - 1))]))];
  const line = (kind, width) => svg("svg", { width: 26, height: 10, "aria-hidden": "true" }, svg("path", { d: "M2 5H24", class: `edge ${kind}`, "stroke-width": width }));
  $("why-legend").replaceChildren(
    make("span", {}, "gave", ...ends.flatMap((value) => [line(`level-${levelOf(value, about.scale)}`, 4), String(value)])),
    make("span", {}, line("plain", 7), "matters much"), make("span", {}, line("plain", 1.5), "little"),
    make("span", {}, line("plain minus", 3), "pulls it down"));
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
  const names = { auto: ["◐ Auto", "as the system"], light: ["☀ Light", "always light"], dark: ["☾ Dark", "always dark"] };
  const order = Object.keys(names);
  let at = 0;
  $("theme").addEventListener("click", () => {
    at = (at + 1) % order.length;
    const [shownName, words] = names[order[at]];
    document.documentElement.dataset.theme = order[at];
    $("theme").textContent = shownName;
    $("theme").setAttribute("aria-label", `${shownName.slice(2)}: colours ${words}`);
  });
}

function prepare() {
  for (const word of document.querySelectorAll("[data-noun]")) word.textContent = about.noun + word.dataset.noun;
  document.title = `${about.rates ? "Rate" : "Like"} a few ${about.noun}s, get ten: igmc`;
  if (!about.rates) unrated();
  $("dataset").textContent = about.dataset;
  $("facts").textContent = `${counted(about.ratings)} by ${about.users.toLocaleString("en")} people of ${plural(about.items)}, igmc ${about.version}.`;
  const form = $("filter-form").elements, [first, last] = about.years;
  for (const [name, [words, , asked]] of Object.entries(views)) {
    if (asked.order && !about.orders.includes(asked.order)) continue;
    const input = make("input", { type: "radio", name: "view", value: name, id: `view-${name}`, className: "hidden", defaultChecked: name === view });
    input.addEventListener("input", () => { view = name; }); // before the form hears of it
    $("views").append(input, make("label", { htmlFor: input.id }, words));
  }
  const genres = about.genres.filter((genre) => !/^(unknown|\(no genres listed\))$/i.test(genre));
  $("genres").append(...genres.map((genre) => button(genre, "", turn, "chip")));
  document.querySelectorAll("#genres button").forEach((chip) => state(chip, ""));
  $("genres").hidden = !about.genres.length;
  $("years").hidden = first === undefined || first === last;
  Object.assign(form.from, { min: first ?? 0, max: last ?? 0, defaultValue: first ?? 0, value: first ?? 0 });
  Object.assign(form.to, { min: first ?? 0, max: last ?? 0, defaultValue: last ?? 0, value: last ?? 0 });
  const [low, high] = [about.scale[0], about.scale[about.scale.length - 1]];
  Object.assign(form.score, { min: low, max: high, step: (high - low) / 40, defaultValue: low, value: low });
  form.k.querySelectorAll("option").forEach((option) => { option.hidden = Number(option.value) > about.max_k; });
}

/** The page where no ratings are predicted: likes instead of stars, and lists by relevance alone. */
function unrated() {
  [views, view] = [LISTS, "relevance"];
  const form = $("filter-form").elements;
  for (const one of [form.score, form.because]) one.closest("label").hidden = true;
  for (const word of document.querySelectorAll("[data-unrated]")) word.textContent = word.dataset.unrated;
}

/** The next state of a genre: wanted, not wanted, either. */
function turn(event) {
  state(event.currentTarget, { "": "in", in: "out", out: "" }[event.currentTarget.dataset.state]);
  refresh();
}

function state(chip, to) {
  chip.dataset.state = to;
  chip.setAttribute("aria-label", `${chip.textContent}: ${{ "": "any", in: "wanted", out: "not wanted" }[to]}`);
}

/** What was said before, of which the server tells the titles. */
async function recall() {
  const old = before(about.dataset);
  const ids = [...old.ratings, ...old.hidden].map(([id]) => id).concat(...old.lists.map(([, some]) => some));
  const named = new Map();
  for (let at = 0; at < ids.length; at += MOST) {
    const { items } = await ask("api/items/named", { body: { item_ids: ids.slice(at, at + MOST) } });
    for (const item of items) named.set(item.item_id, item);
  }
  for (const [id, rating] of old.ratings) if (named.has(id) && about.scale.includes(rating)) rate(named.get(id), rating);
  for (const [id, why] of old.hidden) if (named.has(id)) hide(named.get(id), why);
  for (const [name, some] of old.lists) {
    const items = new Map(some.filter((id) => named.has(id)).map((id) => [id, named.get(id)]));
    lists.push({ name: shortened(tidy(name), 60), items, open: old.received.includes(name) });
  }
  showLists();
  $("keep").checked = old.kept && isKept(); // from here on, changes are kept
  if (lists.length || rated.size) keepUp();
  if (isKept() && !old.kept) $("own-note").textContent = "These are of a link. What you keep here is another thing; to keep these replaces it.";
  if (!old.received.length) return;
  $("lists-note").textContent = `Somebody sent you “${old.received[0]}”.`;
  $("lists-head").focus();
}

function own() {
  const note = (words) => { $("own-note").textContent = words; };
  $("keep").checked = false; // browsers restore it
  $("keep").addEventListener("change", () => {
    const done = keep($("keep").checked);
    if (!done) $("keep").checked = false;
    note(done ? ($("keep").checked ? "They are still here when you come back." : "They are forgotten here.") : "This browser keeps nothing for this page.");
  });
  $("share").addEventListener("click", async () => note(await handOut(link())));
  $("export").addEventListener("click", () => {
    const ratings = [...rated.values()].map(({ item, rating }) => ({ item_id: item.item_id, title: item.title, rating }));
    const named = lists.map(({ name, items }) => ({ name, items: [...items.values()].map(({ item_id, title }) => ({ item_id, title })) }));
    const address = URL.createObjectURL(new Blob([JSON.stringify({ ...said(), ratings, lists: named }, null, 2)], { type: "application/json" }));
    make("a", { href: address, download: "my-ratings.json" }).click();
    URL.revokeObjectURL(address);
    note("my-ratings.json is saved.");
  });
}

let prepared = false, recalled = false;

async function start() {
  try {
    about ??= await ask("api/about");
    if (about.arms.length > 1) visit();
    if (!prepared) prepare(), own(), listen();
    prepared = true;
    if (!recalled) await recall();
    recalled = true;
  } catch (error) {
    complain(error, start);
    return;
  }
  mended(start);
  search();
  refresh();
}

function listen() {
  $("search").addEventListener("input", search);
  $("more").addEventListener("click", () => {
    const next = shownTitles;
    shownTitles += FIRST;
    showTitles();
    $("found").children[next]?.querySelector("input, select")?.focus();
  });
  $("filter-form").addEventListener("input", refresh);
  $("filter-form").addEventListener("reset", () => setTimeout(() => {
    document.querySelectorAll("#genres button").forEach((chip) => state(chip, ""));
    view = Object.keys(views)[0];
    refresh();
  }));
  $("relax").addEventListener("click", () => { $("filter-form").reset(); $("for-you").focus(); });
  $("filter-form").addEventListener("submit", (event) => event.preventDefault());
  $("clear").addEventListener("click", clear);
  $("people").addEventListener("click", () => { $("pick").showModal(); people(); });
  $("pick-search").addEventListener("input", people);
  for (const name of ["why", "like", "pick", "save"]) {
    $(`${name}-close`).addEventListener("click", () => $(name).close());
    $(name).addEventListener("click", (event) => event.target === $(name) && $(name).close());
  }
  startLists({ row, nameOf, plural, told: keepUp });
  addEventListener("hashchange", () => isLink() && location.reload());
  $("locked").addEventListener("cancel", (event) => event.preventDefault());
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=radio]), select, dialog")) return;
    if (event.key === "/") event.preventDefault(), $("search").focus();
    if (event.key === "f") event.preventDefault(), $("filters").setAttribute("open", ""), $("filters-summary").focus();
  });
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
