// Plays what comes of a call in time: a buffer between the way here, which is uneven, and the ears.
//
// It plays once `target` is there. When it runs dry, the way is less even than that: it waits for
// twice as much. What lies too long is dropped, so that hearing does not fall behind the call.

/** Seconds of audio to have before it plays: at first, and at most. */
const FIRST_TARGET = 0.08;
const MOST_TARGET = 2;

/** Seconds beyond the target that may lie here: clocks that differ by 100 in a million take an hour. */
const SPARE = 0.4;

/** Seconds between two reports of levels. */
const REPORT_EVERY = 0.1;

class ListeningProcessor extends AudioWorkletProcessor {
  #blocks = []; // Int16Array each: caller, agent, caller, agent …
  #first = 0; // samples of the first block that were played
  #waiting = 0; // pairs of samples that were not
  #target = FIRST_TARGET * sampleRate;
  #playing = false;
  #loudest = [0, 0];
  #reported = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => this.#take(new Int16Array(data));
  }

  process(_inputs, [[left, right]]) {
    if (!this.#playing && this.#waiting >= this.#target) this.#playing = true;
    if (this.#playing && this.#waiting < left.length) {
      this.#playing = false;
      this.#target = Math.min(this.#target * 2, MOST_TARGET * sampleRate);
    }
    if (this.#playing) this.#play(left, right);
    this.#report(left.length);
    return true;
  }

  #take(block) {
    this.#blocks.push(block);
    this.#waiting += block.length / 2;
    if (this.#waiting <= this.#target + SPARE * sampleRate) return;
    while (this.#waiting - this.#left() > this.#target) this.#drop();
  }

  /** Pairs of samples that are left of the first block. */
  #left() {
    return (this.#blocks[0].length - this.#first) / 2;
  }

  #drop() {
    this.#waiting -= this.#left();
    this.#blocks.shift();
    this.#first = 0;
  }

  #play(left, right) {
    for (let at = 0; at < left.length; at += 1) {
      while (this.#first === this.#blocks[0].length) this.#drop();
      const block = this.#blocks[0];
      left[at] = block[this.#first] / 32768;
      right[at] = block[this.#first + 1] / 32768;
      this.#first += 2;
      this.#waiting -= 1;
      this.#loudest[0] = Math.max(this.#loudest[0], Math.abs(left[at]));
      this.#loudest[1] = Math.max(this.#loudest[1], Math.abs(right[at]));
    }
  }

  #report(length) {
    this.#reported += length;
    if (this.#reported < REPORT_EVERY * sampleRate) return;
    const [caller, agent] = this.#loudest;
    this.port.postMessage({ caller, agent, waiting: this.#waiting / sampleRate });
    this.#reported = 0;
    this.#loudest = [0, 0];
  }
}

registerProcessor("listening", ListeningProcessor);
