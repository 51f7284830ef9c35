// The drawing of an explanation: you, what you rated, who rated it too and rated the target, the target.

const NS = "http://www.w3.org/2000/svg";

/** An SVG element with attributes, and text or children inside. */
export function svg(name, attributes = {}, ...inside) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...inside);
  return element;
}

/** 0 to 4: where a rating stands on its scale, as a class of colour. */
export function levelOf(rating, scale) {
  const low = scale[0], span = scale[scale.length - 1] - low || 1;
  return Math.max(0, Math.min(4, Math.round((4 * (rating - low)) / span)));
}

export function shortened(text, most) {
  return text.length > most ? text.slice(0, Math.max(1, most - 1)).trimEnd() + "…" : text;
}

/**
 * Draw an answer of /api/explanations.
 * @param found the answer
 * @param options width in pixels, the scale, and how items are called
 */
export function drawing(found, { width, scale, name }) {
  const narrow = width < 560;
  const rows = Math.max(found.users.length - 1, found.items.length - 1, 1);
  const step = narrow ? 50 : 52, top = 34, height = top + rows * step + 8, middle = top + (rows * step) / 2;
  const column = narrow
    ? { you: 20, box: 56, boxWidth: 134, person: width - 86, target: width - 22 }
    : { you: 36, box: 128, boxWidth: 220, person: width - 225, target: width - 70 };
  const spread = (count, at) => top + ((at + 0.5) * rows * step) / count;
  const radius = narrow ? 20 : 30;
  const place = {
    user: (at) => at ? { x: column.person, y: spread(found.users.length - 1, at - 1), r: narrow ? 13 : 15 }
      : { x: column.you, y: middle, r: narrow ? 18 : 24 },
    item: (at) => at ? { x: column.box, y: spread(found.items.length - 1, at - 1) }
      : { x: column.target, y: middle, r: radius },
  };
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "graph", role: "img" });
  picture.setAttribute("aria-label", found.text || "The ratings that matter most for this prediction");

  const most = Math.max(...found.ratings.map((one) => Math.abs(one.importance)), 1e-9);
  for (const one of [...found.ratings].reverse()) picture.append(edge(one, place, column, most, scale));
  for (const [x, words] of headings(found, column, narrow)) {
    picture.append(svg("text", { x, y: 16, class: "head", "text-anchor": x < 40 ? "start" : x > width - 60 ? "end" : "middle" }, words));
  }
  picture.append(disc(place.user(0), "target", "You", "user-0"));
  found.users.slice(1).forEach((user, k) => picture.append(person(user, k + 1, place.user(k + 1), found, scale, narrow)));
  found.items.slice(1).forEach((item, k) => picture.append(box(item, k + 1, place.item(k + 1), column, found, scale, name, narrow)));
  picture.append(disc(place.item(0), "target", found.score.toFixed(1), "item-0"));
  if (!narrow) {
    const below = { x: column.target, y: middle + radius + 17, "text-anchor": "middle", class: "small" };
    picture.append(svg("text", below, shortened(name(found.items[0]), 20)));
  }
  pick(picture);
  return picture;
}

function headings(found, column, narrow) {
  const words = [];
  if (found.items.length > 1) words.push([column.box + column.boxWidth / 2, narrow ? "you gave" : "what you gave"]);
  if (found.users.length > 1) words.push([column.person, narrow ? "they gave it" : "others, and what they gave it"]);
  words.push([narrow ? column.target + 22 : column.target, narrow ? "" : "predicted"]);
  return words;
}

/** A curve for a rating; between two people and items both in the middle it runs from box to person. */
function edge(one, place, column, most, scale) {
  const user = place.user(one.user), item = place.item(one.item);
  let [from, to] = one.user === 0 ? [user, item] : [item, user];
  if (one.item === 0) [from, to] = [user, item];
  const right = (spot, at) => spot.x + (spot.r ?? (at ? column.boxWidth : 0));
  const x0 = right(from, 1), x1 = to.x - (to.r ?? 0), bend = (x1 - x0) / 2;
  const share = Math.abs(one.importance) / most;
  return svg("path", {
    d: `M${x0} ${from.y} C${x0 + bend} ${from.y} ${x1 - bend} ${to.y} ${x1} ${to.y}`,
    class: `edge level-${levelOf(one.rating, scale)}${one.importance < 0 ? " minus" : ""} user-${one.user} item-${one.item}`,
    "stroke-width": (1 + 6 * share).toFixed(2),
    "stroke-opacity": (0.3 + 0.7 * Math.sqrt(share)).toFixed(2),
  });
}

function disc(spot, kind, words, key) {
  return svg("g", { "data-node": key },
    svg("circle", { cx: spot.x, cy: spot.y, r: spot.r, class: kind }),
    svg("text", { x: spot.x, y: spot.y + 4.5, "text-anchor": "middle", class: "on-target" }, words));
}

/** A frame in the colour of a rating, if there is one. */
const frame = (tie, scale) => (tie ? `rated level-${levelOf(tie.rating, scale)}` : "box");

/** Somebody else, with what they gave the target. */
function person(user, at, spot, found, scale, narrow) {
  const tie = found.ratings.find((one) => one.user === at && one.item === 0);
  const group = svg("g", { "data-node": `user-${at}` },
    svg("title", {}, `user ${user.id}`),
    svg("circle", { cx: spot.x, cy: spot.y, r: spot.r, class: frame(tie, scale) }),
    svg("text", { x: spot.x, y: spot.y + spot.r + 11, "text-anchor": "middle", class: "small" },
      shortened(narrow ? String(user.id) : `user ${user.id}`, narrow ? 8 : 16)));
  if (tie) group.append(svg("text", { x: spot.x, y: spot.y + 4.5, "text-anchor": "middle", class: "tie" }, String(tie.rating)));
  return group;
}

/** A text in so many lines at most, the last one shortened. */
function wrapped(text, most, lines) {
  if (text.length <= most || lines === 1) return [shortened(text, most)];
  const gap = text.lastIndexOf(" ", most);
  return gap < 1 ? [shortened(text, most)] : [text.slice(0, gap), ...wrapped(text.slice(gap + 1), most, lines - 1)];
}

/** Something you rated, with your rating. */
function box(item, at, spot, column, found, scale, name, narrow) {
  const tie = found.ratings.find((one) => one.item === at && one.user === 0);
  const high = narrow ? 40 : 34, words = name(item);
  const lines = wrapped(words, Math.floor((column.boxWidth - 40) / 7.3), narrow ? 2 : 1);
  const group = svg("g", { "data-node": `item-${at}` },
    svg("title", {}, words),
    svg("rect", { x: spot.x, y: spot.y - high / 2, width: column.boxWidth, height: high, rx: 9, class: frame(tie, scale) }),
    ...lines.map((line, k) => svg("text", { x: spot.x + 34, y: spot.y + 4.5 + 14 * (k - (lines.length - 1) / 2) }, line)));
  if (tie) group.append(svg("text", { x: spot.x + 17, y: spot.y + 5, "text-anchor": "middle", class: "tie" }, String(tie.rating)));
  return group;
}

/** Whatever the pointer is on keeps its ratings bright. */
function pick(picture) {
  const show = (event) => {
    const key = event.target.closest("[data-node]")?.dataset.node;
    picture.classList.toggle("picked", Boolean(key));
    for (const one of picture.querySelectorAll(".edge")) one.classList.toggle("lit", Boolean(key) && one.classList.contains(key));
  };
  picture.addEventListener("pointerover", show);
  picture.addEventListener("pointerleave", show);
}
