// A diff as the service has it, as a table.
import { element } from "../app.js";

const SIGNS = { removed: "−", added: "+", same: "", gap: "" };

/** Return the table of a list of lines. */
export function diffTable(lines) {
  const rows = lines.map(({ kind, old, new: now, parts }) => {
    const words = kind === "gap" ? ["…"] : parts.map((part) => (part.marked ? element("mark", {}, part.text) : part.text));
    return element(
      "tr",
      { class: kind },
      element("td", { class: "at" }, old ?? ""),
      element("td", { class: "at" }, now ?? ""),
      element("td", { class: "sign" }, SIGNS[kind]),
      element("td", { class: "words", dir: "auto" }, ...words),
    );
  });
  return element("table", {}, element("tbody", {}, ...rows));
}
