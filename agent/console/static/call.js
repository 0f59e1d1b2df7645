// The page of a call: one clock for transcript, waveform and recording.

import { clock, notice, send } from "./app.js";
import { Playback } from "./call/playback.js";
import { Transcript } from "./call/transcript.js";
import { Waveform } from "./call/waveform.js";

const STEP = 5; // seconds of an arrow key

const player = document.getElementById("player");
const story = document.getElementById("story");
const canvas = document.getElementById("wave");
const status = document.getElementById("player-status");
const transcript = new Transcript(story ?? document.createElement("ol"));
const marks = [...document.querySelectorAll(".happened.bad .moment[data-at]")].map((one) => Number(one.dataset.at));
const waveform = new Waveform(canvas, transcript.sentences, marks, Number(player.dataset.length));
const { recording, peaks } = player.dataset;
const began = Number(player.dataset.began);
const playback = recording ? new Playback(recording, began, (text) => (status.textContent = text)) : null;
const follow = document.getElementById("follow");

/** Show a moment everywhere; `look` brings its line into view. */
function show(moment, look = false) {
  waveform.at(moment);
  document.getElementById("clock").textContent = `${clock(moment)} / ${clock(waveform.length)}`;
  if (playback) {
    canvas.setAttribute("aria-valuenow", moment.toFixed(1));
    canvas.setAttribute("aria-valuetext", clock(moment));
  }
  const begun = transcript.at(moment);
  const line = look ? transcript.line(moment) : begun;
  if (line && (look || (follow.checked && playback?.playing))) {
    line.scrollIntoView({ block: "center", behavior: "smooth" });
  }
}

/** Go to a moment. */
function seek(moment, look = false) {
  playback?.seek(moment);
  show(Math.min(Math.max(waveform.begin, moment), waveform.length), look);
}

function toggle() {
  if (!playback) return;
  if (playback.playing) playback.pause();
  else playback.play();
}

/** Read the moment that an address names: `#t=12.3`. */
function named() {
  const found = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash);
  return found ? Number(found[1]) : null;
}

function address(moment) {
  return `#t=${moment.toFixed(1)}`;
}

// A line is heard by a click on its time, or on its words.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a.moment[data-at]");
  const words = event.target.closest(".sentence[data-at]");
  if (!link && !words) return;
  if (words && String(getSelection())) return; // somebody copies the words
  event.preventDefault();
  const moment = Number((link ?? words).dataset.at);
  if (link) history.replaceState(null, "", link.hash);
  seek(moment, Boolean(link && !link.closest("#story")));
  playback?.play();
});

addEventListener("hashchange", () => {
  if (named() !== null) seek(named(), true);
});

// The canvas: a click goes there, dragging moves what is shown.
let dragged = null;
canvas.addEventListener("pointerdown", (event) => {
  dragged = { x: event.clientX, from: waveform.from, moved: false };
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener("pointermove", (event) => {
  if (!dragged) return;
  const far = event.clientX - dragged.x;
  dragged.moved ||= Math.abs(far) > 4;
  const span = waveform.to - waveform.from;
  if (dragged.moved) waveform.move(dragged.from - (far / canvas.clientWidth) * span);
});
canvas.addEventListener("pointerup", (event) => {
  if (dragged && !dragged.moved) seek(waveform.moment(event.clientX), true);
  dragged = null;
});
canvas.addEventListener("pointercancel", () => (dragged = null));
canvas.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  waveform.zoom(event.deltaY > 0 ? 1.25 : 0.8, waveform.moment(event.clientX));
});

const KEYS = {
  " ": toggle,
  ArrowLeft: () => seek(waveform.position - STEP),
  ArrowRight: () => seek(waveform.position + STEP),
};
addEventListener("keydown", (event) => {
  const other = event.target.closest("input, select, textarea, button, summary, dialog");
  if (other || event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});

document.getElementById("nearer").addEventListener("click", () => waveform.zoom(0.5));
document.getElementById("farther").addEventListener("click", () => waveform.zoom(2));
document.getElementById("copy").addEventListener("click", async () => {
  history.replaceState(null, "", address(waveform.position));
  try {
    await navigator.clipboard.writeText(location.href);
    notice(`Copied: the link leads to ${clock(waveform.position)}.`);
  } catch {
    notice("The address of this page leads here now: copy it from the browser's bar.");
  }
});

// What sticks below the bar at the top has to know how high that is.
const bar = document.querySelector(".top");
new ResizeObserver(() => {
  document.documentElement.style.setProperty("--bar", `${bar.offsetHeight}px`);
}).observe(bar);

document.getElementById("replay")?.addEventListener("click", async (event) => {
  event.target.disabled = true;
  try {
    location.href = (await send("POST", event.target.dataset.path)).path;
  } catch (error) {
    notice(error.message, "bad");
    event.target.disabled = false;
  }
});

player.querySelector(".controls").hidden = false;
if (playback) {
  const button = document.getElementById("play");
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "slider");
  canvas.setAttribute("aria-valuemin", "0");
  canvas.setAttribute("aria-valuemax", waveform.length.toFixed(1));
  button.addEventListener("click", toggle);
  const speed = document.getElementById("speed");
  speed.addEventListener("change", () => (playback.audio.playbackRate = Number(speed.value)));
  const moved = () => {
    show(playback.position);
    if (playback.playing) requestAnimationFrame(moved);
  };
  playback.audio.addEventListener("play", () => {
    button.textContent = "Pause";
    playback.audio.playbackRate = Number(speed.value);
    moved();
  });
  playback.audio.addEventListener("pause", () => (button.textContent = "Play"));
  status.textContent = "Drawing the waveform…";
  fetch(peaks)
    .then(async (answer) => {
      const said = await answer.json().catch(() => ({}));
      if (!answer.ok) throw new Error(said.detail ?? `the service answers ${answer.status}`);
      waveform.show(said, began);
      canvas.setAttribute("aria-valuemax", waveform.length.toFixed(1));
      canvas.dataset.drawn = "recording";
      status.textContent = "";
    })
    .catch((error) => (status.textContent = `The recording cannot be shown: ${error.message}. Shown is who spoke when.`));
} else {
  for (const part of player.querySelectorAll("#play, label")) part.hidden = true;
}
seek(named() ?? 0, named() !== null);
