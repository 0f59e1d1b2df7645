// The list of calls in progress: a row a call, changed in place, drawn at most once a frame.

import { clock, element } from "../app.js";
import { showFloor } from "./floor.js";

const DIRECTIONS = { incoming: "from", outgoing: "to" };

/** How calls are sorted, by the name of the choice. Equal ones keep the order of their names. */
const ORDERS = {
  longest: (one, other) => one.started - other.started,
  newest: (one, other) => other.started - one.started,
  agent: (one, other) => one.agent.localeCompare(other.agent) || one.started - other.started,
  host: (one, other) =>
    one.host.localeCompare(other.host) || one.pid - other.pid || one.started - other.started,
};

/** Characters of what was said last that are shown: the end of it, two lines on a desk. */
const LAST_WORDS = 140;

/** Calls as the events tell them, shown in an `<ol>`. */
export class CallList {
  #list;
  #ahead;
  #drawn;
  #order = "longest";
  #calls = new Map(); // name -> what is known of the call
  #rows = new Map(); // name -> Row
  #new = new Set(); // names of calls whose row is not what it should be
  #placed = true; // whether the rows stand in their order
  #frame = 0;

  /**
   * @param {HTMLOListElement} list Where the rows go; what the server has put there goes.
   * @param {number} ahead Seconds that the clock of the service is ahead of ours.
   * @param {(calls: object[]) => void} drawn Told all calls after each frame that has changed any.
   */
  constructor(list, ahead, drawn) {
    this.#list = list;
    this.#ahead = ahead;
    this.#drawn = drawn;
  }

  /** These are all calls that there are. */
  all(calls) {
    this.#calls = new Map(calls.map((call) => [call.name, call]));
    this.#new = new Set(this.#calls.keys());
    this.#soon(true);
  }

  /** A call has begun, or something of it is new. */
  one(call) {
    const known = this.#calls.get(call.name);
    this.#calls.set(call.name, call);
    this.#new.add(call.name);
    this.#soon(known?.started !== call.started || known?.agent !== call.agent);
  }

  /** A call is over. */
  gone(name) {
    this.#calls.delete(name);
    this.#soon(true);
  }

  /** Sort by another of the orders. */
  sort(order) {
    this.#order = order in ORDERS ? order : "longest";
    this.#soon(true);
  }

  /** Show how long the calls have lasted. Call it every second. */
  tick() {
    const now = Date.now() / 1000 + this.#ahead;
    for (const row of this.#rows.values()) row.tick(now);
  }

  #soon(moved) {
    if (moved) this.#placed = false;
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw() {
    const now = Date.now() / 1000 + this.#ahead;
    for (const name of this.#new) {
      const call = this.#calls.get(name);
      if (call === undefined) continue;
      if (!this.#rows.has(name)) this.#rows.set(name, new Row(call));
      const row = this.#rows.get(name);
      row.show(call);
      row.tick(now);
    }
    this.#new.clear();
    if (!this.#placed) this.#place();
    this.#drawn([...this.#calls.values()]);
  }

  #place() {
    for (const name of this.#rows.keys()) if (!this.#calls.has(name)) this.#rows.delete(name);
    const byName = (one, other) => (one.name < other.name ? -1 : 1);
    const sorted = [...this.#calls.values()].sort(
      (one, other) => ORDERS[this.#order](one, other) || byName(one, other),
    );
    const wanted = sorted.map((call) => this.#rows.get(call.name).item);
    const kept = new Set(wanted);
    for (const item of [...this.#list.children]) if (!kept.has(item)) item.remove();
    let next = this.#list.firstElementChild;
    for (const item of wanted) {
      if (item === next) next = next.nextElementSibling;
      else this.#list.insertBefore(item, next);
    }
    this.#placed = true;
  }
}

/** What is shown of one call. */
class Row {
  #started = 0;
  #shown = {}; // what stands in it, so that nothing is written twice
  #parts;

  constructor(call) {
    const link = element("a", { href: `/console/live/${encodeURIComponent(call.name)}` });
    this.#parts = {
      agent: link,
      number: element("p", { class: "number" }),
      floor: element("p", { class: "badge floor" }),
      last: element("p", { class: "last" }),
      duration: element("p", { class: "duration" }),
      where: element("p", { class: "where soft" }),
    };
    const { agent: _, ...others } = this.#parts;
    this.item = element("li", { class: "live-call" }, element("p", { class: "whose" }, link));
    this.item.append(...Object.values(others));
  }

  show(call) {
    this.#started = call.started;
    this.#text("agent", call.agent);
    const other = call.direction === "outgoing" ? call.called : call.caller;
    const number = other ? `${DIRECTIONS[call.direction] ?? ""} ${other}` : call.direction;
    this.#text("number", number);
    this.#parts.agent.setAttribute("aria-label", `${call.agent}, ${number}`); // rows look alike by ear
    this.#text("where", `${call.host} · ${call.pid}`);
    if (this.#shown.floor !== call.floor) {
      this.#shown.floor = call.floor;
      showFloor(this.#parts.floor, call.floor);
    }
    this.#said(call.said);
  }

  tick(now) {
    this.#text("duration", this.#started ? clock(now - this.#started) : "–");
  }

  #said(said) {
    const who = said === null ? "" : said.who === "caller" ? "Caller:" : "Agent:";
    const all = `${who} ${said?.text ?? ""}`;
    if (this.#shown.last === all) return;
    this.#shown.last = all;
    if (said === null) this.#parts.last.replaceChildren();
    else this.#parts.last.replaceChildren(element("span", { class: "soft" }, who), end(said.text));
  }

  #text(name, text) {
    if (this.#shown[name] === text) return;
    this.#shown[name] = text;
    this.#parts[name].textContent = text;
  }
}

/** Return the end of a text, from the beginning of a word on. */
function end(text) {
  if (text.length <= LAST_WORDS) return text;
  return `… ${text.slice(-LAST_WORDS).replace(/^\S{0,20}\s/u, "")}`;
}
