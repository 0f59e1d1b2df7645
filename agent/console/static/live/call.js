// The page of one call in progress.

import { clock } from "../app.js";
import { offer, operate } from "./actions.js";
import { Conversation, endedBy, seconds, waited } from "./conversation.js";
import { follow, tellConnection } from "./events.js";
import { ahead, showFloor } from "./floor.js";
import { listenIn } from "./listen_in.js";
import { Transcript } from "./transcript.js";

const page = document.getElementById("call");
const byId = (id) => document.getElementById(id);
const path = `/console/live/${encodeURIComponent(page.dataset.name)}`;
const behind = ahead(page.dataset.now);

let conversation = new Conversation();
let answerTimes = []; // seconds that the caller waited, the last time at the end
const parties = new Map(); // by their name: a title, and how it stands with them
let started = null; // Unix time of the answer, in seconds, by the clock of the service
const transcript = new Transcript(byId("lines"), conversation);
const stopActing = operate(path);
const stopListening = listenIn(path);

let helped = false; // somebody is on the line beside the agent, by a transfer
const isThere = ({ status }) => status === "joined";

/** Take a line. The first of a record begins anew: after a gap, all of it may be told again. */
function line(one) {
  if (one.kind === "call") {
    conversation = new Conversation();
    answerTimes = [];
    transcript.show(conversation);
    parties.clear();
    about(one);
    helped = false;
    offer({ away: false });
  }
  if (one.kind === "transfer") {
    const done = one.status === "done";
    helped ||= done && one.then === "help";
    if (one.status === "returned") helped &&= [...parties.values()].some(isThere);
    const rings = ["started", "briefed"].includes(one.status);
    offer({ away: done && one.then !== "help", helped, rings });
  }
  conversation.add(one);
  if (one.kind === "party") party(one);
  if (one.kind === "timing") answered(waited(one));
  byId("waiting").hidden = conversation.entries.length > 0;
  transcript.changed();
}

/** Show who is on the line, or expected there, and who has left it. */
function party(one) {
  const title = one.title || parties.get(one.party)?.title || "";
  const why = one.why ? ` (${one.why})` : "";
  parties.set(one.party, { title, status: `${one.status}${why}` });
  const rows = [...parties.values()].map(({ title, status }, place) => {
    const [row, term, told] = ["div", "dt", "dd"].map((name) => document.createElement(name));
    term.textContent = title || `party ${place + 1}`;
    term.dir = "auto";
    told.textContent = status;
    row.append(term, told);
    return row;
  });
  byId("people").replaceChildren(...rows);
  byId("parties").hidden = false;
}

function about(call) {
  byId("parties").hidden = true;
  started = Date.parse(call.started) / 1000;
  byId("title").textContent = call.agent;
  byId("direction").textContent = call.direction;
  byId("caller").textContent = call.caller || "unknown number";
  byId("called").textContent = call.called || "unknown number";
  duration();
}

/** Show how long the caller waited for this answer, and for half of the answers at most. */
function answered(time) {
  if (time === null) return;
  answerTimes.push(time);
  byId("last-answer").textContent = seconds(time);
  const sorted = answerTimes.toSorted((one, other) => one - other);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  byId("median-answer").textContent = `${seconds((low + high) / 2)} (n = ${sorted.length})`;
}

function duration() {
  if (started !== null) byId("duration").textContent = clock(Date.now() / 1000 + behind - started);
}

function over(sentence, record) {
  clearInterval(ticking);
  stopFollowing();
  stopActing();
  stopListening();
  conversation.over();
  transcript.changed();
  byId("floor").hidden = true;
  byId("waiting").hidden = true;
  byId("how-it-ended").textContent = sentence;
  const link = byId("to-record");
  link.hidden = !record;
  if (record) link.href = `/console/calls/${encodeURIComponent(record)}`;
  byId("over").hidden = false;
}

const ticking = setInterval(duration, 1000);
const stopFollowing = follow(
  `${path}/events`,
  {
    line,
    floor: ({ floor }) => showFloor(byId("floor"), floor),
    over: ({ record }) => {
      const end = conversation.ended;
      if (typeof end?.at === "number") byId("duration").textContent = clock(end.at);
      over(end === null ? "The call is over" : endedBy(end), record);
    },
    none: () => over("No call of this name is in progress", ""),
  },
  (state) => tellConnection(byId("connection"), state),
);
