// What the caller waited for, answer by answer: pure, but for `drawn`, which makes elements.

import { element } from "../app.js";

/** What of an answer is timed, in the order in which one waits for the other. */
const STAGES = [
  ["decided", "end of turn"],
  ["transcript", "transcript"],
  ["first_token", "first word"],
  ["first_sentence", "first sentence"],
  ["first_audio", "voice"],
  ["heard", "on the line"],
];

/** Seconds that the call's clock and ours may be apart for two beginnings to be the same. */
const SAME = 1;

/**
 * Return what the caller waited for, by a `timing` line: `[name, seconds]` of each stage. What was
 * ready before the stage in front of it has 0: drafts are made while the turn may yet go on. An
 * empty list if nobody waited: what is said unasked.
 */
export function stages(timing) {
  if (typeof timing.speech_end !== "number" || typeof timing.heard !== "number") return [];
  let reached = timing.speech_end;
  return STAGES.filter(([key]) => typeof timing[key] === "number").map(([key, name]) => {
    const seconds = Math.max(0, Math.min(timing[key], timing.heard) - reached);
    reached += seconds;
    return [name, seconds];
  });
}

/**
 * Measures, here, from the caller's last sound to the first of what answers it. What is measured is
 * by the clock of the sound; where it belongs, in seconds since the answer by any other.
 */
export class Stopwatch {
  #loudUntil = -1;
  #began = -1;
  #measured = [];

  /** Note the time until which the caller was loud. */
  loud(until) {
    this.#loudUntil = Math.max(this.#loudUntil, until);
  }

  /** Note that the agent began to sound at a time, `since` the answer; after words, or unasked. */
  began(at, since) {
    const after = at - this.#loudUntil;
    if (this.#loudUntil > this.#began && after > 0) this.#measured.push({ since, after });
    this.#began = at;
    if (this.#measured.length > 100) this.#measured.shift();
  }

  /** Return the seconds that were waited for what began about then; null if they are not known. */
  after(since) {
    const near = this.#measured.filter((one) => Math.abs(one.since - since) <= SAME);
    near.sort((one, other) => Math.abs(one.since - since) - Math.abs(other.since - since));
    return near[0]?.after ?? null;
  }
}

/** Seconds below which nobody has waited for a stage: it was ready. */
const READY = 0.005;

/** Return seconds with their unit. */
function inWords(seconds) {
  return `${seconds.toFixed(2)} s`;
}

/** Return a list item that shows an answer's stages, and what was measured here, or null. */
export function drawn(timing, here) {
  const parts = stages(timing);
  const total = timing.heard - timing.speech_end;
  const words = parts.map(
    ([name, seconds]) => `${name} ${seconds < READY ? "ready" : inWords(seconds)}`,
  );
  const bar = element("div", { class: "bar", role: "img", "aria-label": words.join(", ") });
  const list = element("ul", { class: "stages" });
  for (const [n, [, seconds]] of parts.entries()) {
    const part = element("span", { class: `stage-${n}` });
    part.style.flexGrow = String(Math.round(1000 * seconds));
    if (seconds >= READY) bar.append(part);
    list.append(element("li", {}, element("span", { class: `key stage-${n}` }), words[n]));
  }
  const heading = element("p", {}, element("strong", {}, inWords(total)), " by the service");
  if (here !== null) heading.append(", ", element("strong", {}, inWords(here)), " heard here");
  return element("li", { class: "answer" }, heading, bar, list);
}
