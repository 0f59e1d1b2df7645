// One call from the press of the button to its end: sound, line, and what is told of it.

import { send, signIn } from "../app.js";
import { signedOut } from "../live/events.js";
import { Line } from "./line.js";
import { openSound } from "./sound.js";

/** Milliseconds after the end in which the rest of its record comes. */
const RECORDED_WITHIN = 20_000;

/**
 * Begin with `start`, while a press of the user is being handled; end with `hangUp`.
 *
 * `wishes` has what `openSound` takes, and `agent` and `caller`. `on` has `state(name)` of
 * `starting`, `ringing`, `talking`; `over(sentence, kind)`, once, as of Line, where the kind may be
 * `failed`, too; `record(line)` for each line of the record; `recorded(id)`, "" if none is to come;
 * `captionless()`; and what `openSound` calls.
 */
export class PhoneCall {
  #wishes;
  #on;
  #sound = null;
  #line = null;
  #events = null;
  #over = false;
  #giveUp = 0;

  constructor(wishes, on) {
    this.#wishes = wishes;
    this.#on = on;
  }

  /** The microphone and the loudspeaker, while there are any; else null. */
  get sound() {
    return this.#sound;
  }

  /** Have it: asks for the microphone, then calls. Returns once it rings, or has failed. */
  async start() {
    this.#on.state("starting");
    try {
      const sound = await openSound(this.#wishes, {
        captured: (message) => this.#captured(message),
        played: (message) => this.#on.played(message),
        trouble: (sentence) => this.#on.trouble(sentence),
      });
      if (this.#over) {
        sound.close();
        return;
      }
      this.#sound = sound;
      const { path, call_id: callId } = await send("POST", "/console/phone");
      if (!this.#over) this.#dial(path, callId);
    } catch (error) {
      this.#end(error.message, "failed");
    }
  }

  /** End it; nothing happens if it has ended. */
  hangUp() {
    if (this.#line !== null) this.#line.hangUp();
    else this.#end("You hung up.", "ours");
  }

  /** End it, and what is told of it: the page is left. */
  leave() {
    this.hangUp();
    this.#forget();
  }

  #dial(path, callId) {
    this.#on.state("ringing");
    this.#follow(callId);
    const url = new URL(path, location.href.replace(/^http/, "ws"));
    url.hash = "";
    url.searchParams.set("agent", this.#wishes.agent);
    const { rate, caller } = this.#wishes;
    this.#line = new Line(url, { callId, rate, caller }, {
      answered: () => this.#on.state("talking"),
      audio: (audio) => this.#sound?.play(audio),
      clear: () => this.#sound?.clear(),
      over: (sentence, kind) => this.#end(sentence, kind),
    });
  }

  #captured(message) {
    if (message.frame) this.#line?.send(message.frame);
    else this.#on.captured(message);
  }

  /** Follow the lines of the call's record, as they are written. */
  #follow(callId) {
    const path = `/console/live/${encodeURIComponent(callId)}/events`;
    const events = new EventSource(path);
    this.#events = events;
    events.addEventListener("line", ({ data }) => this.#on.record(JSON.parse(data)));
    events.addEventListener("over", ({ data }) => this.#recorded(JSON.parse(data).record ?? ""));
    events.addEventListener("none", () => this.#recorded(""));
    events.addEventListener("error", () => {
      if (events.readyState !== EventSource.CLOSED) return;
      this.#on.captionless();
      // Whoever still talks is not taken away from the call: it goes on without captions.
      signedOut(path).then((out) => {
        if (out && this.#over) signIn();
      });
    });
  }

  #recorded(id) {
    if (this.#events === null) return;
    this.#forget();
    this.#on.recorded(id);
  }

  #forget() {
    clearTimeout(this.#giveUp);
    this.#events?.close();
    this.#events = null;
  }

  #end(sentence, kind) {
    if (this.#over) return;
    this.#over = true;
    this.#sound?.close();
    this.#sound = null;
    const answered = kind === "ours" || kind === "theirs" || kind === "lost";
    if (answered) this.#giveUp = setTimeout(() => this.#forget(), RECORDED_WITHIN);
    else this.#forget();
    this.#on.over(sentence, kind);
  }
}
