// The page of the browser phone: what is pressed there, and what it shows.

import { clock, element, notice } from "../app.js";
import { Conversation, endedBy } from "../live/conversation.js";
import { Transcript } from "../live/transcript.js";
import { drawn, stages, Stopwatch } from "./answer_times.js";
import { Devices } from "./devices.js";
import { isKey } from "./key_tones.js";
import { PhoneCall } from "./phone_call.js";
import { obstacle } from "./sound.js";

const by = (id) => document.getElementById(id);

const WORDS = {
  starting: () => "Asking for the microphone…",
  ringing: (agent) => `Calling ${agent}…`,
  talking: (agent) => `Talking to ${agent}`,
};

/** Milliseconds in which a second press of the big button is taken for a slip. */
const SLIP = 600;

/** Answers that are shown at the most. */
const ANSWERS = 20;

/** Decibels below full scale where the meters begin. */
const METER_FROM = -60;

/** The page. It has one call at a time. */
class Phone {
  #call = null;
  #theirs = false; // whether the last call was ended by the other side
  #changed = -Infinity; // when the big button was pressed last
  #ticking = 0;
  #answered = 0; // by the page's clock, in seconds
  #soundAnswered = 0; // by the clock of the sound, which no busy page makes late
  #unmeasured = null; // the latest answer, if it was told of before it was heard here
  #stopwatch = new Stopwatch();
  #conversation = new Conversation();
  #transcript = null;
  #devices = new Devices(by("microphone"), by("loudspeaker"));

  constructor() {
    const why = obstacle();
    if (why) {
      this.#problem(why);
      by("state").textContent = "Cannot call from here";
    }
    by("call").disabled = Boolean(why) || by("agent").options.length === 0;
    by("call").addEventListener("click", () => this.#pressed());
    by("mute").addEventListener("click", () => this.#mute());
    by("volume").addEventListener("input", () => this.#call?.sound?.setVolume(this.#volume));
    by("pad").addEventListener("click", () => this.#showKeypad(by("keypad").hidden));
    by("keypad").addEventListener("click", ({ target }) => this.#key(target.closest("[data-key]")?.dataset.key));
    by("agent").addEventListener("change", () => introduce(by("agent").value));
    for (const id of ["microphone", "echoCancellation", "noiseSuppression", "autoGainControl"]) {
      by(id).addEventListener("change", () => this.#try((sound) => sound.listen(this.#wishes())));
    }
    by("loudspeaker").addEventListener("change", () => this.#try((sound) => sound.playTo(by("loudspeaker").value)));
    document.addEventListener("keydown", (event) => this.#typed(event));
    addEventListener("pagehide", () => this.#call?.leave());
  }

  // The call

  #pressed() {
    // Whoever presses twice in a hurry has not called to hang up at once.
    if (performance.now() - this.#changed < SLIP) return;
    this.#changed = performance.now();
    if (this.#call !== null) this.#call.hangUp();
    else this.#begin();
  }

  #begin() {
    this.#problem("");
    this.#theirs = false;
    by("record").hidden = true;
    by("keys").textContent = "";
    by("answers").replaceChildren();
    by("no-answers").hidden = false;
    this.#unmeasured = null;
    this.#transcript?.close();
    by("said").replaceChildren();
    this.#conversation = new Conversation();
    this.#transcript = new Transcript(by("said"), this.#conversation);
    this.#stopwatch = new Stopwatch();
    const call = new PhoneCall(this.#wishes(), this.#told(() => call));
    this.#call = call;
    call.start();
  }

  /** Return what is called by a call; of one that is not the present one, nothing is shown. */
  #told(which) {
    const present = (then) => (...args) => {
      if (which() === this.#call) then(...args);
    };
    const conversation = this.#conversation;
    const same = (then) => (...args) => {
      if (conversation === this.#conversation) then(...args);
    };
    return {
      state: present((name) => this.#show(name)),
      captured: present((message) => this.#captured(message)),
      played: present((message) => this.#played(message)),
      trouble: present((sentence) => notice(sentence, "bad")),
      over: present((sentence, kind) => this.#ended(sentence, kind)),
      record: same((line) => this.#recordedLine(line)),
      recorded: same((id) => this.#recorded(id)),
      captionless: same(() => {
        by("nothing-said").textContent = "The service gives no captions of this call; talk all the same.";
      }),
    };
  }

  #show(name) {
    by("phone").dataset.state = name;
    by("state").textContent = WORDS[name](by("agent").value);
    by("call").textContent = "Hang up";
    by("call").classList.add("danger");
    by("nothing-said").hidden = false;
    for (const field of ["agent", "rate"]) by(field).disabled = true;
    if (name !== "talking") return;
    this.#answered = seconds();
    this.#soundAnswered = this.#call.sound.now;
    by("clock").hidden = false;
    by("clock").textContent = clock(0);
    this.#ticking = setInterval(() => {
      by("clock").textContent = clock(seconds() - this.#answered);
    }, 1000);
    this.#devices.list();
    this.#call.sound.mute(this.#isMuted);
    for (const button of by("keypad").querySelectorAll("button")) button.disabled = false;
  }

  #ended(sentence, kind) {
    this.#call = null;
    clearInterval(this.#ticking);
    by("phone").dataset.state = "over";
    const failed = kind === "failed" || kind === "refused" || kind === "lost";
    by("state").textContent = failed ? "No call" : sentence;
    this.#theirs = kind === "theirs";
    this.#tellWhoEnded();
    this.#problem(failed ? sentence : "");
    by("call").textContent = kind === "ours" || kind === "theirs" ? "Call again" : "Call";
    by("call").classList.remove("danger");
    for (const field of ["agent", "rate"]) by(field).disabled = false;
    for (const button of by("keypad").querySelectorAll("button")) button.disabled = true;
    meter("microphone-level", METER_FROM);
    meter("agent-level", METER_FROM);
  }

  /** The line that is closed says only that the call is over; its record, soon, says by whom. */
  #tellWhoEnded() {
    const line = this.#conversation.ended;
    if (this.#theirs && line !== null) by("state").textContent = `${endedBy(line)}.`;
  }

  #recorded(id) {
    this.#conversation.over();
    this.#transcript.changed();
    if (!id) return;
    by("record").hidden = false;
    by("record-link").href = `/console/calls/${encodeURIComponent(id)}`;
  }

  #recordedLine(line) {
    by("nothing-said").hidden = true;
    this.#conversation.add(line);
    this.#transcript.changed();
    this.#tellWhoEnded();
    if (line.kind !== "timing" || stages(line).length === 0) return;
    const answer = this.#drawn(line);
    by("answers").prepend(answer.item);
    this.#unmeasured = answer.measured ? null : answer;
    by("no-answers").hidden = true;
    if (by("answers").children.length > ANSWERS) by("answers").lastElementChild.remove();
  }

  /** Return an answer's list item, and whether it says how long was waited for it here. */
  #drawn(line) {
    const here = this.#stopwatch.after(line.heard);
    const latency = this.#call?.sound?.outputLatency ?? 0;
    return { line, item: drawn(line, here === null ? null : here + latency), measured: here !== null };
  }

  // Sound

  #captured({ level, loudUntil }) {
    meter("microphone-level", level);
    this.#stopwatch.loud(loudUntil);
  }

  #played({ level, began, cleared, waiting }) {
    if (level !== undefined) meter("agent-level", level);
    if (began !== undefined) this.#began(began);
    if (cleared !== undefined) by("phone").dataset.cleared = cleared.toFixed(3);
    if (waiting !== undefined) by("phone").dataset.waiting = waiting.toFixed(3);
  }

  /** The agent began to sound; the service may have told of that answer already. */
  #began(at) {
    this.#stopwatch.began(at, at - this.#soundAnswered);
    if (this.#unmeasured === null) return;
    const answer = this.#drawn(this.#unmeasured.line);
    if (!answer.measured) return;
    this.#unmeasured.item.replaceWith(answer.item);
    this.#unmeasured = null;
  }

  get #isMuted() {
    return by("mute").getAttribute("aria-pressed") === "true";
  }

  get #volume() {
    return Number(by("volume").value) / 100;
  }

  #mute() {
    by("mute").setAttribute("aria-pressed", String(!this.#isMuted));
    this.#call?.sound?.mute(this.#isMuted);
  }

  #wishes() {
    const { caller, lead } = by("phone").dataset;
    const wanted = (id) => by(id).checked;
    return {
      agent: by("agent").value,
      caller,
      rate: Number(by("rate").value),
      lead: Number(lead),
      volume: this.#volume,
      microphone: by("microphone").value,
      loudspeaker: by("loudspeaker").value,
      echoCancellation: wanted("echoCancellation"),
      noiseSuppression: wanted("noiseSuppression"),
      autoGainControl: wanted("autoGainControl"),
    };
  }

  /** Change something about the sound of a call, if there is one. */
  async #try(change) {
    const sound = this.#call?.sound;
    if (!sound) return;
    try {
      await change(sound);
    } catch (error) {
      notice(error.message, "bad");
    }
  }

  // Keys

  #showKeypad(shown) {
    by("keypad").hidden = !shown;
    by("pad").setAttribute("aria-expanded", String(shown));
  }

  #typed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (event.target.closest("select, textarea, input:not([type=checkbox], [type=range])")) return;
    if (isKey(event.key)) this.#key(event.key);
  }

  #key(key) {
    if (key === undefined || by("phone").dataset.state !== "talking") return;
    this.#call.sound?.press(key);
    this.#showKeypad(true);
    by("keys").textContent = (by("keys").textContent + key).slice(-24);
  }

  #problem(sentence) {
    by("problem").textContent = sentence;
    by("problem").hidden = !sentence;
  }
}

/** Return the page's clock. */
function seconds() {
  return performance.now() / 1000;
}

/** Show a level in dBFS. */
function meter(id, level) {
  const shown = Math.round(Math.max(METER_FROM, Math.min(0, level)));
  by(id).style.setProperty("--level", String(1 - shown / METER_FROM));
  by(id).setAttribute("aria-valuenow", String(shown));
  by(id).setAttribute("aria-valuetext", shown > METER_FROM ? `${shown} dB` : "silent");
}

/** Show what an agent says first, and have its name in the address. */
async function introduce(agent) {
  const address = new URL(location.href);
  address.searchParams.set("agent", agent);
  history.replaceState(null, "", address);
  const response = await fetch(`/console/phone/agents/${encodeURIComponent(agent)}`).catch(() => null);
  if (!response?.ok || agent !== by("agent").value) return;
  const { greeting, mistake } = await response.json();
  const words = mistake
    ? element("span", { class: "error" }, "Its file has a mistake: a call is answered by its last good version, if there was one.")
    : greeting ? `“${greeting}”` : "It waits for the caller to speak first.";
  by("greeting").replaceChildren(words);
}

new Phone();
