// What the reader said: ratings, and what is hidden without one. It stays in this tab unless it is asked to be kept.

const KEY = "igmc";

export const rated = new Map(); // item id -> { item, rating }, the latest last; ids keep their type, 1 is not "1"
export const hidden = new Map(); // item id -> { item, why }: "seen" or "no"

let where = ""; // which data the ids are of

/** Everything as plain JSON: pairs of ids with ratings, and ids with why they are hidden. */
export function said() {
  return {
    data: where,
    ratings: [...rated].map(([id, { rating }]) => [id, rating]),
    hidden: [...hidden].map(([id, { why }]) => [id, why]),
  };
}

export const isKept = () => { try { return localStorage.getItem(KEY) !== null; } catch { return false; } };

/** Keep what was said on this device, or forget it there. */
export function keep(on) {
  try {
    if (on) localStorage.setItem(KEY, JSON.stringify(said()));
    else localStorage.removeItem(KEY);
    return true;
  } catch {
    return false; // the browser has no place, or none for this page
  }
}

/** What was said before about these data: of a link that was shared, else what was kept here. */
export function before(data) {
  where = data;
  for (const text of [shared(), kept()]) {
    try {
      const found = JSON.parse(text);
      if (found?.data === data && Array.isArray(found.ratings)) return { ratings: found.ratings, hidden: found.hidden ?? [] };
    } catch { /* another page's, or damaged */ }
  }
  return null;
}

function kept() {
  try { return localStorage.getItem(KEY) ?? ""; } catch { return ""; }
}

/** An address that opens this page with the same ratings; they are behind the #, which no server is sent. */
export function link() {
  const bytes = new TextEncoder().encode(JSON.stringify(said()));
  const text = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${location.href.split("#")[0]}#mine=${text}`;
}

function shared() {
  const found = /^#mine=([\w-]+)$/.exec(location.hash);
  if (!found) return "";
  try {
    const bytes = Uint8Array.from(atob(found[1].replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    return new TextDecoder().decode(bytes);
  } catch {
    return "";
  }
}
