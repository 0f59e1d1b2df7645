// An audio worklet: what comes over the line is played.

import { JitterBuffer } from "./jitter_buffer.js";
import { Level } from "./level.js";
import { Decoder } from "./pcm.js";
import { Resampler } from "./resampler.js";

/** Seconds between two reports of how much waits to be played. */
const EVERY = 0.25;

/** Seconds of silence behind which a sound is a beginning; within speech, there are shorter ones. */
const PAUSE = 0.3;

/**
 * Takes the line's rate as the option `rate` and the seconds sent ahead as `lead`, and messages:
 * `{ audio }` (an ArrayBuffer of any length), `{ clear: true }`, `{ on: false }` (which ends it).
 * Sends `{ level }` in dBFS; `{ began }`, by the context's clock, when it is heard after a silence;
 * `{ cleared }`, seconds that were thrown away; `{ waiting, underruns, dropped }`.
 */
class Playout extends AudioWorkletProcessor {
  #on = true;
  #decoder = new Decoder();
  #buffer;
  #resampler;
  #level = new Level(sampleRate);
  #reported = 0;

  constructor({ processorOptions: { rate, lead } }) {
    super();
    this.#resampler = new Resampler(rate, sampleRate);
    this.#buffer = new JitterBuffer(sampleRate, lead);
    this.port.onmessage = ({ data }) => this.#take(data);
  }

  #take({ audio, clear, on }) {
    this.#on = on ?? this.#on;
    if (audio) this.#buffer.put(this.#resampler.feed(this.#decoder.decode(audio)));
    if (clear) {
      this.port.postMessage({ cleared: this.#buffer.seconds });
      this.#buffer.clear();
      this.#resampler.reset();
      this.#decoder.reset();
    }
  }

  process(_inputs, [[out]]) {
    // What the filter holds back is the end of what was said, once nothing follows.
    if (this.#buffer.endsWithin(out.length)) this.#buffer.put(this.#resampler.flush());
    this.#buffer.take(out);
    const silentSince = this.#level.loudUntil;
    const level = this.#level.feed(out, currentTime);
    if (this.#level.loudUntil > silentSince && currentTime - silentSince > PAUSE) {
      this.port.postMessage({ began: currentTime });
    }
    if (level !== null) this.port.postMessage({ level });
    if (currentTime - this.#reported > EVERY) {
      this.#reported = currentTime;
      const { seconds: waiting, underruns, dropped } = this.#buffer;
      this.port.postMessage({ waiting, underruns, dropped: dropped / sampleRate });
    }
    return this.#on;
  }
}

registerProcessor("phone-playout", Playout);
