// A text in lines: numbers beside them, marks on them, Tab that indents and can be left.
import { element } from "../app.js";

/** A textarea above its lines, which stand behind it once more and break where it breaks. */
export class CodeArea {
  #text;
  #mirror;
  #lines = [];
  #mistakes = new Map();
  #leaving = false;

  /** Take over a textarea; `changed` is called after each change of its text. */
  constructor(text, mirror, changed) {
    this.#text = text;
    this.#mirror = mirror;
    text.addEventListener("input", () => {
      this.#show();
      changed();
    });
    text.addEventListener("keydown", (event) => this.#key(event));
    for (const kind of ["keyup", "click", "focus", "blur"]) {
      text.addEventListener(kind, () => this.#markHere());
    }
    this.#show();
  }

  get value() {
    return this.#text.value;
  }

  /** What is selected in it. */
  get selected() {
    return this.#text.value.slice(this.#text.selectionStart, this.#text.selectionEnd);
  }

  /** Put another text in its place. */
  replace(value) {
    this.#text.value = value;
    this.#text.dispatchEvent(new Event("input"));
  }

  /** Mark lines, from a list of `{line, text}`; those of line 0 are of none. */
  mark(mistakes) {
    this.#mistakes = new Map();
    for (const { line, text } of mistakes) {
      if (line && !this.#mistakes.has(line)) this.#mistakes.set(line, text);
    }
    this.#mirror.childNodes.forEach((shown, index) => this.#markOne(shown, index + 1));
  }

  /** Put the caret into a line, and show it. */
  goTo(line) {
    const lines = this.#text.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
    this.#text.focus({ preventScroll: true });
    this.#text.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
    this.#mirror.children[line - 1]?.scrollIntoView({ block: "center" });
    this.#markHere();
  }

  #show() {
    const lines = this.#text.value.split("\n");
    const before = this.#lines;
    let same = 0;
    while (same < Math.min(before.length, lines.length) && before[same] === lines[same]) same += 1;
    let tail = 0;
    const most = Math.min(before.length, lines.length) - same;
    while (tail < most && before.at(-1 - tail) === lines.at(-1 - tail)) tail += 1;
    const gone = [...this.#mirror.children].slice(same, before.length - tail);
    const after = this.#mirror.children[before.length - tail] ?? null;
    const fresh = document.createDocumentFragment();
    for (const line of lines.slice(same, lines.length - tail)) {
      fresh.append(element("div", {}, line || "\u200b"));
    }
    for (const one of gone) one.remove();
    this.#mirror.insertBefore(fresh, after);
    this.#lines = lines;
    this.#markHere();
  }

  #markOne(shown, number) {
    const mistake = this.#mistakes.get(number);
    shown.classList.toggle("bad", mistake !== undefined);
    shown.querySelector("span")?.remove();
    if (mistake !== undefined) shown.append(element("span", {}, mistake));
  }

  #markHere() {
    this.#mirror.querySelector(".here")?.classList.remove("here");
    if (document.activeElement !== this.#text) return;
    const line = this.#text.value.slice(0, this.#text.selectionStart).split("\n").length;
    this.#mirror.children[line - 1]?.classList.add("here");
  }

  #key(event) {
    if (event.key === "Escape") {
      this.#leaving = true;
      return;
    }
    const indents = event.key === "Tab" && !event.shiftKey && !event.ctrlKey && !event.altKey;
    if (indents && !this.#leaving && !this.#text.readOnly) {
      event.preventDefault();
      // As if it was typed: so it can be undone. It is the one way that browsers have for that.
      document.execCommand("insertText", false, "  ");
    }
    if (event.key !== "Shift") this.#leaving = false;
  }
}
