// The telephone's keypad: each key is two tones (DTMF, ITU-T Q.23).

const LOW = [697, 770, 852, 941];
const HIGH = [1209, 1336, 1477];
const ROWS = ["123", "456", "789", "*0#"];

const KEYS = ROWS.join("");

/** Return whether a text is one of them. */
export function isKey(text) {
  return text.length === 1 && KEYS.includes(text);
}

/** Seconds of tone, and of pause: 40 each are the least (Q.24); a machine that dials takes 100. */
const TONE = 0.1;
const PAUSE = 0.1;

/** Of each tone: -10 dBFS together. */
const AMPLITUDE = 0.316;

/** Seconds in which a tone comes and goes: without, it clicks over the whole band. */
const RAMP = 0.005;

/** Keys that wait at the most. */
const MOST = 32;

/** Makes the tones of the keys that are pressed, one after the other. */
export class KeyTones {
  #rate;
  #waiting = [];
  #at = 0; // samples since the first of them began

  /** Takes the rate in hertz. */
  constructor(rate) {
    this.#rate = rate;
  }

  /** Press a key; one that is none is left out. */
  press(key) {
    if (isKey(key) && this.#waiting.length < MOST) this.#waiting.push(key);
  }

  /** Fill `out` with what sounds; return whether a key does, or the pause behind it. */
  fill(out) {
    out.fill(0);
    const sounding = this.#waiting.length > 0;
    for (let n = 0; n < out.length && this.#waiting.length > 0; n += 1) {
      out[n] = this.#sample(this.#waiting[0]);
      this.#at += 1;
      if (this.#at >= (TONE + PAUSE) * this.#rate) {
        this.#waiting.shift();
        this.#at = 0;
      }
    }
    return sounding;
  }

  #sample(key) {
    const seconds = this.#at / this.#rate;
    const left = TONE - seconds;
    if (left <= 0) return 0;
    const row = ROWS.findIndex((keys) => keys.includes(key));
    const turns = 2 * Math.PI * seconds;
    const wave = Math.sin(turns * LOW[row]) + Math.sin(turns * HIGH[ROWS[row].indexOf(key)]);
    return AMPLITUDE * wave * Math.min(1, seconds / RAMP, left / RAMP);
  }
}
