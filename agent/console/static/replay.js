// Waits for a replay to be over: the service answers when it is, or after a while, to be asked again.

import { notice } from "./app.js";

const PAUSE = 3000; // milliseconds after an answer that was none

async function wait(path) {
  for (;;) {
    try {
      const answer = await fetch(path);
      if (answer.status === 404) break;
      if (!answer.ok) throw new Error();
      const { state } = await answer.json();
      if (state === "done" || state === "failed") break;
    } catch {
      notice("The service cannot be reached; asking again.", "bad");
      await new Promise((done) => setTimeout(done, PAUSE));
    }
  }
  location.reload();
}

const waiting = document.querySelector("[data-wait]");
if (waiting) wait(waiting.dataset.wait);
