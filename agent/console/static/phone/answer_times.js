// What the caller waited for, answer by answer: pure, but for `drawn`, which makes elements.

import { element } from "../app.js";

/** What of an answer is timed, in the order in which one waits for the other; named as everywhere. */
const STAGES = [
  ["decided", "waiting for the end of the turn"],
  ["transcript", "the transcript"],
  ["first_token", "the model’s first word"],
  ["first_sentence", "its first sentence"],
  ["first_audio", "the voice’s first sound"],
  ["heard", "the way to the caller"],
];

/** Seconds that the call's clock and ours may be apart for two beginnings to be the same. */
const SAME = 1;

/**
 * Return what the caller waited for, by a `timing` line: `[name, seconds, key]` of each stage. What was
 * ready before the stage in front of it has 0: drafts are made while the turn may yet go on. An
 * empty list if nobody waited: what is said unasked.
 */
export function stages(timing) {
  if (typeof timing.speech_end !== "number" || typeof timing.heard !== "number") return [];
  let reached = timing.speech_end;
  return STAGES.filter(([key]) => typeof timing[key] === "number").map(([key, name]) => {
    const seconds = Math.max(0, Math.min(timing[key], timing.heard) - reached);
    reached += seconds;
    return [name, seconds, key];
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
  const [waited, ready] = [[], []];
  for (const part of parts) (part[1] < READY ? ready : waited).push(part);
  const words = waited.map(([name, seconds]) => `${name} ${inWords(seconds)}`);
  const bar = element("div", { class: "bar", role: "img", "aria-label": words.join(", ") });
  const list = element("ul", { class: "stages" });
  for (const [n, [, seconds, key]] of waited.entries()) {
    const part = element("span", { class: key });
    part.style.flexGrow = String(Math.round(1000 * seconds));
    bar.append(part);
    list.append(element("li", {}, element("span", { class: `swatch ${key}` }), words[n]));
  }
  if (ready.length) {
    list.append(element("li", {}, `ready by then: ${ready.map(([name]) => name).join(", ")}`));
  }
  const heading = element("p", {}, element("strong", {}, inWords(total)), " by the service");
  if (here !== null) heading.append(", ", element("strong", {}, inWords(here)), " heard here");
  return element("li", { class: "answer" }, heading, bar, list);
}
