// Starts the page: what the server tells goes to the stage, the lanes and the words.

import { drawLanes, speakers } from "./lanes.js";
import { listen } from "./link.js";
import { facesAt, forget, lanes, memory, remember, turns } from "./memory.js";
import { addStill, boxesNow, clearStage, drawStage, setAspect, setSize, shown } from "./stage.js";
import { byId, clock, element, percent, setUpTheme, shownName, switchTheme, whoSpeaks } from "./words.js";

const WORDS_MS = 200;
const MOST_TURNS = 8;
const session = { name: "", link: "gone", refused: "", connected: false, interrupted: "", ended: "", note: "", status: {} };
let worded = 0;

const HEARD = {
  begun: begin,
  interrupted: ({ reason }) => { session.interrupted = reason; },
  faces: () => { session.interrupted = ""; },
  note: ({ reason }) => { session.note = reason; },
  status: ({ about }) => { session.status = about; },
  ended: ({ about }) => { session.ended = `The session has ended${about?.why ? `: ${about.why.replace(/\.$/, "")}` : ""}.`; },
};

function begin({ about = {} }) {
  forget(about.hop_s ?? memory.hop);
  clearStage();
  Object.assign(session, { interrupted: "", ended: "", note: "", status: {} });
  session.name = about.name ?? session.name;
  setAspect(about.pixel_aspect ?? 1);
  if (about.size) setSize(...about.size);
}

function hear(line) {
  HEARD[line.event]?.(line);
  remember(line);
  sayWhoSpeaks();
}

/** What is certain, for screen readers. */
function sayWhoSpeaks() {
  const words = whoSpeaks(speakers(true));
  const spoken = byId("spoken");
  if (spoken.textContent !== words && (spoken.textContent || speakers(true).length)) spoken.textContent = words;
}

/** What is the matter, in words: its kind and a sentence. */
function stateNow() {
  if (session.link === "refused") return ["refused", session.refused];
  if (session.ended) return ["ended", session.ended];
  if (session.link === "gone") {
    return ["waiting", session.connected ? "The server is gone. Trying to reach it again…" : "Connecting…"];
  }
  if (session.interrupted) return ["waiting", `The stream ${session.interrupted}.`];
  return ["live", "Live"];
}

function measured() {
  const { delay_s: delay = {}, counts } = session.status;
  const late = (delay.events ?? delay.frames)?.mean;
  return [
    ["Delay", late === undefined ? "" : `${late.toFixed(2)} s`],
    ["Frames left out", counts ? String(counts.left_out + counts.skipped + counts.lost) : ""],
    ["Interruptions", counts ? String(counts.breaks) : ""],
    ["Note", session.note],
  ].filter(([, words]) => words);
}

function showWords() {
  const [kind, words] = stateNow();
  setText("state", words);
  byId("state").dataset.kind = kind;
  setText("name", session.name || "Live");
  document.title = session.name ? `${session.name} - asdkit live` : "asdkit live";
  const names = speakers(false);
  setText("now", whoSpeaks(names));
  byId("now").classList.toggle("speech", names.length > 0);
  showSight();
  showTurns();
  showRows("measured", measured(), ([term, value]) => (
    element("div", {}, element("dt", {}, term), element("dd", { dir: "auto" }, value))
  ));
}

function showTurns() {
  const rows = turns(MOST_TURNS).map(({ name, start, end }) => (
    [["when", clock(start)], ["who", shownName(name)], ["long", `${(end - start).toFixed(1)} s`]]
  ));
  byId("no-turns").hidden = rows.length > 0;
  showRows("turns", rows, (parts) => element("li", { className: "turn" }, ...parts.map(([className, words]) => (
    element("span", { className, dir: "auto" }, words)
  ))));
}

/** Show rows, if they differ from those that are there. */
function showRows(id, rows, made) {
  const now = JSON.stringify(rows);
  if (byId(id).dataset.rows === now) return;
  byId(id).dataset.rows = now;
  byId(id).replaceChildren(...rows.map(made));
}

function setText(id, words) {
  if (byId(id).textContent !== words) byId(id).textContent = words;
}

function showSight() {
  const faces = facesAt(shown.time).sort((one, other) => one.track - other.track);
  const list = byId("sight");
  setText("sight-count", faces.length ? String(faces.length) : "");
  byId("nobody").hidden = faces.length > 0;
  while (list.children.length > faces.length) list.lastChild.remove();
  while (list.children.length < faces.length) {
    const likely = element("span", { className: "likely", ariaHidden: "true" }, element("i"));
    const words = [element("span", { className: "who", dir: "auto" }), element("span", { className: "says" })];
    list.append(element("li", { className: "one" }, ...words, likely));
  }
  faces.forEach(({ name, speaking, probability }, n) => {
    const [who, says, likely] = list.children[n].children;
    who.textContent = shownName(name);
    says.textContent = `${speaking ? "speaking" : "silent"}, ${percent(probability)}`;
    likely.firstChild.style.width = `${100 * probability}%`;
    list.children[n].classList.toggle("lit", speaking);
  });
}

function draw(at) {
  drawStage(at);
  drawLanes();
  if (at - worded >= WORDS_MS) {
    worded = at;
    showWords();
  }
  requestAnimationFrame(draw);
}

const KEYS = { b: toggleBoxes, d: switchTheme, f: fullScreen };

function toggleBoxes() {
  shown.boxes = !shown.boxes;
  byId("boxes").setAttribute("aria-pressed", String(shown.boxes));
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else byId("stage").requestFullscreen();
}

setUpTheme();
byId("boxes").addEventListener("click", toggleBoxes);
byId("theme").addEventListener("click", switchTheme);
byId("full").addEventListener("click", fullScreen);
document.addEventListener("keydown", (event) => {
  if (!event.ctrlKey && !event.metaKey && !event.altKey) KEYS[event.key.toLowerCase()]?.();
});
requestAnimationFrame(draw);
listen({
  about: ({ name }) => { session.name = name ?? session.name; },
  line: hear,
  picture: addStill,
  link: (link, words = "") => {
    Object.assign(session, { link, refused: words });
    session.connected ||= link === "open";
  },
});

// For scripts and tests: what the page shows and remembers.
window.asdLive = {
  session,
  shown,
  lanes,
  get memory() { return memory; },
  boxes: () => {
    const { left, top } = byId("stage").getBoundingClientRect();
    return boxesNow().map((box) => ({ ...box, x: left + box.x, y: top + box.y }));
  },
};
