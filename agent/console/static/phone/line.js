// The stream channel, from the side of the platform: a websocket on which we place a call.

/** Milliseconds until a call that nobody answers is given up. */
const ANSWERED_WITHIN = 20_000;

/** Seconds of audio that may wait to be sent; beyond, frames are left out until the line moves. */
const BEHIND = 3;

/** What to tell people of a socket's end, by its code; see RFC 6455, 7.4.1. */
const ENDINGS = {
  1000: "The call is over.",
  1001: "The service is stopping. Call again in a moment.",
  1008: "The service ended the call: it takes no more from this line. Call again.",
  1011: "The service failed in this call. Its log says why; call again.",
};

const NOT_THERE =
  "The call does not get through: the service cannot be reached, or has no room for another call. " +
  "Try again in a few seconds.";
const REFUSED = {
  busy: "The line is busy: the service takes no more calls for now. Try again in a few seconds.",
  reject:
    "The service turned the call away. If it happens again, look at the agent's file for a mistake.",
};

/** Return the first message: which call waits to be answered. */
export function connectMessage({ callId, rate, caller }) {
  return JSON.stringify({
    command: "connect",
    version: 1,
    callId,
    codec: "PCM",
    sampleRate: rate,
    callHeaders: { caller },
  });
}

/** Return the command of a text message, in lower case; "" if it is none. */
export function commandOf(text) {
  try {
    const { command } = JSON.parse(text);
    return typeof command === "string" ? command.toLowerCase() : "";
  } catch {
    return "";
  }
}

/** One call. It is placed as soon as this is made. */
export class Line {
  #socket;
  #rate;
  #on;
  #answered = false;
  #over = false;
  #giveUp;

  /**
   * Takes the address, what `connectMessage` takes, and what to call: `answered()`, `audio(buffer)`,
   * `clear()`, and `over(sentence, kind)` once at the end, whoever ended it. The kind is `ours`,
   * `theirs`, `refused` or `lost`.
   */
  constructor(url, call, on) {
    this.#rate = call.rate;
    this.#on = on;
    this.#socket = new WebSocket(url);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onopen = () => this.#socket.send(connectMessage(call));
    this.#socket.onmessage = ({ data }) => this.#receive(data);
    this.#socket.onclose = ({ code }) => this.#closed(code);
    this.#giveUp = setTimeout(
      () => this.#end("Nobody answers. Is the service busy? Try again.", "lost"),
      ANSWERED_WITHIN,
    );
  }

  /** Send a frame, an ArrayBuffer. What comes before the answer goes nowhere, as on a telephone. */
  send(frame) {
    if (!this.#answered || this.#over) return;
    if (this.#socket.readyState !== WebSocket.OPEN) return; // the other end has closed it
    if (this.#socket.bufferedAmount < BEHIND * 2 * this.#rate) this.#socket.send(frame);
  }

  /** Hang up. */
  hangUp() {
    this.#end("You hung up.", "ours");
  }

  #receive(data) {
    if (this.#over) return;
    if (typeof data !== "string") {
      if (this.#answered) this.#on.audio(data);
      return;
    }
    const command = commandOf(data);
    if (command === "clear") this.#on.clear();
    if (this.#answered) return; // a heartbeat, or something that we do not know
    if (command === "answer") {
      clearTimeout(this.#giveUp);
      this.#answered = true;
      this.#on.answered();
    } else if (command in REFUSED) {
      this.#end(REFUSED[command], "refused");
    }
  }

  #closed(code) {
    if (!this.#answered) this.#end(NOT_THERE, "lost");
    else if (code in ENDINGS) this.#end(ENDINGS[code], code === 1000 ? "theirs" : "lost");
    else this.#end("The line was lost. Check the network, and call again.", "lost");
  }

  #end(sentence, kind) {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#giveUp);
    this.#socket.close(1000);
    this.#on.over(sentence, kind);
  }
}
