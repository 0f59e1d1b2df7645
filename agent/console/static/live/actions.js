// What an operator does to a call: dialogs that ask for what is missing, and say what came of it.

import { notice, send } from "../app.js";

/** Where the operator's own number is kept: in this browser, and nowhere else. */
const PHONE = "my phone";

/** Make the buttons and forms of a call work; returns what ends that, once the call is over. */
export function operate(path) {
  const actions = document.getElementById("actions");
  if (actions === null) return () => {}; // who looks may not act
  actions.addEventListener("click", (event) => {
    const dialog = document.getElementById(event.target.dataset.opens ?? "");
    if (dialog === null) return;
    dialog.querySelector(".error").textContent = "";
    dialog.showModal();
  });
  for (const button of document.querySelectorAll("[data-closes]")) {
    button.addEventListener("click", () => button.closest("dialog").close());
  }
  const phone = document.getElementById("phone");
  phone.value = localStorage.getItem(PHONE) ?? "";

  submits("#hang-up form", (given, button) => send("POST", `${path}/hang-up`, { goodbye: button.value === "yes" }),
    (button) => (button.value === "yes" ? "The agent says goodbye and hangs up." : "Hung up."));
  submits("#transfer form", (given) => send("POST", `${path}/transfer`, given), () => "The agent passes the caller on.");
  submits("#take-over form", async (given) => {
    await send("POST", `${path}/take-over`, given);
    localStorage.setItem(PHONE, given.phone);
  }, () => "Your phone rings in a moment.");
  const back = document.getElementById("give-back");
  back.addEventListener("click", async () => {
    back.disabled = true;
    try {
      await send("POST", `${path}/return`, {});
      notice("The agent goes on with the caller.");
    } catch (problem) {
      notice(problem.message);
    } finally {
      back.disabled = false;
    }
  });
  submits("#whisper", async (given) => {
    await send("POST", `${path}/whisper`, given);
    document.getElementById("instruction").value = "";
  }, () => "The agent was told.");

  return () => {
    actions.hidden = true;
    document.getElementById("whisper").hidden = true;
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  };
}

/** Offer what can be done now: while somebody has, helps or is rung for the caller, to end that. */
export function offer({ away, helped = false, rings = false }) {
  const back = document.getElementById("give-back");
  if (back === null) return; // who looks may not act
  back.hidden = !away && !rings && !helped;
  back.textContent = rings ? "Stop the ringing" : "Give back to the agent";
  for (const other of ["transfer", "take-over"]) {
    document.querySelector(`[data-opens="${other}"]`).hidden = away || rings;
  }
}

/**
 * Have a form do something instead of being sent: once at a time, and with what went wrong beside.
 * @param {string} selector Of the form.
 * @param {(given: Record<string, string>, button: HTMLButtonElement) => Promise<unknown>} act
 * @param {(button: HTMLButtonElement) => string} done What to say afterwards.
 */
function submits(selector, act, done) {
  const form = document.querySelector(selector);
  const error = form.querySelector(".error");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const buttons = form.querySelectorAll('button[type="submit"]');
    const pressed = event.submitter ?? buttons[0];
    error.textContent = "";
    for (const button of buttons) button.disabled = true;
    try {
      await act(Object.fromEntries(new FormData(form)), pressed);
      form.closest("dialog")?.close();
      notice(done(pressed));
    } catch (problem) {
      error.textContent = problem.message;
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  });
}
