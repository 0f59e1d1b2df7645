// The editor of an agent: looked at as it is typed, saved, heard.
import { element, notice, send } from "../app.js";
import { CodeArea } from "./code_area.js";
import { diffTable } from "./diff.js";
import { hear } from "./speech.js";

const CHECK_AFTER = 300; // ms without a key

const by = (id) => document.getElementById(id);
const editing = by("editing");
const { name, most, silent } = editing.dataset;
const path = `/console/agents/${encodeURIComponent(name)}`;
const save = by("save");
const call = by("call");

let version = editing.dataset.version;
let saved = "changed" in editing.dataset ? null : by("text").value;
let due;
let busy = false;
let again = false;

const area = new CodeArea(by("text"), by("mirror"), changed);

function isChanged() {
  return save !== null && area.value !== saved;
}

function changed() {
  by("unsaved").hidden = !isChanged();
  if (save) save.disabled = !isChanged();
  by("size").textContent = size(new Blob([area.value]).size);
  clearTimeout(due);
  due = setTimeout(check, CHECK_AFTER);
}

function size(bytes) {
  const told = `${(bytes / 1024).toFixed(1)} kB`;
  return bytes > Number(most) ? `${told}: too long, at most ${most / 1024} kB` : told;
}

/** Return the sample call as the form has it. */
function sample() {
  const given = {};
  for (const input of by("variables").querySelectorAll("input")) {
    if (input.value !== input.defaultValue) given[input.name] = input.value;
  }
  const { caller, called, at, outgoing } = call.elements;
  return { caller: caller.value, called: called.value, at: at.value, outgoing: outgoing.checked, given };
}

/** Have the draft looked at; once more if it has changed meanwhile. */
async function check() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  try {
    show(await send("POST", `${path}/check`, { text: area.value, call: sample() }));
  } catch (error) {
    showMistakes([{ line: 0, text: error.message }]);
  } finally {
    busy = false;
  }
  if (again) {
    again = false;
    check();
  }
}

function show(draft) {
  showMistakes(draft.mistakes);
  const wrong = draft.mistakes.length > 0;
  by("stale").hidden = !wrong; // what was right last stays while a word is half written
  if (draft.variables) showVariables(draft.variables);
  if (wrong) return;
  by("prompt").textContent = draft.prompt;
  by("says").replaceChildren(...draft.said.map(sentence));
}

function showMistakes(mistakes) {
  area.mark(mistakes);
  if (!mistakes.length) {
    by("mistakes").replaceChildren(element("span", { class: "right" }, "No mistake in it"));
    return;
  }
  const items = mistakes.map(({ line, text }) => {
    if (!line) return element("li", { class: "error" }, text);
    const button = element("button", { type: "button" }, `Line ${line}: ${text}`);
    button.addEventListener("click", () => area.goTo(line));
    return element("li", {}, button);
  });
  by("mistakes").replaceChildren(element("ul", {}, ...items));
}

function sentence({ occasion, text }) {
  const words = element("div", {}, element("span", { class: "occasion" }, occasion), element("p", { dir: "auto" }, text));
  if (silent !== undefined) return element("li", { class: "soft" }, words);
  const button = element("button", { type: "button", class: "hear", "aria-label": `Hear: ${occasion}`, title: "Hear it" }, "▶\uFE0E");
  button.addEventListener("click", () => hear(`${path}/speak`, text, area.value, button));
  return element("li", {}, button, words);
}

function showVariables(variables) {
  const names = Object.keys(variables);
  const before = [...by("variables").querySelectorAll("input")].map((input) => input.name);
  const unchanged = names.join("\n") === before.join("\n");
  if (unchanged) return;
  const fields = names.map((key) => {
    const input = element("input", { id: `variable-${key}`, name: key, value: variables[key], maxlength: "200" });
    return element("div", { class: "field" }, element("label", { for: `variable-${key}` }, key), input);
  });
  by("variables").replaceChildren(...fields);
}

/** Save the draft. `anyway`: mistakes and all. */
async function keep(anyway = false) {
  if (!isChanged()) return;
  const text = area.value;
  save.disabled = true;
  try {
    const told = await send("POST", `${path}/save`, { text, version, anyway });
    if (told.mistakes) showMistakes(told.mistakes);
    await SAVED[told.outcome](told, text);
  } catch (error) {
    notice(error.message, "bad");
  } finally {
    save.disabled = !isChanged();
    by("unsaved").hidden = !isChanged();
  }
}

const SAVED = {
  saved({ version: made, mistakes, kept }, text) {
    version = made;
    saved = text;
    const isNew = !by("version");
    const shown = by("version");
    if (shown) shown.textContent = made;
    if (by("answered") && !mistakes.length) by("answered").remove();
    notice(mistakes.length ? "Saved. The last good version answers until it is mended." : "Saved: the next call has it.");
    if (!kept) notice("It is not in the history: the database fails.", "bad");
    if (isNew || location.search) {
      saved = area.value;
      location.replace(path);
    }
  },

  async mistakes({ answering }) {
    by("wrong-then").textContent = answering
      ? "If it is saved so, the version before answers calls until it is mended."
      : "If it is saved so, this agent answers no calls until it is mended.";
    if ((await choice(by("wrong"))) === "over") await keep(true);
  },

  async changed({ version: theirs, lines }) {
    by("theirs").replaceChildren(diffTable(lines));
    const chosen = await choice(by("changed"));
    if (chosen === "take") {
      saved = area.value;
      location.replace(path);
    } else if (chosen === "over") {
      version = theirs;
      await keep();
    }
  },

  refused() {
    notice("It is not saved: see the mistakes.", "bad");
  },
};

/** Show a dialog; return the value of the button that was pressed, "leave" for Escape. */
function choice(dialog) {
  return new Promise((resolve) => {
    const pressed = (event) => {
      if (event.target.value) dialog.close(event.target.value);
    };
    dialog.returnValue = "leave";
    dialog.addEventListener("click", pressed);
    dialog.addEventListener(
      "close",
      () => {
        dialog.removeEventListener("click", pressed);
        resolve(dialog.returnValue);
      },
      { once: true },
    );
    dialog.showModal();
  });
}

/** What is selected, in the text or elsewhere on the page. */
function selection() {
  const outside = document.getSelection()?.toString().trim() ?? "";
  return document.activeElement === by("text") ? area.selected.trim() : outside;
}

let selected = "";
const hearSelection = by("hear-selection");
document.addEventListener("selectionchange", () => {
  if (document.activeElement === hearSelection) return;
  selected = selection();
  if (hearSelection) hearSelection.disabled = !selected;
});
hearSelection?.addEventListener("click", () => hear(`${path}/speak`, selected, area.value, hearSelection));

call.addEventListener("submit", (event) => event.preventDefault());
call.addEventListener("input", changed);
save?.addEventListener("click", () => keep());
document.addEventListener("keydown", (event) => {
  if (event.key !== "s" || !(event.ctrlKey || event.metaKey) || !save) return;
  event.preventDefault();
  keep();
});
window.addEventListener("beforeunload", (event) => {
  if (isChanged()) event.preventDefault();
});

changed();
clearTimeout(due);
check();
