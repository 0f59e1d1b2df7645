// The overview: what is chosen in the form, and the charts of the figures that came with the page.

import { barChart, lineChart } from "./charts.js";
import { askWithZone, fillZone } from "./zone.js";

const form = document.getElementById("filters");
const figures = document.getElementById("figures");

const OUTCOMES = {
  "caller hung up": { color: "--o-caller" },
  "agent hung up": { color: "--o-agent" },
  "operator hung up": { color: "--o-operator" },
  "passed on": { color: "--o-passed" },
  "in progress": { color: "--o-progress" },
  "not answered": { color: "--o-unanswered" },
  stopped: { color: "--o-stopped", striped: true },
  failed: { color: "--o-failed", striped: true },
  interrupted: { color: "--o-interrupted", striped: true },
};

const whole = (value) => value.toLocaleString("en");
const percent = (value) => `${value.toFixed(1)} %`;
const seconds = (value) => `${value.toFixed(2)} s`;

/** Show the fields for days only where days are wanted. */
function showDays() {
  form.classList.toggle("chosen", form.elements.time.value !== "days");
}

/** Return where the calls of a column are listed; only those of an outcome, if one is meant. */
function listOf(link, outcome) {
  return outcome === undefined ? link : `${link}&outcome=${encodeURIComponent(outcome)}`;
}

/** Draw the charts of the page. */
function draw(data) {
  const host = (name) => document.querySelector(`[data-chart="${name}"]`);
  const { labels, titles } = data;
  barChart(host("calls"), {
    labels, titles, unit: "calls", written: whole, stacked: true,
    parts: data.outcomes.map(({ name, counts }) => ({ name, values: counts, ...OUTCOMES[name] })),
    address: (at, part) => listOf(data.links[at], part),
  });
  lineChart(host("answers"), {
    labels, titles, unit: "seconds", written: seconds,
    besides: (at) => `n = ${whole(data.waits[at])}${data.waits[at] > 0 && data.waits[at] < 20 ? ", few" : ""}`,
    parts: [
      { name: "p95", values: data.answers.p95, color: "--o-failed", dash: [2, 4] },
      { name: "p90", values: data.answers.p90, color: "--o-stopped", dash: [8, 4] },
      { name: "p50", values: data.answers.p50, color: "--accent" },
    ],
  });
  barChart(host("silence"), {
    labels, titles, unit: "of 100 waits", written: percent,
    besides: (at) => `of ${whole(data.waits[at])} waits`,
    parts: [
      { name: "over 2 s", values: data.long, color: "--o-stopped" },
      { name: "over 4 s", values: data.very_long, color: "--o-failed", striped: true },
    ],
  });
  barChart(host("lengths"), {
    labels: data.lengths.labels.map((label) => label.replace(/ (?=[sm])/, "\n")),
    titles: data.lengths.labels, unit: "calls", written: whole,
    parts: [{ name: "calls", values: data.lengths.counts, color: "--accent" }],
  });
  if (data.currency !== "") {
    barChart(host("cost"), {
      labels, titles, unit: data.currency, written: (value) => `${value.toFixed(value < 1 ? 4 : 2)} ${data.currency}`,
      parts: [{ name: "cost", values: data.cost, color: "--accent" }],
    });
  }
}

if (fillZone(form)) {
  askWithZone();
} else {
  form.elements.time.addEventListener("change", showDays);
  showDays();
  if (figures !== null) draw(JSON.parse(figures.textContent));
}
