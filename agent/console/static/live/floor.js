// Who has the floor, as pages say it.

const FLOORS = { caller: "Caller speaks", agent: "Agent speaks", nobody: "Silence" };

/** Show who has the floor in a badge: "caller", "agent" or "nobody". */
export function showFloor(badge, floor) {
  badge.className = `badge floor ${floor === "nobody" ? "" : floor}`;
  badge.textContent = FLOORS[floor] ?? FLOORS.nobody;
}

/** Return how many seconds the clock of the service is ahead of ours. */
export function ahead(serverNow) {
  return Number(serverNow) - Date.now() / 1000;
}
