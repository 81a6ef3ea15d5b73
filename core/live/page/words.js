// Words, colours and small helpers that all parts of the page share.

export function byId(id) {
  return document.getElementById(id);
}

/** An element with properties and children; text is only text. */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}

export function percent(part) {
  return `${Math.round(100 * part)} %`;
}

/** A time as m:ss, or h:mm:ss. */
export function clock(time) {
  const seconds = Math.max(0, Math.floor(time));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (n) => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** A name as people read it. */
export function shownName(name) {
  if (name === undefined || name === null) return "Somebody";
  if (name === "off_screen") return "Off screen";
  return name.replace(/^person_(\d+)$/, "Person $1").replace(/^track_(\d+)$/, "Face $1");
}

/** "ann speaks", "ann and ben speak". */
export function whoSpeaks(names) {
  if (!names.length) return "Nobody speaks";
  const listed = [names.slice(0, -1).join(", "), names.at(-1)].filter(Boolean).join(" and ");
  return `${listed} ${names.length > 1 ? "speak" : "speaks"}`;
}

/** A canvas's pen in CSS pixels, with nothing drawn yet. */
export function clearedPen(canvas) {
  const [width, height, ratio] = [canvas.clientWidth, canvas.clientHeight, window.devicePixelRatio];
  const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== across || canvas.height !== down) Object.assign(canvas, { width: across, height: down });
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

const THEMES = ["auto", "light", "dark"];
const KEPT_AS = "asdkit-live-theme";
const PAINTED = {
  visible: "--visible", speaking: "--speaking", maybe: "--maybe", offScreen: "--off-screen",
  maybeOffScreen: "--maybe-off-screen", line: "--line", faint: "--faint", shot: "--shot", broken: "--broken",
  boxSpeaking: "--box-speaking", boxSilent: "--box-silent",
};
export const colours = {}; // of PAINTED, as canvases take them
let theme = "auto";

function readColours() {
  const probe = element("span", { className: "hidden" });
  document.body.append(probe);
  for (const [name, property] of Object.entries(PAINTED)) {
    probe.style.color = `var(${property})`;
    colours[name] = getComputedStyle(probe).color;
  }
  probe.remove();
}

function setTheme(chosen) {
  theme = THEMES.includes(chosen) ? chosen : "auto";
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  byId("theme").textContent = `Theme: ${theme}`;
  readColours();
}

export function switchTheme() {
  setTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]);
  localStorage.setItem(KEPT_AS, theme);
}

export function setUpTheme() {
  setTheme(localStorage.getItem(KEPT_AS));
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTheme(theme));
}
