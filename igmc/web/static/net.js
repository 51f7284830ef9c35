// Asking the server: waiting while it is busy, the token, and what failed and is to be tried again.

const $ = (id) => document.getElementById(id);
const WAIT = 120; // ms of rest before asking
const TRIES = 4; // of a request that the server is too busy for
const AGAIN = 5000; // ms until a server that did not answer is tried again

let token = "", visitor = "";

/** Give this tab a random id, by which a server that compares runs always answers with the same one. */
export function visit() {
  const key = "igmc-visitor", bytes = crypto.getRandomValues(new Uint8Array(16));
  const made = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  visitor = made;
  try {
    visitor = sessionStorage.getItem(key) ?? made;
    sessionStorage.setItem(key, visitor);
  } catch { /* the browser has no place: the id lasts as long as the page */ }
}

const rest = (ms, signal) => new Promise((done, fail) => {
  const timer = setTimeout(done, ms);
  signal?.addEventListener("abort", () => { clearTimeout(timer); fail(signal.reason); });
});

/** The answer to a GET, or to a POST of `body`; waits and asks again where the server is busy. */
export async function ask(path, { body, signal } = {}) {
  for (let turn = 1; ; turn += 1) {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    if (visitor) headers["Visitor-Id"] = visitor;
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

let waiting = null;

/** Whether there is no connection: that is what fetch throws then. */
export const isAway = (error) => error instanceof TypeError;

const AWAY = "The server does not answer.";

/** What went wrong, in words; `once`: where nobody asks again. */
export const saidOf = (error, once = false) => (!isAway(error) ? error.message
  : once ? `${AWAY} Close this, and ask again in a moment.` : `${AWAY} This page asks it again every few seconds.`);

const failed = new Map(); // task -> what went wrong when it last ran

/** The banner tells of the last failure that is not mended yet. */
function tell() {
  const messages = [...failed.values()];
  $("banner").hidden = !messages.length;
  if (messages.length) $("banner-text").textContent = messages[messages.length - 1];
}

export function complain(error, again) {
  if (error.name === "AbortError") return;
  failed.delete(again);
  failed.set(again, saidOf(error));
  tell();
  if (isAway(error) && !waiting) waiting = setTimeout(() => { waiting = null; tryAgain(); }, AGAIN);
}

export function mended(task) {
  failed.delete(task);
  tell();
}

export function tryAgain() {
  const tasks = [...failed.keys()];
  failed.clear();
  tell();
  tasks.forEach((task) => task());
}

/** `task`, called with the signal that a later call aborts: the first time at once, then after a moment of rest. */
export function latest(task, wait = WAIT) {
  let running = null, rested = 0;
  const again = async () => {
    running?.abort();
    const mine = (running = new AbortController());
    try {
      await rest(rested, mine.signal);
      rested = wait;
      await task(mine.signal);
      mended(again);
    } catch (error) {
      complain(error, again);
    }
  };
  return again;
}

addEventListener("online", tryAgain);
