// Draws a conversation into a list: each entry is a row of its own, which is changed in place.

import { clock, element } from "../app.js";
import { seconds } from "./conversation.js";

/** Pixels from the end within which a reader is taken to follow. */
const NEAR_END = 48;

/** What a reply of the agent's is, where it is not the usual. */
const OCCASIONS = {
  greeting: "greeting",
  apology: "apology",
  goodbye: "goodbye",
  "idle question": "asks whether they are there",
  "time warning": "time warning",
  announcement: "announcement",
  filler: "while the answer was late",
  disclosure: "disclosure",
  consent: "of the recording",
  "consent question": "asks for consent",
  introduction: "to whoever screens the call",
};

/**
 * Shows a conversation in an `<ol class="lines">`. Call `changed` whenever it may have changed: it
 * draws once a frame, only what is different, and keeps the end in view unless the reader has
 * scrolled up. Readers by ear hear what was said once it is whole.
 */
export class Transcript {
  #list;
  #conversation;
  #scrolled; // what follows the end
  #rows = new Map(); // key -> { entry, row }
  #frame = 0;

  /**
   * @param {HTMLOListElement} list Empty.
   * @param {import("./conversation.js").Conversation} conversation What to show.
   * @param {Element} scrolled What is scrolled to keep the end in view: the list, or what holds it.
   */
  constructor(list, conversation, scrolled = list) {
    this.#list = list;
    this.#conversation = conversation;
    this.#scrolled = scrolled;
    list.setAttribute("aria-live", "polite");
    list.setAttribute("aria-relevant", "additions");
  }

  /** Show another conversation from the next frame on, in place of this one. */
  show(conversation) {
    this.#conversation = conversation;
    this.changed();
  }

  /** Draw with the next frame. A page that is not looked at draws nothing until it is. */
  changed() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  /** Draw no more. */
  close() {
    cancelAnimationFrame(this.#frame);
  }

  #draw() {
    const following = this.#atEnd();
    const entries = this.#conversation.entries;
    const gone = new Set(this.#rows.keys());
    let next = this.#list.firstElementChild;
    for (const entry of entries) {
      gone.delete(entry.key);
      const row = this.#row(entry);
      if (row === next) next = next.nextElementSibling;
      else this.#list.insertBefore(row, next);
    }
    for (const key of gone) {
      this.#rows.get(key).row.remove();
      this.#rows.delete(key);
    }
    if (following) this.#toEnd();
  }

  #row(entry) {
    const known = this.#rows.get(entry.key);
    if (known?.entry === entry) return known.row;
    const row = known?.row ?? element("li");
    if (entry.type === "said") drawSaid(row, entry);
    else drawHappened(row, entry);
    this.#rows.set(entry.key, { entry, row });
    return row;
  }

  #atEnd() {
    const { scrollTop, clientHeight, scrollHeight } = this.#scrolled;
    return scrollTop + clientHeight >= scrollHeight - NEAR_END;
  }

  #toEnd() {
    this.#scrolled.scrollTop = this.#scrolled.scrollHeight;
  }
}

function drawSaid(row, entry) {
  const kind = entry.aside ? " aside" : "";
  row.className = `said ${entry.who}${kind}${entry.open ? " open" : ""}`;
  // What grows is not read out word by word.
  row.setAttribute("aria-busy", String(entry.open));
  const who = element("span", { class: "by-ear" }, entry.who === "caller" ? "Caller: " : "Agent: ");
  const words = element("span", { class: "words" }, entry.text);
  const parts = [who, words];
  if (entry.unheard) {
    parts.push(entry.text ? " " : "", element("del", { class: "unheard", title: "Not heard" }, entry.unheard));
  } else if (entry.cutOff) {
    parts.push(element("span", { class: "soft" }, " …"));
  }
  row.replaceChildren(...parts, element("small", { class: "about" }, about(entry)));
}

/** Return when it was said, and what else is to be known of it. */
function about(entry) {
  const facts = [clock(entry.at)];
  if (entry.responseTime !== null) facts.push(`answered after ${seconds(entry.responseTime)}`);
  if (OCCASIONS[entry.said]) facts.push(OCCASIONS[entry.said]);
  if (entry.to === "others") facts.push("to others on the line");
  if (entry.aside === "backchannel") facts.push("wants no answer");
  if (entry.aside === "background") facts.push("somebody in the background");
  if (entry.cutOff) facts.push("cut off");
  if (entry.who === "caller" && entry.open) facts.push("so far");
  return facts.join(" · ");
}

function drawHappened(row, entry) {
  row.className = `happened${entry.bad ? " bad" : ""}`;
  row.dataset.kind = entry.kind;
  row.replaceChildren(`${clock(entry.at)} · ${entry.text}`);
}
