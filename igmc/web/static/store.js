// What the reader said: ratings, what is hidden without one, and named lists. It stays in this tab unless it is
// asked to be kept.

const KEY = "igmc";
const LONGEST = 256; // characters of an id, as in the API

export const rated = new Map(); // item id -> { item, rating }, the latest last; ids keep their type, 1 is not "1"
export const hidden = new Map(); // item id -> { item, why }: "seen" or "no"
export const lists = []; // { name, items, open }, items: item id -> item

let where = ""; // which data the ids are of

const plain = ({ name, items }) => [name, [...items.keys()]];

/** Everything as plain JSON: pairs of ids with ratings, of ids with why they are hidden, and of names with ids. */
export function said() {
  return {
    data: where,
    ratings: [...rated].map(([id, { rating }]) => [id, rating]),
    hidden: [...hidden].map(([id, { why }]) => [id, why]),
    lists: lists.map(plain),
  };
}

/** Keep what was said on this device, or forget it there. */
export function keep(on) {
  try {
    if (on) localStorage.setItem(KEY, JSON.stringify(said()));
    else localStorage.removeItem(KEY);
  } catch {
    return false; // the browser has no place, or none for this page
  }
  if (on && isLink()) history.replaceState(null, "", location.href.split("#")[0]); // else a reload would take that
  return true;
}

/**
 * What was said before about these data. Somebody's ratings, of a link, stand in for those kept here, which a
 * link does not change; lists of a link are added to one's own.
 * @returns as `said`, with `kept`, whether that is what is kept here, and `received`, the names of the link's lists
 */
export function before(data) {
  where = data;
  const [sent, own] = [shared(), kept()].map((text) => read(text, data));
  if (sent && (sent.ratings.length || sent.hidden.length)) {
    return { ...sent, kept: JSON.stringify(sent) === JSON.stringify(own), received: [] };
  }
  const found = own ?? { ratings: [], hidden: [], lists: [] };
  return { ...found, kept: own !== null, received: sent ? sent.lists.map((list) => added(found.lists, list)) : [] };
}

/** Add a list to others, under a number where another one has its name. */
function added(others, [name, ids]) {
  const named = (text) => others.find((other) => other[0].toLowerCase() === text.toLowerCase());
  let free = name;
  for (let k = 2; named(free) && String(named(free)[1]) !== String(ids); k += 1) free = `${name} ${k}`;
  if (!named(free)) others.push([free, ids]);
  return named(free)[0];
}

/** What a text says about these data; null if it is another page's, or damaged. */
function read(text, data) {
  const isId = (id) => Number.isSafeInteger(id) || (typeof id === "string" && id.length <= LONGEST);
  const pairs = (found, right) => (Array.isArray(found) ? found.filter((one) => Array.isArray(one) && right(one)) : []);
  try {
    const found = JSON.parse(text);
    if (found?.data !== data) return null;
    const isPair = ([id]) => isId(id), isList = ([name, ids]) => typeof name === "string" && Array.isArray(ids);
    return {
      ratings: pairs(found.ratings, isPair), hidden: pairs(found.hidden, isPair),
      lists: pairs(found.lists, isList).map(([name, ids]) => [name, ids.filter(isId)]),
    };
  } catch {
    return null;
  }
}

export const isKept = () => kept() !== "";

function kept() {
  try { return localStorage.getItem(KEY) ?? ""; } catch { return ""; }
}

/** An address that opens this page with all that was said, or with one list; it is behind the #, which no server is sent. */
export function link(list) {
  const bytes = new TextEncoder().encode(JSON.stringify(list ? { data: where, lists: [plain(list)] } : said()));
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return `${location.href.split("#")[0]}#mine=${text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

export const isLink = () => location.hash.startsWith("#mine=");

function shared() {
  try {
    const text = isLink() ? location.hash.slice(6) : "";
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    return new TextDecoder().decode(bytes);
  } catch {
    return "";
  }
}
