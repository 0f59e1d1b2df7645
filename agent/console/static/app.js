// What all pages share: requests that change something, notices, times.

/** Ask the service to do something; returns what it answers. Throws an Error fit to be shown. */
export async function send(method, path, body) {
  const csrf = document.querySelector('meta[name="csrf"]')?.content ?? "";
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: { "content-type": "application/json", "x-csrf-token": csrf },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Error("The service cannot be reached.");
  }
  if (response.status === 401) signIn();
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail ?? `The service answers ${response.status}.`);
  return answer;
}

/** Go where people sign in, and are led back here. */
export function signIn() {
  location.assign(`/console/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/** Show a sentence at the edge of the page for a few seconds. */
export function notice(text, kind = "") {
  const shown = document.createElement("div");
  shown.className = `notice ${kind}`;
  shown.textContent = text;
  document.getElementById("notices").append(shown);
  setTimeout(() => shown.remove(), 6000);
}

/** Return seconds as m:ss, with hours before them if there are any. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}`;
}

/** Return an element with its attributes and children; texts stay texts. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Moments as people here read them; to the second, and with the zone, for who points at one.
for (const time of document.querySelectorAll("time[data-local]")) {
  const moment = new Date(time.dateTime);
  if (Number.isNaN(moment.getTime())) continue;
  time.textContent = moment.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  time.title = moment.toLocaleString([], { dateStyle: "full", timeStyle: "long" });
}
