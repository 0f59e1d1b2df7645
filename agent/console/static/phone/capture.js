// An audio worklet: the microphone's sound becomes frames for the line, at a steady pace.
//
// It runs on the audio thread, which no background tab slows down; so a frame leaves every 20 ms
// also while the phone is muted or hidden.

import { KeyTones } from "./key_tones.js";
import { Level } from "./level.js";
import { Framer } from "./pcm.js";
import { Resampler } from "./resampler.js";

/** Frames a second: 20 ms each. */
const FRAMES = 50;

/**
 * Takes the line's rate as the option `rate`, and messages: `{ muted }`, `{ key }`, `{ on: false }`
 * (which ends it). Sends `{ frame }`, an ArrayBuffer, and `{ level }` in dBFS. Where keys sound,
 * the microphone does not. Its output is the keys' tones alone, to be heard here.
 */
class Capture extends AudioWorkletProcessor {
  #on = true;
  #muted = false;
  #tones = new KeyTones(sampleRate);
  #level = new Level(sampleRate);
  #resampler;
  #framer;
  #sound = new Float32Array(128);

  constructor({ processorOptions: { rate } }) {
    super();
    this.#resampler = new Resampler(sampleRate, rate);
    this.#framer = new Framer(rate / FRAMES);
    this.port.onmessage = ({ data }) => {
      this.#on = data.on ?? this.#on;
      this.#muted = data.muted ?? this.#muted;
      if (data.key) this.#tones.press(data.key);
    };
  }

  process([microphone], [[heard]]) {
    if (this.#sound.length !== heard.length) this.#sound = new Float32Array(heard.length);
    const sound = this.#sound;
    if (this.#tones.fill(heard)) sound.set(heard);
    else mix(this.#muted ? [] : microphone, sound);
    const level = this.#level.feed(sound, currentTime);
    if (level !== null) this.port.postMessage({ level, loudUntil: this.#level.loudUntil });
    this.#framer.feed(this.#resampler.feed(sound), (frame) => {
      this.port.postMessage({ frame }, [frame]);
    });
    return this.#on;
  }
}

/** Write the mean of all channels into `out`; silence if there is none. */
function mix(channels, out) {
  out.fill(0);
  for (const channel of channels) {
    for (let n = 0; n < out.length; n += 1) out[n] += channel[n] / channels.length;
  }
}

registerProcessor("phone-capture", Capture);
