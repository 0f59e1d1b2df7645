// A call as it is spoken, made of the lines of its record: what stands there, in which order.
//
// Pure: no page, no clock, no requests. It reads lines as agent/records/conversation.py does, but
// one at a time, while more come: a later line may take the place of what an earlier one has shown.

/**
 * What somebody said at a stretch.
 * @typedef {object} Said
 * @property {"said"} type
 * @property {string} key Stays the same while this grows, or is understood better.
 * @property {"caller"|"agent"} who
 * @property {string} text What was said; of the agent, what was heard of it so far.
 * @property {number} at Seconds since the answer, when it was begun.
 * @property {?number} until When it ended, so far.
 * @property {?number} turn
 * @property {boolean} open Whether more of it may come: it is being spoken.
 * @property {boolean} cutOff Whether the agent had more to say.
 * @property {string} unheard What it was that nobody heard; "" if none of it is known.
 * @property {string} said What it is of the agent's, such as "greeting" or "answer"; or "".
 * @property {string} aside Why words of the caller's want no answer: "backchannel" (they only show
 *   that they listen), "background" (somebody else's); or "".
 * @property {string} to To whom it was, on a line of several: "agent", "others", or "".
 * @property {?number} responseTime Seconds that the caller waited for it.
 * @property {?object} timing The `timing` line of its turn, with what of its times is known.
 */

/**
 * Something that happened between.
 * @typedef {object} Happened
 * @property {"happened"} type
 * @property {string} key
 * @property {string} kind The kind of its line, such as "tool" or "barge_in".
 * @property {string} text A sentence to be shown.
 * @property {boolean} bad Whether something went wrong.
 * @property {number} at Seconds since the answer.
 */

/** Later lines of callers among which the one is that supersedes an `understood` line. */
const NEAR = 16;

/** Seconds by which a sentence may lie outside of its reply. */
const ROUNDING = 0.01;

/** Letters between which no space stands: kana, ideographs, Thai, Lao, Khmer, Burmese, wide marks. */
const WIDE = /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]/;

const UNDERSTOOD = new Set(["caller", "understood", "backchannel"]);

/** The conversation of one call. Give it every line of the record, in order, by `add`. */
export class Conversation {
  #entries = [];
  #known = new Map(); // key -> its entry
  #keys = 0;
  #last = 0; // seconds: where a line without a time stands
  #callers = []; // keys of the last lines of callers; null of those that nothing supersedes
  #replies = new Map(); // turn -> keys of its replies, the newest last
  #sounding = null; // key of the reply that is heard
  #timings = new Map(); // turn -> its `timing` line, until it is shown
  #held = null; // key of the hold that is not over yet

  /** The `call` line: who calls whom, which agent answers; empty until it has come. */
  about = {};

  /** The `ended` line; null while the call goes on. */
  ended = null;

  /**
   * What there is to show, in the order in which it began. Nothing in it is ever changed: what is
   * new or different is another object, of the same `key`.
   * @returns {ReadonlyArray<Said|Happened>}
   */
  get entries() {
    return this.#entries;
  }

  /** Take the next line of the record, an object with `kind`, `at` and what else it has. */
  add(line) {
    if (typeof line.at === "number") this.#last = line.at;
    if (UNDERSTOOD.has(line.kind)) this.#callerSaid(line);
    else if (line.kind === "heard") this.#heard(line);
    else if (line.kind === "agent") this.#agentSaid(line);
    else if (line.kind === "timing") this.#timed(line);
    else if (line.kind === "held") this.#hold(line);
    else if (line.kind === "resumed" || line.kind === "barge_in") this.#holdOver(line);
    else if (line.kind === "call") this.about = line;
    else if (line.kind === "ended") this.#end(line);
    else this.#happened(line);
  }

  /** No line is to come any more: what was being said ends where it is. */
  over() {
    this.#breakOff();
    for (const key of this.#callers) this.#settle(key);
    this.#callers = [];
  }

  // The caller

  #callerSaid(line) {
    const begin = this.#at(line);
    const until = line.until ?? begin;
    const superseded = [];
    for (const [place, key] of this.#callers.entries()) {
      const one = key === null ? null : this.#find(key);
      if (one === null || one.at < begin || one.at > until) continue;
      superseded.push(key);
      this.#callers[place] = null;
    }
    for (const key of superseded.slice(1)) this.#remove(key);
    const key = superseded[0] ?? this.#key();
    if (line.text) {
      this.#put(this.#said(key, "caller", line, {
        open: line.so_far === true,
        aside: aside(line),
      }));
    } else if (superseded.length) {
      this.#remove(key);
    }
    this.#callers.push(line.kind === "understood" && line.text ? key : null);
    if (this.#callers.length > NEAR) this.#settle(this.#callers.shift());
  }

  // The agent

  #heard(line) {
    const turn = line.turn ?? null;
    const open = this.#open(turn);
    if (open === null) {
      const at = this.#at(line);
      const over = (this.#replies.get(turn) ?? []).map((key) => this.#find(key));
      if (over.some((one) => one.at - ROUNDING <= at && at < (one.until ?? one.at))) return;
      this.#reply(this.#said(this.#key(), "agent", line, { open: true }));
      return;
    }
    const text = joined(open.text, line.text ?? "");
    this.#put({ ...open, text, until: line.until ?? open.until });
  }

  #agentSaid(line) {
    const open = this.#open(line.turn ?? null);
    const made = this.#said(open?.key ?? this.#key(), "agent", line, {
      cutOff: line.cut_off === true,
      unheard: line.unheard ?? "",
      said: line.said ?? "",
      responseTime: open?.responseTime ?? null,
      timing: open?.timing ?? null,
    });
    if (open === null) this.#reply(made);
    else this.#put(made);
    if (this.#sounding === made.key) this.#sounding = null;
  }

  /** Show a reply that was not there yet. One that sounded until now has lost its own line. */
  #reply(entry) {
    this.#breakOff();
    const keys = this.#replies.get(entry.turn) ?? [];
    this.#replies.set(entry.turn, [...keys, entry.key]);
    const timing = this.#timings.get(entry.turn) ?? null;
    const first = keys.length === 0 && timing !== null;
    this.#put(first ? { ...entry, timing, responseTime: waited(timing) } : entry);
    if (entry.open) this.#sounding = entry.key;
  }

  #timed(line) {
    const turn = line.turn ?? null;
    if (this.#timings.has(turn)) return;
    this.#timings.set(turn, line);
    const [key] = this.#replies.get(turn) ?? [];
    if (key === undefined) return;
    this.#put({ ...this.#find(key), timing: line, responseTime: waited(line) });
  }

  #breakOff() {
    const open = this.#sounding === null ? null : this.#find(this.#sounding);
    if (open !== null) this.#put({ ...open, open: false, cutOff: true });
    this.#sounding = null;
  }

  /** Return the reply of a turn that sounds; null if that is over, or another's. */
  #open(turn) {
    const one = this.#sounding === null ? null : this.#find(this.#sounding);
    return one !== null && one.turn === turn ? one : null;
  }

  // What happens between

  #hold(line) {
    this.#held = this.#happened(line);
  }

  /** A hold and what became of it are one line: that it was a false alarm, or meant. */
  #holdOver(line) {
    const held = this.#held === null ? null : this.#find(this.#held);
    this.#held = null;
    if (held === null) this.#happened(line);
    else this.#put({ ...held, kind: line.kind, text: told(line) });
  }

  #happened(line) {
    const text = told(line);
    if (!text) return null;
    const bad = ["failover", "failed", "dropped"].includes(line.kind) || line.status === "failed";
    const entry = { type: "happened", key: this.#key(), kind: line.kind, text, bad, at: this.#at(line) };
    this.#put(entry);
    return entry.key;
  }

  #end(line) {
    this.ended = line;
    this.over();
    this.#happened(line);
  }

  // Entries

  #said(key, who, line, more) {
    return {
      type: "said", key, who, text: line.text ?? "", at: this.#at(line), until: line.until ?? null,
      turn: line.turn ?? null, open: false, cutOff: false, unheard: "", said: "", aside: "",
      to: line.to ?? "", responseTime: null, timing: null, ...more,
    };
  }

  /** Nothing will supersede this any more: they have said so. */
  #settle(key) {
    const one = key === null ? null : this.#find(key);
    if (one !== null && one.open) this.#put({ ...one, open: false });
  }

  #at(line) {
    return typeof line.at === "number" ? line.at : this.#last;
  }

  #key() {
    this.#keys += 1;
    return `e${this.#keys}`;
  }

  #find(key) {
    return this.#known.get(key) ?? null;
  }

  /** Return where an entry stands, looked for from the end, where nearly all is that changes. */
  #place(key) {
    return this.#entries.findLastIndex((one) => one.key === key);
  }

  #remove(key) {
    if (this.#known.delete(key)) this.#entries.splice(this.#place(key), 1);
  }

  /** Put an entry where it belongs by its time, in place of the one of its key. */
  #put(entry) {
    const old = this.#find(entry.key);
    if (old !== null && old.at === entry.at) {
      this.#entries[this.#place(entry.key)] = entry;
    } else {
      this.#remove(entry.key);
      const before = this.#entries.findLastIndex((one) => one.at <= entry.at);
      this.#entries.splice(before + 1, 0, entry);
    }
    this.#known.set(entry.key, entry);
  }
}

/** Return why words of the caller's want no answer; "" if they do. */
function aside(line) {
  if (line.kind !== "backchannel") return "";
  return line.by === "background" ? "background" : "backchannel";
}

/** Return the seconds that a caller waited, of a `timing` line; null if that does not say. */
export function waited(timing) {
  const { speech_end: spoke, heard } = timing;
  return typeof spoke === "number" && typeof heard === "number" ? heard - spoke : null;
}

/** Return two pieces of a text as one, with a space between where their script has spaces. */
export function joined(first, second) {
  const close = !first || !second || (WIDE.test(first.at(-1)) && WIDE.test(second[0]));
  return first + (close ? "" : " ") + second;
}

const HELD_FOR = {
  backchannel: "the caller only showed that they listen",
  noise: "a noise",
  background: "somebody in the background",
  late: "it was not known in time what it was",
  greeting: "the caller greeted, too",
};

const DROPPED_FOR = {
  words: "the caller had something to say",
  length: "the caller went on speaking",
  keys: "keys were pressed",
  answer: "the caller answered already",
  "end of ours": "the caller spoke at its end",
};

const ANSWERED_BY = {
  human: "A person has answered",
  machine: "An answering machine has answered",
  screener: "Somebody who screens calls has answered",
};

/** Return a sentence that tells of a line that is nobody's words; "" if it is not to be shown. */
export function told(line) {
  switch (line.kind) {
    case "held":
      return "On hold: the caller may want to speak";
    case "resumed": {
      const why = HELD_FOR[line.by] ? `: ${HELD_FOR[line.by]}` : "";
      const after = typeof line.after === "number" ? ` after ${seconds(line.after)}` : "";
      return `${line.anew ? "Begun again" : "Went on"}${after}${why}`;
    }
    case "barge_in":
      return `Interrupted${DROPPED_FOR[line.by] ? `: ${DROPPED_FOR[line.by]}` : ""}`;
    case "tool": {
      const took = typeof line.seconds === "number" ? `, ${seconds(line.seconds)}` : "";
      return `Tool ${line.name}: ${line.status ?? "done"}${took}`;
    }
    case "failover":
      return `${stage(line)}: ${line.to} took over from ${line.provider} (${line.error ?? line.reason})`;
    case "failed":
      return `${stage(line)}: nobody could do it (${line.error ?? line.reason})`;
    case "transfer":
      if (line.status === "returned") return `The agent is back${line.by === "operator" ? ", called by an operator" : ""}`;
      return `Transfer to ${line.to}: ${line.status}${line.why ? ` (${line.why})` : ""}${line.by === "operator" ? ", by an operator" : ""}`;
    case "consent":
      return line.status === "given" ? "Agreed to talk with the agent" : "Does not agree to talk with the agent";
    case "opt_out":
      return "Wants no more calls";
    case "screened":
      return ANSWERED_BY[line.answerer] ?? "";
    case "whisper":
      return `Whispered to the agent by ${line.by || "an operator"}: ${line.text}`;
    case "recording":
      return line.status === "stored" ? "" : `Recording ${line.status}`;
    case "dropped":
      return `${line.lines} lines of the record could not be written`;
    case "ended":
      return endedBy(line);
    default:
      return "";
  }
}

const HUNG_UP = {
  caller: "The caller hung up",
  agent: "The agent hung up",
  operator: "An operator hung up",
  platform: "The platform ended the call",
  service: "The service ended the call",
  nobody: "The call never began",
};

/** Return how a call ended, of its `ended` line, as a sentence. */
export function endedBy(line) {
  const who = HUNG_UP[line.hung_up_by] ?? "The call is over";
  const known = line.hung_up_by === "service" || line.hung_up_by === "platform";
  return known && line.reason ? `${who}: ${line.reason}` : who;
}

const STAGES = { stt: "Speech recognition", llm: "Language model", tts: "Voice" };

function stage(line) {
  return STAGES[line.stage] ?? line.stage;
}

/** Return seconds as they are read: `0.84 s`. */
export function seconds(value) {
  return `${value.toFixed(value < 10 ? 2 : 1)} s`;
}
