// The waveform of a call: the caller above, the agent below, on the call's clock.

import { clock } from "../app.js";

const SCALE = 22; // pixels for the times below
const LEAST = 2; // seconds of the nearest view
const QUIET = 1500; // what is never louder than this is not blown up to fill its half
const STEPS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800];

/** Return pairs of lowest and highest sample of what the service packs. */
export function unpacked(packed) {
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Int16Array.from({ length: bytes.length / 2 }, (_, n) => view.getInt16(2 * n, true));
}

/** Draws what there is: peaks of a recording, or else the lines by their times. */
export class Waveform {
  /**
   * @param canvas Where.
   * @param lines Of the transcript: `{who, at, until}`, seconds on the call's clock.
   * @param marks Moments at which something failed.
   * @param length Seconds of the call.
   */
  constructor(canvas, lines, marks, length) {
    this.canvas = canvas;
    this.lines = lines;
    this.marks = marks;
    this.length = Math.max(length, 1, ...lines.map((line) => line.until));
    this.begin = Math.min(0, ...lines.map((line) => line.at));
    this.from = this.begin;
    this.to = this.length;
    this.position = 0;
    this.peaks = null;
    this.due = false;
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  /** Draw a recording from now on; `began` is when its first sample was heard. */
  show(answer, began) {
    const sides = [unpacked(answer.caller), unpacked(answer.agent)];
    const loudest = sides.map((side) => side.reduce((most, one) => Math.max(most, Math.abs(one)), QUIET));
    this.peaks = { sides, loudest, began, column: answer.column };
    this.length = Math.max(this.length, began + answer.seconds);
    this.begin = Math.min(this.begin, began);
    this.whole();
  }

  /** Show all of the call. */
  whole() {
    this.from = this.begin;
    this.to = this.length;
    this.draw();
  }

  /** Show a part that is `times` as long, with `around` where it was. */
  zoom(times, around = this.position) {
    const all = this.length - this.begin;
    const span = Math.min(all, Math.max(LEAST, (this.to - this.from) * times));
    const inside = around >= this.from && around <= this.to;
    const share = inside ? (around - this.from) / (this.to - this.from) : 0.5;
    this.move(around - share * span, span);
  }

  /** Show a part of the call, as far as there is one. */
  move(from, span = this.to - this.from) {
    this.from = Math.min(Math.max(this.begin, from), Math.max(this.begin, this.length - span));
    this.to = this.from + span;
    this.draw();
  }

  /** Move the line that stands where it plays, and the part that is shown if it leaves that. */
  at(position) {
    this.position = position;
    const span = this.to - this.from;
    if (position > this.to || position < this.from) this.move(position - span * 0.1, span);
    else this.draw();
  }

  /** Return the moment below a place on the canvas, in seconds. */
  moment(x) {
    const box = this.canvas.getBoundingClientRect();
    return this.from + ((x - box.left) / box.width) * (this.to - this.from);
  }

  /** Draw before the next frame, once. */
  draw() {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => {
      this.due = false;
      this.#paint();
    });
  }

  #paint() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const sharp = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(width * sharp), Math.round(height * sharp)];
    if (this.canvas.width !== wide || this.canvas.height !== high) {
      this.canvas.width = wide;
      this.canvas.height = high;
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(sharp, 0, 0, sharp, 0, 0);
    pen.clearRect(0, 0, width, height);
    const style = getComputedStyle(this.canvas);
    const colour = (name) => style.getPropertyValue(name).trim();
    const half = (height - SCALE) / 2;
    this.#times(pen, width, height, colour);
    this.#spoken(pen, width, half, colour);
    if (this.peaks) this.#sound(pen, width, half, colour);
    for (const at of this.marks) this.#line(pen, width, height - SCALE, at, colour("--bad"), 1);
    this.#line(pen, width, height - SCALE, this.position, colour("--text"), 2);
  }

  #x(at, width) {
    return ((at - this.from) / (this.to - this.from)) * width;
  }

  #times(pen, width, height, colour) {
    const step = STEPS.find((one) => (this.to - this.from) / one <= width / 70) ?? 3600;
    pen.font = `12px ${getComputedStyle(this.canvas).fontFamily}`;
    pen.textBaseline = "bottom";
    for (let at = Math.ceil(this.from / step) * step; at <= this.to; at += step) {
      const x = this.#x(at, width);
      pen.fillStyle = colour("--line");
      pen.fillRect(x, 0, 1, height - SCALE + 4);
      pen.fillStyle = colour("--soft");
      const label = step < 1 ? `${clock(at)}.${Math.round((at % 1) * 10)}` : clock(at);
      const room = pen.measureText(label).width;
      pen.fillText(label, Math.min(Math.max(0, x - room / 2), width - room), height);
    }
  }

  /** Draw when each of them spoke, by the lines. */
  #spoken(pen, width, half, colour) {
    for (const line of this.lines) {
      const [x, end] = [this.#x(line.at, width), this.#x(line.until, width)];
      if (end < 0 || x > width) continue;
      const caller = line.who === "caller";
      const alone = !this.peaks;
      pen.fillStyle = colour(caller ? "--caller-soft" : "--agent-soft");
      if (alone) pen.fillStyle = colour(caller ? "--caller" : "--agent");
      const inset = alone ? half * 0.3 : 2;
      pen.beginPath();
      pen.roundRect(x, (caller ? 0 : half) + inset, Math.max(1, end - x), half - 2 * inset, alone ? 3 : 4);
      pen.fill();
    }
  }

  #sound(pen, width, half, colour) {
    const { sides, loudest, began, column } = this.peaks;
    const each = (this.to - this.from) / width / column;
    sides.forEach((side, n) => {
      pen.fillStyle = colour(n ? "--agent" : "--caller");
      const middle = half * (n + 0.5);
      const tall = (half * 0.46) / loudest[n];
      for (let x = 0; x < width; x += 1) {
        const start = (this.from + (x / width) * (this.to - this.from) - began) / column;
        let [low, high] = [0, 0];
        const last = Math.min(side.length / 2, Math.max(Math.floor(start) + 1, start + each));
        for (let at = Math.max(0, Math.floor(start)); at < last; at += 1) {
          low = Math.min(low, side[2 * at]);
          high = Math.max(high, side[2 * at + 1]);
        }
        if (start + each > 0 && start < side.length / 2) {
          pen.fillRect(x, middle - high * tall, 1, Math.max(1, (high - low) * tall));
        }
      }
    });
  }

  #line(pen, width, height, at, colour, thick) {
    if (at < this.from || at > this.to) return;
    pen.fillStyle = colour;
    pen.fillRect(Math.min(this.#x(at, width), width - thick), 0, thick, height);
  }
}
