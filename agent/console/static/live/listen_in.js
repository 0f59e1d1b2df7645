// Listening to a call in progress: its audio, streamed, played a little later.

import { seconds } from "./conversation.js";

/** Hertz of what the service sends: pairs of 16-bit samples, caller and agent. */
const RATE = 8000;

/** Bytes of a pair. */
const PAIR = 4;

/** Quietest that a meter shows, in dB below the loudest that there is. */
const QUIETEST = 60;

/** Make the controls for listening work; returns what ends it, once the call is over. */
export function listenIn(path) {
  const section = document.getElementById("listen");
  if (section === null) return () => {}; // who looks may not listen
  const button = document.getElementById("listening");
  const volume = document.getElementById("volume");
  const error = section.querySelector(".error");
  let heard = null; // what is heard now

  async function start() {
    error.textContent = "";
    const mine = new Heard(Number(volume.value) / 100, show);
    heard = mine;
    shown();
    try {
      await mine.play(`${path}/audio`);
    } catch (problem) {
      if (problem.name !== "AbortError") error.textContent = problem.message;
    } finally {
      mine.stop();
      if (heard === mine) stop();
    }
  }

  function stop() {
    heard?.stop();
    heard = null;
    shown();
    show({ caller: 0, agent: 0, delay: null });
  }

  function shown() {
    button.textContent = heard === null ? "Start listening" : "Stop listening";
    button.setAttribute("aria-pressed", String(heard !== null));
  }

  function show({ caller, agent, delay }) {
    document.getElementById("level-caller").value = level(caller);
    document.getElementById("level-agent").value = level(agent);
    if (delay === null) return;
    document.getElementById("delay").textContent =
      `You hear the call about ${seconds(delay)} later than the service does, and the way here.`;
  }

  button.addEventListener("click", () => (heard === null ? start() : stop()));
  volume.addEventListener("input", () => heard?.setVolume(Number(volume.value) / 100));
  addEventListener("pagehide", stop);
  return () => {
    stop();
    section.hidden = true;
  };
}

/** Return how much of a meter a peak fills, in decibels: 0 is nothing, 1 is all that there is. */
function level(peak) {
  return peak === 0 ? 0 : Math.max(0, 1 + (20 * Math.log10(peak)) / QUIETEST);
}

/** The audio of a call, played from now on, until it is stopped or the call is over. */
class Heard {
  #context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
  #gain = new GainNode(this.#context);
  #over = new AbortController();
  #told;

  /**
   * @param {number} volume From 0 to 1.
   * @param {(now: {caller: number, agent: number, delay: number}) => void} told Given the peaks of
   *   both sides, and the seconds that audio spends in this page, ten times a second.
   */
  constructor(volume, told) {
    this.#told = told;
    this.#gain.connect(this.#context.destination);
    this.setVolume(volume);
  }

  setVolume(volume) {
    this.#gain.gain.value = volume ** 2; // as loud as it looks
  }

  /** Play until it is over. Throws an Error fit to be shown, or an AbortError once stopped. */
  async play(path) {
    const { signal } = this.#over;
    await this.#context.audioWorklet.addModule(new URL("./listening_worklet.js", import.meta.url));
    signal.throwIfAborted();
    const response = await fetch(path, { signal });
    if (!response.ok) throw new Error(await refusal(response));
    const player = new AudioWorkletNode(this.#context, "listening", { numberOfInputs: 0, outputChannelCount: [2] });
    player.port.onmessage = ({ data }) => this.#told({ ...data, delay: data.waiting + this.#onTheWay() });
    player.connect(this.#gain);
    await this.#context.resume();
    let rest = new Uint8Array(); // of a pair whose end is still to come
    for (const reader = response.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      const bytes = new Uint8Array(rest.length + value.length);
      bytes.set(rest);
      bytes.set(value, rest.length);
      const whole = bytes.length - (bytes.length % PAIR);
      rest = bytes.slice(whole);
      const block = bytes.slice(0, whole).buffer;
      if (whole) player.port.postMessage(block, [block]);
    }
  }

  stop() {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#told = () => {};
    this.#context.close();
  }

  /** Seconds from the page to the ears. */
  #onTheWay() {
    return (this.#context.baseLatency || 0) + (this.#context.outputLatency || 0);
  }
}

async function refusal(response) {
  const answer = await response.json().catch(() => ({}));
  return answer.detail ?? `The service answers ${response.status}.`;
}
