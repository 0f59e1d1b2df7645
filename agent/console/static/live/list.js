// The page of all calls in progress.

import { clock } from "../app.js";
import { CallList } from "./call_list.js";
import { follow, tellConnection } from "./events.js";
import { ahead } from "./floor.js";

const SORT = "live calls sorted by";

const list = document.getElementById("calls");
const sort = document.getElementById("sort");
const badge = document.getElementById("connection");
const behind = ahead(list.dataset.now);
const figures = Object.fromEntries(
  ["total", "total-caller", "total-agent", "total-longest"].map((id) => [id, document.getElementById(id)]),
);
let present = []; // calls that are shown
let told = null; // how many were told to readers by ear

const calls = new CallList(list, behind, (all) => {
  present = all;
  document.getElementById("some").hidden = all.length === 0;
  document.getElementById("none").hidden = all.length > 0;
  if (told !== all.length) {
    told = all.length;
    document.getElementById("told").textContent = `${all.length} call${all.length === 1 ? "" : "s"} in progress`;
  }
  tell("total", String(all.length));
  for (const who of ["caller", "agent"]) {
    tell(`total-${who}`, String(all.filter((call) => call.floor === who).length));
  }
  longest();
});

function tell(id, text) {
  if (figures[id].textContent !== text) figures[id].textContent = text;
}

function longest() {
  const first = present.reduce((least, call) => Math.min(least, call.started || Infinity), Infinity);
  tell("total-longest", first < Infinity ? clock(Date.now() / 1000 + behind - first) : "–");
}

sort.value = localStorage.getItem(SORT) ?? "longest";
if (sort.selectedIndex < 0) sort.value = "longest";
calls.sort(sort.value);
sort.addEventListener("change", () => {
  localStorage.setItem(SORT, sort.value);
  calls.sort(sort.value);
});

setInterval(() => {
  calls.tick();
  longest();
}, 1000);

follow(
  "/console/events",
  {
    calls: ({ calls: all }) => calls.all(all),
    call: (call) => calls.one(call),
    gone: ({ name }) => calls.gone(name),
    refusing: ({ reason }) => {
      document.getElementById("refusing").textContent = reason && `No more calls are taken: ${reason}`;
    },
  },
  (state) => tellConnection(badge, state),
);
