// Charts over columns that have names (days, hours, lengths), drawn by uPlot, which a classic script
// has made a global. Each has a legend in words, can be walked by the arrow keys, reads out the
// column it is at, and is drawn anew when its size or the colours of the page change.

import { element } from "../app.js";

const HEIGHT = 230;
const NARROWEST_LABEL = 46; // pixels
const TICK = 6;

/** What may lie between two lines of a chart of calls, of which there are no halves. */
const WHOLE = [1, 10, 100, 1e3, 1e4, 1e5, 1e6].flatMap((one) => [one, 2 * one, 5 * one]);

const charts = new Set();
const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) target.dispatchEvent(new CustomEvent("resized"));
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const redraw of charts) redraw();
});

/** Return a colour of the page by the name of its variable. */
function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Return what a part is filled with: its colour, or stripes of it, which no colour is needed for. */
function fill(part) {
  const ink = color(part.color);
  if (!part.striped) return ink;
  const tile = element("canvas", { width: "8", height: "8" });
  const context = tile.getContext("2d");
  context.fillStyle = ink;
  context.fillRect(0, 0, 8, 8);
  context.strokeStyle = color("--card");
  context.lineWidth = 2;
  for (const from of [-8, 0, 8]) {
    context.moveTo(from - 1, 9);
    context.lineTo(from + 9, -1);
  }
  context.stroke();
  return context.createPattern(tile, "repeat");
}

/** Return the axes: names of columns below, counts with their unit at the left. */
function axes(labels, unit) {
  const ink = color("--soft");
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const grid = { stroke: color("--line"), width: 1 };
  return [
    {
      stroke: ink, font, grid: { show: false }, ticks: { ...grid, size: TICK }, size: labels.some((one) => one.includes("\n")) ? 46 : 34,
      splits: (plot) => {
        const every = Math.ceil((labels.length * NARROWEST_LABEL) / Math.max(plot.bbox.width / devicePixelRatio, 1));
        return labels.map((_, at) => at).filter((at) => at % every === 0);
      },
      values: (_, places) => places.map((at) => labels[at]),
    },
    {
      stroke: ink, font, grid, ticks: { show: false }, size: 48,
      incrs: unit === "calls" ? WHOLE : undefined, label: unit, labelFont: font, labelSize: 20,
      values: (_, values) => values.map((value) => value.toLocaleString("en", { maximumFractionDigits: 2 })),
    },
  ];
}

/** Return the names of the parts, each beside a piece of what it is drawn with. */
function legend(parts, paint) {
  const list = element("ul", { class: "legend" });
  for (const part of parts) {
    const piece = element("canvas", { width: "32", height: "24", "aria-hidden": "true" });
    list.append(element("li", {}, piece, part.name));
    paint(piece.getContext("2d"), part);
  }
  return list;
}

/** Draw a chart, and keep it as it should be. `drawn` returns uPlot's options of series and data. */
function chart(host, given, paint, drawn) {
  const { labels, titles, parts, unit, written } = given;
  const top = element("div");
  const stage = element("div", { tabindex: "0", role: "group" });
  const readout = element("p", { class: "readout", "aria-live": "polite" });
  const heading = document.getElementById(`${host.dataset.chart}-title`).textContent;
  stage.setAttribute("aria-label", `${heading}. Left and right: ${labels.length} columns${given.address ? "; Enter: the calls" : ""}.`);
  host.append(top, stage, readout);
  if (given.address) host.classList.add("links");
  let plot = null;
  let at = null;

  const told = () => {
    if (at === null) return "";
    const said = parts.filter((part) => part.values[at] !== null && (part.values[at] !== 0 || parts.length < 4));
    const values = said.map((part) => `${part.name} ${written(part.values[at])}`);
    const besides = given.besides ? ` (${given.besides(at)})` : "";
    return `${titles[at]}: ${values.join(", ") || "none"}${besides}`;
  };
  const tell = () => {
    readout.textContent = told();
  };
  const redraw = () => {
    plot?.destroy();
    top.replaceChildren(...(parts.length > 1 ? [legend(parts, paint)] : []));
    const { series, data, scale } = drawn();
    plot = new uPlot(
      {
        width: Math.max(stage.clientWidth, 200), height: HEIGHT, padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
        scales: {
          x: { time: false, range: () => [-0.5, labels.length - 0.5] },
          y: { range: (_, __, most) => uPlot.rangeNum(0, Math.max(most ?? 0, scale ?? 0) || 1, { min: { pad: 0, soft: 0, mode: 1 }, max: { pad: 0.08, soft: 0, mode: 1 } }) },
        },
        axes: axes(labels, unit),
        series: [{}, ...series],
        hooks: { setCursor: [(one) => { at = one.cursor.idx ?? null; tell(); }] },
      },
      [labels.map((_, place) => place), ...data],
      stage,
    );
    if (given.address) plot.over.addEventListener("click", () => open(plot.posToVal(plot.cursor.top, "y")));
  };
  const open = (height) => {
    if (at !== null) location.assign(given.address(at, given.partAt?.(at, height)));
  };
  stage.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Enter" && given.address) open(Infinity);
    if (step === undefined) return;
    event.preventDefault();
    const next = at === null ? (step > 0 ? 0 : labels.length - 1) : at + step;
    const place = Math.min(Math.max(next, 0), labels.length - 1);
    plot.setCursor({ left: plot.valToPos(place, "x"), top: 10 });
  });
  host.addEventListener("resized", () => plot?.setSize({ width: Math.max(stage.clientWidth, 200), height: HEIGHT }));
  redraw();
  tell();
  resized.observe(host);
  charts.add(redraw);
}

/**
 * Draw bars, one a column: parts on top of each other if they are `stacked`, else the later in front.
 * `address(at, part)` is where a click leads, `parts` have `name`, `values`, `color` and `striped`.
 */
export function barChart(host, given) {
  const { parts, stacked } = given;
  const heights = parts.map(() => []);
  for (const place of given.labels.keys()) {
    let sum = 0;
    parts.forEach((part, n) => {
      sum += part.values[place] ?? 0;
      heights[n].push(stacked ? sum : part.values[place]);
    });
  }
  const partAt = (place, height) => parts.find((_, n) => heights[n][place] >= height && height >= 0)?.name;
  const paint = (context, part) => {
    context.fillStyle = fill(part);
    context.fillRect(0, 0, 32, 24);
  };
  chart(host, { ...given, partAt }, paint, () => {
    const order = parts.map((_, n) => n);
    if (stacked) order.reverse(); // the highest first, and the others in front of it
    const paths = uPlot.paths.bars({ size: [0.7, 56], radius: 0 });
    return {
      series: order.map((n) => {
        const ink = fill(parts[n]);
        return { label: parts[n].name, paths, fill: () => ink, width: 0, points: { show: false } };
      }),
      data: order.map((n) => heights[n]),
    };
  });
}

/** Draw lines: `parts` have `name`, `values` (null where there is none), `color` and `dash`. */
export function lineChart(host, given) {
  const paint = (context, part) => {
    context.strokeStyle = color(part.color);
    context.lineWidth = 4;
    context.setLineDash((part.dash ?? []).map((length) => length * 1.5));
    context.moveTo(0, 12);
    context.lineTo(32, 12);
    context.stroke();
  };
  chart(host, given, paint, () => ({
    series: given.parts.map((part) => ({
      label: part.name, stroke: color(part.color), width: 2, dash: part.dash,
      points: { show: true, size: 6, fill: color("--card"), stroke: color(part.color) },
    })),
    data: given.parts.map((part) => part.values),
  }));
}
