// Lists that the reader names, such as "Friday night": what is on them, and the ways to change that.

import { $, button, handOut, make } from "./dom.js";
import { shortened } from "./graph.js";
import { link, lists } from "./store.js";

const LONGEST = 60; // characters of a name

let page = null, forms = 0, gone = null; // gone: the list that was deleted just now

/** `options`: row(item, ...more) and nameOf(item) of the page, and whom to tell of a change. */
export function startLists(options) {
  page = options;
  $("to-lists").addEventListener("click", () => $("lists-head").focus());
}

/** Without blanks around it or twice. */
export const tidy = (text) => text.normalize("NFC").trim().replace(/\s+/g, " ");

function problemOf(name, own) {
  const signs = [...name].length, same = name.toLowerCase();
  if (!/[^\p{C}\p{Z}]/u.test(name)) return "A list needs a name.";
  if (signs > LONGEST) return `A name has at most ${LONGEST} characters; this one has ${signs}.`;
  if (lists.some((one) => one !== own && one.name.toLowerCase() === same)) return `You have a list “${shortened(name, 40)}” already.`;
  return "";
}

/** A form for a name, of a new list or of one's `own`; `done` gets a name that no other list has. */
function nameForm(words, act, own, done, ...more) {
  const id = `name-${(forms += 1)}`;
  const input = make("input", { value: own?.name ?? "", autocomplete: "off", "aria-describedby": id });
  const wrong = make("p", { id, className: "wrong", role: "alert" });
  const form = make("form", { className: "naming", noValidate: true },
    make("label", {}, words, input), make("button", { type: "submit", className: "small" }, act), ...more, wrong);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const name = tidy(input.value), problem = problemOf(name, own);
    wrong.textContent = problem;
    input.setAttribute("aria-invalid", String(Boolean(problem)));
    if (problem) input.focus();
    else done(name);
  });
  return form;
}

// ---- putting an item on lists -------------------------------------------------------------------------------

/** A button that puts an item on lists: with words, or with one sign where there is little room. */
export function saver(item, short = false) {
  const control = button("", "", () => choose(item), short ? "drop" : "small");
  control.dataset.save = JSON.stringify([item.item_id, short]);
  control.title = "Put it on a list of yours";
  paint(control, page.nameOf(item));
  return control;
}

function paint(control, name = control.getAttribute("aria-label").replace(/^Saved?: /, "")) {
  const [id, short] = JSON.parse(control.dataset.save), on = lists.some((one) => one.items.has(id));
  control.textContent = short ? (on ? "✓" : "+") : on ? "Saved" : "Save";
  control.setAttribute("aria-label", `${on ? "Saved" : "Save"}: ${name}`);
}

function choose(item) {
  $("save-title").textContent = `Save ${page.nameOf(item)}`;
  $("save-note").textContent = "";
  const draw = () => {
    $("save-rows").replaceChildren(...lists.map((one) => line(one, item)));
    $("save-new").replaceChildren(nameForm("A new list", "Make it", null, (name) => {
      lists.push({ name, items: new Map([[item.item_id, item]]), open: true });
      changed(`It is on the new list “${name}”.`, "save-note");
      draw();
      $("save-rows").lastChild.querySelector("input").focus();
    }));
  };
  draw();
  $("save").showModal();
  $("save").querySelector("input").focus();
}

function line(one, item) {
  const box = make("input", { type: "checkbox", checked: one.items.has(item.item_id) });
  box.addEventListener("change", () => {
    if (box.checked) one.items.set(item.item_id, item);
    else one.items.delete(item.item_id);
    changed(`It is ${box.checked ? "on" : "off"} “${one.name}”.`, "save-note");
  });
  return make("li", {}, make("label", { className: "check" }, box, make("bdi", {}, one.name)), make("span", { className: "meta" }, page.plural(one.items.size)));
}

// ---- the lists ----------------------------------------------------------------------------------------------

function changed(words, note = "lists-note", deleted = null) {
  gone = deleted;
  showLists();
  $(note).textContent = words;
  page.told();
}

/** Draw all lists as they are now. */
export function showLists() {
  $("own-lists").hidden = !lists.length && !gone;
  $("to-lists").hidden = !lists.length;
  for (const count of ["lists-count", "to-lists-count"]) $(count).textContent = lists.length || "";
  $("lists-note").textContent = "";
  $("named").replaceChildren(...lists.map(drawn));
  document.querySelectorAll("[data-save]").forEach((control) => paint(control));
}

function drawn(one) {
  const rows = [...one.items.values()].map((item) => {
    const away = button("×", `Take off ${one.name}: ${page.nameOf(item)}`, () => takeOff(one, item), "drop");
    return page.row(item, away);
  });
  const line = make("div", { className: "own" },
    button("Rename", `Rename ${one.name}`, () => rename(one)),
    button("Copy a link", `Copy a link to ${one.name}`, async () => { $("lists-note").textContent = await handOut(link(one)); }),
    button("Delete", `Delete ${one.name}`, () => remove(one)));
  const empty = make("p", { className: "note" }, "Nothing is on it yet: “Save” and “+” put something there.");
  const body = rows.length ? make("ul", { className: "rows", "aria-label": one.name }, ...rows) : empty;
  const head = make("summary", {}, make("bdi", {}, one.name), " ", make("span", { className: "count" }, String(rows.length)));
  const details = make("details", { open: one.open ?? false }, head, body, line);
  details.addEventListener("toggle", () => { one.open = details.open; });
  return make("li", {}, details);
}

const placeOf = (one) => $("named").children[lists.indexOf(one)];

function takeOff(one, item) {
  const at = [...one.items.keys()].indexOf(item.item_id);
  one.items.delete(item.item_id);
  changed(`${page.nameOf(item)} is off “${one.name}”.`);
  const left = placeOf(one).querySelectorAll(".rows .drop");
  (left[Math.min(at, left.length - 1)] ?? placeOf(one).querySelector("summary")).focus();
}

function rename(one) {
  const focus = () => placeOf(one).querySelector(".own button").focus();
  const cancel = () => { showLists(); focus(); };
  const form = nameForm("Name", "Rename", one, (name) => {
    one.name = name;
    changed(`It is called “${name}” now.`);
    focus();
  }, button("Cancel", "", cancel));
  form.addEventListener("keydown", (event) => event.key === "Escape" && cancel());
  placeOf(one).querySelector(".own").replaceWith(form);
  form.querySelector("input").select();
}

function remove(one) {
  const at = lists.indexOf(one);
  lists.splice(at, 1);
  changed(`“${one.name}” is deleted. `, "lists-note", one);
  const undo = button("Undo", `Undo: delete ${one.name}`, () => {
    lists.splice(at, 0, one);
    changed(`“${one.name}” is back.`);
    placeOf(one).querySelector("summary").focus();
  });
  $("lists-note").append(undo);
  undo.focus();
}
