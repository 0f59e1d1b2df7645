// 16-bit little-endian samples, as the stream channel has them, from and to the browser's floats.

/** Return samples between -1 and 1 as bytes; louder ones are clipped, never wrapped. */
export function encoded(samples) {
  const view = new DataView(new ArrayBuffer(2 * samples.length));
  for (let n = 0; n < samples.length; n += 1) {
    const value = Math.round(samples[n] * 32768);
    view.setInt16(2 * n, Math.max(-32768, Math.min(32767, value)), true);
  }
  return view.buffer;
}

/** Makes samples of messages of any length: half a sample waits for the message that ends it. */
export class Decoder {
  #odd = -1;

  /** Return the samples of an ArrayBuffer that are whole by now. */
  decode(buffer) {
    const bytes = new Uint8Array(buffer);
    const before = this.#odd < 0 ? 0 : 1;
    const whole = (bytes.length + before) >> 1;
    const samples = new Float32Array(whole);
    const at = (n) => (n < before ? this.#odd : bytes[n - before]);
    for (let n = 0; n < whole; n += 1) {
      samples[n] = (((at(2 * n) | (at(2 * n + 1) << 8)) << 16) >> 16) / 32768;
    }
    if ((bytes.length + before) % 2 === 0) this.#odd = -1;
    else if (bytes.length > 0) this.#odd = bytes[bytes.length - 1];
    return samples;
  }

  /** Forget half a sample: what follows begins with a whole one. */
  reset() {
    this.#odd = -1;
  }
}

/** Cuts a stream of samples into frames of one size. */
export class Framer {
  #frame;
  #filled = 0;

  /** Takes the number of samples in a frame. */
  constructor(size) {
    this.#frame = new Float32Array(size);
  }

  /** Hand each whole frame to `take`, as bytes; keep what is left. */
  feed(samples, take) {
    let done = 0;
    while (done < samples.length) {
      const part = samples.subarray(done, done + this.#frame.length - this.#filled);
      this.#frame.set(part, this.#filled);
      this.#filled += part.length;
      done += part.length;
      if (this.#filled === this.#frame.length) {
        this.#filled = 0;
        take(encoded(this.#frame));
      }
    }
  }
}
