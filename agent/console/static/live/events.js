// What the service pushes to a page, while somebody looks at it.

import { signIn } from "../app.js";

/** Milliseconds until a stream is asked for again that the browser has given up on. */
const AGAIN_AFTER = 5000;

/**
 * Take events from a path of the service, until the function that is returned is called.
 *
 * A page in the background takes none: a browser has few connections to one service, and pages of
 * it may be open in many tabs. Back in front it is told all anew, as after every gap.
 *
 * @param {string} path
 * @param {Record<string, (data: object) => void>} handlers By the name of the event.
 * @param {(state: "open"|"waiting") => void} told Whether events come, when that changes.
 * @returns {() => void} Takes no more.
 */
export function follow(path, handlers, told = () => {}) {
  let source = null;
  let again = 0;

  function open() {
    close();
    source = new EventSource(path);
    source.addEventListener("open", () => told("open"));
    source.addEventListener("error", failed);
    for (const [name, take] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => take(event.data ? JSON.parse(event.data) : {}));
    }
  }

  function failed() {
    told("waiting");
    if (source?.readyState !== EventSource.CLOSED) return;
    const refused = source;
    again = setTimeout(open, AGAIN_AFTER);
    signedOut(path).then((out) => {
      if (out && source === refused) signIn();
    });
  }

  function close() {
    clearTimeout(again);
    source?.close();
    source = null;
  }

  function turned() {
    if (document.hidden) close();
    else if (source === null) open();
  }

  function stop() {
    close();
    document.removeEventListener("visibilitychange", turned);
    removeEventListener("pagehide", close);
    removeEventListener("pageshow", turned);
  }

  document.addEventListener("visibilitychange", turned);
  addEventListener("pagehide", close);
  addEventListener("pageshow", turned);
  turned();
  return stop;
}

/** Return whether events of a path are refused until one signs in: a browser says only that they are. */
export async function signedOut(path) {
  const asked = new AbortController();
  try {
    return (await fetch(path, { signal: asked.signal })).status === 401;
  } catch {
    return false;
  } finally {
    asked.abort();
  }
}

/** Show at the edge of a page whether events come; says nothing while they do. */
export function tellConnection(badge, state) {
  badge.className = `badge ${state === "open" ? "" : "warn"}`;
  badge.textContent = state === "open" ? "" : "Connection lost, trying again";
}
