// The recording of a call, played by the call's clock.

/** Plays a recording. It is asked for when it is first played: each time is noted in the access log. */
export class Playback {
  /**
   * @param path Of the recording.
   * @param began When its first sample is heard, in seconds on the call's clock.
   * @param tell Called with a sentence for the reader; "" if there is nothing to tell.
   */
  constructor(path, began, tell) {
    this.path = path;
    this.began = began;
    this.tell = tell;
    this.audio = new Audio();
    this.ready = null;
    this.wanted = Math.max(0, began);
  }

  /** Return the moment that is heard, in seconds on the call's clock. */
  get position() {
    return this.audio.src ? this.audio.currentTime + this.began : this.wanted;
  }

  get playing() {
    return !this.audio.paused;
  }

  /** Go to a moment; what was before the recording is its beginning. */
  seek(moment) {
    this.wanted = Math.max(this.began, moment);
    if (this.audio.src) this.audio.currentTime = this.wanted - this.began;
  }

  /** Play from where it is. */
  async play() {
    this.ready ??= this.#load();
    try {
      await this.ready;
      await this.audio.play();
    } catch (error) {
      if (error.name === "AbortError") return; // it was paused before it began
      if (!this.audio.src) this.ready = null; // so that one may try again
      this.tell(error.name === "NotAllowedError" ? "The browser wants a click before it plays." : error.message);
    }
  }

  pause() {
    this.audio.pause();
  }

  /** Ask for the first byte: who hands out ranges can be sought in, what comes whole is kept. */
  async #load() {
    this.tell("Loading the recording…");
    const answer = await fetch(this.path, { headers: { range: "bytes=0-0" } });
    if (!answer.ok) {
      const said = await answer.json().catch(() => ({}));
      throw new Error(`The recording cannot be heard: ${said.detail ?? answer.status}.`);
    }
    const kind = (answer.headers.get("content-type") ?? "").split(";")[0];
    if (!this.audio.canPlayType(kind)) {
      await answer.body?.cancel();
      throw new Error(`This browser does not play ${kind}. Download the recording to hear it.`);
    }
    this.audio.src = answer.status === 206 ? this.path : URL.createObjectURL(await answer.blob());
    await new Promise((done, failed) => {
      this.audio.addEventListener("loadedmetadata", done, { once: true });
      this.audio.addEventListener("error", () => failed(new Error("The recording cannot be played.")), { once: true });
    });
    this.audio.currentTime = this.wanted - this.began;
    this.tell("");
  }
}
