// The microphones and loudspeakers that there are, to choose from.

import { element } from "../app.js";
import { canChooseLoudspeaker } from "./sound.js";

/** Keeps two lists filled. Browsers tell no names before the microphone was allowed once. */
export class Devices {
  #microphones;
  #loudspeakers;

  /** Takes two `<select>`; the second is hidden with its field where browsers give no choice. */
  constructor(microphones, loudspeakers) {
    this.#microphones = microphones;
    this.#loudspeakers = loudspeakers;
    loudspeakers.closest(".field").hidden = !canChooseLoudspeaker();
    navigator.mediaDevices?.addEventListener("devicechange", () => this.list());
  }

  /** Fill both lists; what is chosen stays so while it is there. */
  async list() {
    const all = await navigator.mediaDevices.enumerateDevices();
    fill(this.#microphones, all.filter((one) => one.kind === "audioinput"));
    fill(this.#loudspeakers, all.filter((one) => one.kind === "audiooutput"));
  }
}

function fill(select, devices) {
  const chosen = select.value;
  const named = devices.filter((one) => one.deviceId && one.deviceId !== "default");
  const options = named.map((one, n) =>
    element("option", { value: one.deviceId }, one.label || `Device ${n + 1}`),
  );
  select.replaceChildren(element("option", { value: "" }, "As the system has it"), ...options);
  select.value = named.some((one) => one.deviceId === chosen) ? chosen : "";
}
