// Days are those of whoever looks: the form sends their time zone along.

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";

/** Fill in the time zone of the form; returns whether the page was asked for without one. */
export function fillZone(form) {
  const missing = !new URLSearchParams(location.search).has("zone");
  if (form.elements.zone.value === "") form.elements.zone.value = missing ? zone : "";
  form.addEventListener("submit", () => {
    // An address without what is empty is one to be read, and sent on.
    for (const field of form.elements) field.disabled ||= field.name !== "" && field.value === "";
  });
  // What was disabled stays so when the browser comes back to the page.
  addEventListener("pageshow", () => {
    for (const field of form.elements) field.disabled = false;
  });
  return missing && zone !== "";
}

/** Ask for the page again with the time zone in its address, in place of this one. */
export function askWithZone() {
  const address = new URL(location.href);
  address.searchParams.set("zone", zone);
  location.replace(address);
}
