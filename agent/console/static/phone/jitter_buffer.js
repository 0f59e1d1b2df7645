// What has come over the line and is not played yet.

/** Seconds that are gathered before the first sample is played; on a line that stutters, more. */
const LEAST = 0.06;
const MOST = 0.24;
const STEP = 0.02;

/** Seconds: audio that comes so soon after there was none left was late; later, it is a new start. */
const LATE = 0.2;

/** Seconds played without a stutter after which less is gathered again. */
const CALM = 20;

/** Seconds that are kept at the most; what is oldest goes. The service sends 20 ahead, at most. */
const CAPACITY = 30;

/**
 * Seconds beyond what the service sends ahead from which on silence is left out: the line stood
 * still, and what came then is late. The service counts what was heard by its own clock, so this
 * brings us back to it.
 */
const BEHIND = 0.5;

/** Below -60 dBFS. */
const SILENT = 0.001;

/** Samples over which sound fades where it stops or begins anew: there is no click. */
const FADE = 64;

/** Gives out audio at a steady pace that comes in at an unsteady one. */
export class JitterBuffer {
  #ring;
  #rate;
  #read = 0;
  #length = 0;
  #playing = false;
  #waited = 0;
  #dry = Infinity; // samples since there was nothing left
  #calm = 0;
  #last = 0;
  #fade = 0; // samples of the fade-in that are left
  #enough;
  #most;

  /** Takes the rate in hertz at which it is asked, and the seconds that are sent ahead. */
  constructor(rate, lead = 1) {
    this.#rate = rate;
    this.#most = (lead + BEHIND) * rate;
    this.#ring = new Float32Array(CAPACITY * rate);
    this.#enough = LEAST * rate;
    /** How often audio was late. */
    this.underruns = 0;
    /** Samples that were thrown away for want of room, or because they were silent and late. */
    this.dropped = 0;
  }

  /** Seconds that wait to be played. */
  get seconds() {
    return this.#length / this.#rate;
  }

  /** Return whether fewer than `count` samples are left of what is being played. */
  endsWithin(count) {
    return this.#playing && this.#length < count;
  }

  /** Take what has come. */
  put(samples) {
    if (this.#length === 0 && !this.#playing && samples.length > 0 && this.#dry < LATE * this.#rate) {
      this.underruns += 1;
      this.#enough = Math.min(MOST * this.#rate, this.#enough + STEP * this.#rate);
      this.#calm = 0;
    }
    const size = this.#ring.length;
    const over = Math.max(0, this.#length + samples.length - size);
    if (over > 0) {
      this.#skip(Math.min(over, this.#length));
      this.dropped += over;
    }
    const fits = samples.subarray(Math.max(0, samples.length - size));
    const write = (this.#read + this.#length) % size;
    const first = fits.subarray(0, size - write);
    this.#ring.set(first, write);
    this.#ring.set(fits.subarray(first.length), 0);
    this.#length += fits.length;
  }

  /** Fill `out`, with silence where there is nothing; return how many samples of it are audio. */
  take(out) {
    this.#begin(out.length);
    this.#catchUp(out.length);
    const count = this.#playing ? Math.min(out.length, this.#length) : 0;
    for (let n = 0; n < count; n += 1) {
      const gain = this.#fade > 0 ? 1 - this.#fade / FADE : 1;
      if (this.#fade > 0) this.#fade -= 1;
      out[n] = gain * this.#ring[(this.#read + n) % this.#ring.length];
    }
    if (count > 0) this.#last = out[count - 1];
    this.#skip(count);
    this.#fadeOut(out, count);
    this.#calm += count;
    if (this.#calm > CALM * this.#rate) {
      this.#enough = Math.max(LEAST * this.#rate, this.#enough - STEP * this.#rate);
      this.#calm = 0;
    }
    if (count < out.length && this.#playing) {
      this.#playing = false;
      this.#dry = 0;
    } else if (!this.#playing) {
      this.#dry += out.length;
    }
    return count;
  }

  /** Throw away all that is not played; what is asked for next is silent. */
  clear() {
    this.#length = 0;
    this.#playing = false;
    this.#waited = 0;
    this.#dry = Infinity;
  }

  #begin(passed) {
    if (this.#playing || this.#length === 0) return;
    this.#waited += passed;
    // What is shorter than that is played all the same, once it has waited as long.
    if (this.#length < this.#enough && this.#waited < this.#enough) return;
    this.#playing = true;
    this.#waited = 0;
    this.#fade = FADE;
  }

  #catchUp(quantum) {
    while (this.#playing && this.#length > this.#most && this.#isSilent(quantum)) {
      this.#skip(quantum);
      this.dropped += quantum;
    }
  }

  #isSilent(count) {
    for (let n = 0; n < count; n += 1) {
      if (Math.abs(this.#ring[(this.#read + n) % this.#ring.length]) > SILENT) return false;
    }
    return true;
  }

  #skip(count) {
    this.#read = (this.#read + count) % this.#ring.length;
    this.#length -= count;
  }

  #fadeOut(out, from) {
    const step = this.#last / FADE;
    let value = this.#last;
    for (let n = from; n < out.length; n += 1) {
      value = Math.abs(value) <= Math.abs(step) ? 0 : value - step;
      out[n] = value;
    }
    if (from < out.length) this.#last = out[out.length - 1];
  }
}
