// Sentences in the agent's voice.
import { notice } from "../app.js";

const player = new Audio();
let asked = 0;

/** Have a text spoken, and play it; `button` is busy meanwhile. `draft` is the file that says how. */
export async function hear(path, text, draft, button) {
  const mine = (asked += 1);
  player.pause();
  button.setAttribute("aria-busy", "true");
  try {
    const wav = await spoken(path, { text: text.slice(0, 500), draft });
    if (mine !== asked) return; // another is wanted by now
    URL.revokeObjectURL(player.src);
    player.src = URL.createObjectURL(wav);
    await player.play();
  } catch (error) {
    if (mine === asked) notice(error.message, "bad");
  } finally {
    button.removeAttribute("aria-busy");
  }
}

async function spoken(path, body) {
  const csrf = document.querySelector('meta[name="csrf"]')?.content ?? "";
  let answer;
  try {
    answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json", "x-csrf-token": csrf },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The service cannot be reached.");
  }
  if (answer.ok) return answer.blob();
  const told = await answer.json().catch(() => ({}));
  throw new Error(told.detail ?? `The service answers ${answer.status}.`);
}
