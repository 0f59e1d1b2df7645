// How loud a side is, and when it was loud last: for meters, and to measure what people wait for.

/** Seconds between two reports: as often as an eye wants it. */
const EVERY = 0.05;

/** Seconds over which loudness is judged. */
const WINDOW = 0.01;

/** Decibels above what is there all the time that make a sound loud; and full scale less this. */
const ABOVE = 12;
const QUIETEST = -50;

/** Decibels a second that the idea of the background rises: a voice does not become background. */
const RISE = 2;

/** Follows the loudness of one side. Times are seconds by the clock of the audio context. */
export class Level {
  #rate;
  #sum = 0;
  #count = 0;
  #peak = -100;
  #reported = 0;
  #floor = QUIETEST - ABOVE;

  /** Takes the rate in hertz. */
  constructor(rate) {
    this.#rate = rate;
    /** The end of the last stretch that was loud; -1 if there was none. */
    this.loudUntil = -1;
    /** Whether the last stretch was loud. */
    this.isLoud = false;
  }

  /** Take samples that begin at the time `at`; return a report in dBFS when one is due, or null. */
  feed(samples, at) {
    for (let n = 0; n < samples.length; n += 1) {
      this.#sum += samples[n] * samples[n];
      this.#count += 1;
      if (this.#count >= WINDOW * this.#rate) this.#judge(at + (n + 1) / this.#rate);
    }
    if (at - this.#reported < EVERY) return null;
    this.#reported = at;
    const level = this.#peak;
    this.#peak = -100;
    return level;
  }

  #judge(at) {
    const level = 10 * Math.log10(this.#sum / this.#count + 1e-10);
    this.#peak = Math.max(this.#peak, level);
    this.#floor = Math.min(level, this.#floor + (RISE * this.#count) / this.#rate);
    this.isLoud = level > Math.max(QUIETEST, this.#floor + ABOVE);
    if (this.isLoud) this.loudUntil = at;
    this.#sum = 0;
    this.#count = 0;
  }
}
