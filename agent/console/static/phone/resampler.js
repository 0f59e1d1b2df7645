// Audio from one sample rate to another, piece by piece, by a polyphase filter.

/** Of the sinc on either side, in samples of the lower rate: 4 ms of delay at 8 kHz. */
const ZERO_CROSSINGS = 32;

/** Of the Kaiser window: 0.1102 (A - 8.7) for A = 70 dB of rejection (Kaiser 1974). */
const BETA = 6.76;

/**
 * Where it cuts off (-6 dB), as a share of half the lower rate. The transition ends below half the
 * rate, so that nothing folds back: 3.4 to 4 kHz at 8 kHz, the upper edge of what a telephone has.
 */
const CUTOFF = 0.925;

function divisor(a, b) {
  return b === 0 ? a : divisor(b, a % b);
}

/** The modified Bessel function of order 0, by its series; enough terms for arguments below 10. */
function bessel(x) {
  let sum = 1;
  let term = 1;
  for (let k = 1; k < 40; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/**
 * Return the windowed sinc at `up` phases, a row of `2 * reach` weights each. Row p weighs the
 * samples i - reach + 1 .. i + reach for what lies p / up of a sample after sample i.
 */
function filterBank(up, down) {
  const bandwidth = Math.min(1, up / down);
  const reach = Math.ceil(ZERO_CROSSINGS / bandwidth);
  const bank = new Float32Array(up * 2 * reach);
  const row = new Float64Array(2 * reach);
  for (let phase = 0; phase < up; phase += 1) {
    let sum = 0;
    for (let k = 0; k < row.length; k += 1) {
      const distance = phase / up - (k - reach + 1);
      const x = Math.PI * distance * bandwidth * CUTOFF;
      const edge = 1 - Math.min(1, (distance / reach) ** 2);
      row[k] = (x === 0 ? 1 : Math.sin(x) / x) * bessel(BETA * Math.sqrt(edge));
      sum += row[k];
    }
    for (let k = 0; k < row.length; k += 1) bank[phase * row.length + k] = row[k] / sum;
  }
  return { bank, reach };
}

/**
 * Changes the rate of one stream of audio. What comes out does not depend on how the stream is cut
 * into pieces, so there are no clicks at their edges.
 */
export class Resampler {
  /** Takes two rates in hertz, whole numbers. */
  constructor(source, target) {
    const common = divisor(source, target);
    this.up = target / common;
    this.down = source / common;
    if (this.up === this.down) return;
    const { bank, reach } = filterBank(this.up, this.down);
    this.bank = bank;
    this.taps = 2 * reach;
    this.samples = new Float32Array(this.taps + 4096);
    this.out = new Float32Array(1024);
    this.reset();
  }

  /** Forget what was fed: silence came before whatever is next. */
  reset() {
    if (this.up === this.down) return;
    this.samples.fill(0);
    this.length = this.taps / 2 - 1;
    this.next = 0; // where the next output's window begins, in 1 / up of a sample
  }

  /**
   * Return the samples that are certain by now, any number of them. What is returned is good until
   * the next call: copy what has to last.
   */
  feed(piece) {
    if (this.up === this.down) return piece;
    this.#append(piece);
    const ends = (this.length - this.taps + 1) * this.up;
    const count = Math.max(0, Math.ceil((ends - this.next) / this.down));
    if (this.out.length < count) this.out = new Float32Array(2 * count);
    for (let n = 0; n < count; n += 1) {
      const start = Math.floor(this.next / this.up);
      const row = (this.next - start * this.up) * this.taps;
      let sum = 0;
      for (let k = 0; k < this.taps; k += 1) sum += this.bank[row + k] * this.samples[start + k];
      this.out[n] = sum;
      this.next += this.down;
    }
    const used = Math.min(Math.floor(this.next / this.up), this.length);
    this.samples.copyWithin(0, used, this.length);
    this.length -= used;
    this.next -= used * this.up;
    return this.out.subarray(0, count);
  }

  /** Return what is still inside, as if silence followed; and begin anew. */
  flush() {
    if (this.up === this.down) return new Float32Array(0);
    const rest = this.feed(new Float32Array(this.taps / 2)).slice();
    this.reset();
    return rest;
  }

  #append(piece) {
    if (this.samples.length < this.length + piece.length) {
      const larger = new Float32Array(2 * (this.length + piece.length));
      larger.set(this.samples.subarray(0, this.length));
      this.samples = larger;
    }
    this.samples.set(piece, this.length);
    this.length += piece.length;
  }
}
