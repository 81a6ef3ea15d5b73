// The keyboard, and the list of keys.

const KEYS = [
  [[" ", "k"], "Space, K", "Play or pause", togglePlay],
  [["ArrowLeft", ","], "←", "One frame back", () => step(-1)],
  [["ArrowRight", "."], "→", "One frame on", () => step(1)],
  [["n"], "N", "Next turn", () => stepTurn(true)],
  [["p"], "P", "Turn before", () => stepTurn(false)],
  [["j"], "J", "Five seconds back", () => seek(state.time - 5)],
  [["l"], "L", "Five seconds on", () => seek(state.time + 5)],
  [["Home"], "Home", "To the beginning", () => seek(START_S)],
  [["End"], "End", "To the end", () => seek(END / FPS)],
  [["b"], "B", "Boxes on or off", toggleBoxes],
  [["m"], "M", "Sound on or off", toggleMute],
  [["f"], "F", "Full screen", toggleFull],
  [["+", "="], "+", "Zoom in", () => zoomTo(scale.pixelsASecond * 1.6)],
  [["-"], "−", "Zoom out", () => zoomTo(scale.pixelsASecond / 1.6)],
  [["0"], "0", "The whole video", zoomToFit],
  [["d"], "D", "Light or dark", switchTheme],
  [["?"], "?", "This help", () => byId("help").showModal()],
];

/** Whether an element needs the key itself: text, choices, and buttons their own two keys. */
function needsKey(target, key) {
  if (target.closest("input:not([type=range]):not([type=checkbox]), textarea, select, dialog")) return true;
  return (key === " " || key === "Enter") && Boolean(target.closest("button, input, summary, a"));
}

function setUpKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || needsKey(event.target, event.key)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const found = KEYS.find(([names]) => names.includes(key));
    if (!found) return;
    event.preventDefault();
    found[3]();
  });
  for (const [, shown, words] of KEYS) {
    const keys = shown.split(", ").map((name) => element("kbd", {}, name));
    byId("help-keys").append(element("dt", {}, ...keys), element("dd", {}, words));
  }
  byId("help-open").addEventListener("click", () => byId("help").showModal());
}
