// The browser's microphone and loudspeaker, as the two ends of a line.

/** What went wrong, in a sentence that says what to do. */
export class SoundError extends Error {}

const NO_WORKLET = "This browser is too old to call: it has no AudioWorklet. Use a newer one.";
const INSECURE =
  "Browsers give a microphone only to pages that came by HTTPS, or from this very machine. Open this " +
  "page by https://, or as http://localhost through a tunnel: ssh -L 8080:localhost:8080 the-server.";

/** By the names of DOMException that getUserMedia has. */
const REFUSALS = {
  NotAllowedError:
    "The browser may not use the microphone. Allow it beside the address of this page, then call again.",
  NotFoundError: "There is no microphone. Connect one, then call again.",
  NotReadableError: "The microphone does not answer: another program may hold it. Close that, then call again.",
  OverconstrainedError: "The chosen microphone is not there any more. Choose another, then call again.",
};

/** Return why this page cannot call, in a sentence; "" if it can. */
export function obstacle() {
  if (!window.isSecureContext) return INSECURE;
  if (!navigator.mediaDevices?.getUserMedia) return "This browser gives pages no microphone. Use another.";
  if (!("AudioWorkletNode" in window)) return NO_WORKLET;
  return "";
}

/** Return whether the loudspeaker can be chosen here. */
export function canChooseLoudspeaker() {
  return "setSinkId" in (window.AudioContext?.prototype ?? {});
}

/**
 * Ask for a microphone. `wishes` has `microphone`, the id of a device or "", and whether there is to
 * be `echoCancellation`, `noiseSuppression` and `autoGainControl`. Throws SoundError.
 */
async function microphone(wishes) {
  const { echoCancellation, noiseSuppression, autoGainControl } = wishes;
  const audio = { echoCancellation, noiseSuppression, autoGainControl };
  if (wishes.microphone) audio.deviceId = { exact: wishes.microphone };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw new SoundError(REFUSALS[error.name] ?? "The microphone cannot be used. Call again.");
  }
}

/** Both ends. Made by `openSound`; `close` it. */
class Sound {
  #context;
  #capture;
  #playout;
  #volume;
  #source = null;
  #stream = null;
  #on;

  constructor(context, { rate, lead, volume }, on) {
    this.#context = context;
    this.#on = on;
    const mono = { channelCount: 1, channelCountMode: "explicit" };
    this.#capture = new AudioWorkletNode(context, "phone-capture", {
      ...mono, outputChannelCount: [1], processorOptions: { rate },
    });
    this.#playout = new AudioWorkletNode(context, "phone-playout", {
      numberOfInputs: 0, outputChannelCount: [1], processorOptions: { rate, lead },
    });
    this.#volume = new GainNode(context, { gain: volume });
    this.#playout.connect(this.#volume);
    this.#capture.connect(this.#volume);
    this.#volume.connect(context.destination);
    this.#capture.port.onmessage = ({ data }) => on.captured(data);
    this.#playout.port.onmessage = ({ data }) => on.played(data);
    context.onstatechange = () => this.#stateChanged();
  }

  /** Seconds from the playout to the ear, as far as the browser knows. */
  get outputLatency() {
    return this.#context.outputLatency || 0;
  }

  /** The time by the clock that sound is measured with, in seconds. */
  get now() {
    return this.#context.currentTime;
  }

  /** Play what came over the line, an ArrayBuffer. */
  play(audio) {
    this.#playout.port.postMessage({ audio }, [audio]);
  }

  /** Throw away what is not played. */
  clear() {
    this.#playout.port.postMessage({ clear: true });
  }

  /** Have the line hear silence, or the microphone again. */
  mute(muted) {
    this.#capture.port.postMessage({ muted });
  }

  /** Press a key of the keypad: its tones are heard on the line, and here. */
  press(key) {
    this.#capture.port.postMessage({ key });
  }

  /** Set how loud it is here, 0 to 1. */
  setVolume(volume) {
    this.#volume.gain.setTargetAtTime(volume, this.#context.currentTime, 0.02);
  }

  /** Listen to the microphone that is wished for, in place of the one before. Throws SoundError. */
  async listen(wishes) {
    const stream = await microphone(wishes);
    if (this.#context.state === "closed") {
      stop(stream);
      return;
    }
    this.#source?.disconnect();
    stop(this.#stream);
    this.#stream = stream;
    this.#source = new MediaStreamAudioSourceNode(this.#context, { mediaStream: stream });
    this.#source.connect(this.#capture);
    for (const track of stream.getAudioTracks()) {
      track.onended = () => {
        this.#on.trouble("The microphone is gone: the agent hears silence. Choose another one.");
      };
    }
  }

  /** Play to the loudspeaker of that id; "" is the usual one. Throws SoundError. */
  async playTo(loudspeaker) {
    if (!canChooseLoudspeaker()) return;
    try {
      await this.#context.setSinkId(loudspeaker);
    } catch {
      throw new SoundError("The chosen loudspeaker cannot be used. Choose another one.");
    }
  }

  /** Give up microphone and loudspeaker. */
  close() {
    this.#context.onstatechange = null;
    this.#capture.port.postMessage({ on: false });
    this.#playout.port.postMessage({ on: false });
    this.#capture.port.onmessage = this.#playout.port.onmessage = null;
    stop(this.#stream);
    this.#stream = null;
    if (this.#context.state !== "closed") this.#context.close();
  }

  #stateChanged() {
    if (this.#context.state === "running" || this.#context.state === "closed") return;
    this.#on.trouble("The browser has stopped the sound of this page. Touch it to go on.");
    const again = () => this.#context.resume();
    document.addEventListener("pointerdown", again, { once: true });
    again().catch(() => {}); // it waits for a touch
  }
}

function stop(stream) {
  for (const track of stream?.getTracks() ?? []) {
    track.onended = null;
    track.stop();
  }
}

/**
 * Open microphone and loudspeaker. Call it while a press of the user is being handled: browsers let
 * no sound be played otherwise. Throws SoundError.
 *
 * `wishes` has what `microphone` takes, the line's `rate` in hertz, `lead` (seconds that are sent
 * ahead), `volume` from 0 to 1, and `loudspeaker`, an id or "". `on` has `captured(message)` and
 * `played(message)` for what the worklets send, and `trouble(sentence)`.
 */
export async function openSound(wishes, on) {
  const why = obstacle();
  if (why) throw new SoundError(why);
  const context = new AudioContext({ latencyHint: "interactive" });
  try {
    const modules = ["capture.js", "playout.js"].map((name) => new URL(name, import.meta.url));
    await Promise.all([
      context.resume(),
      ...modules.map((url) => context.audioWorklet.addModule(url).catch(() => {
        throw new SoundError(NO_WORKLET);
      })),
    ]);
    const sound = new Sound(context, wishes, on);
    await sound.listen(wishes);
    await sound.playTo(wishes.loudspeaker);
    return sound;
  } catch (error) {
    await context.close();
    throw error;
  }
}
