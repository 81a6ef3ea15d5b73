// Small helpers, and the state that all parts of the page share.

const data = JSON.parse(document.getElementById("data").textContent);
const FPS = data.grid_fps;
const [FIRST, END] = data.frames;

const state = {
  time: FIRST / FPS, // seconds from the first picture of the video
  playing: false,
  boxes: true,
  follow: true,
  person: null, // a number, if the others are left out
  shot: null, // likewise
  speakingOnly: false,
};

const listeners = {};

function on(event, listener) {
  (listeners[event] ??= []).push(listener);
}

function emit(event) {
  for (const listener of listeners[event] ?? []) listener();
}

function byId(id) {
  return document.getElementById(id);
}

/** An element with properties, attributes (with a hyphen, or role) and children; text is only text. */
function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role" || name === "for") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}

/** The grid frame that is shown at a time. */
function frameAt(time) {
  return Math.floor(time * FPS + 0.5);
}

/** A time from the first picture as players show it: on the clock of the file, m:ss.cc. */
function clock(time, places = 2) {
  const scale = 10 ** places;
  const units = Math.round(Math.max(time + data.video.start_s, 0) * scale);
  const seconds = Math.floor(units / scale);
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((n) => String(n).padStart(2, "0"));
  const hours = Math.floor(seconds / 3600);
  const text = hours ? `${hours}:${parts.join(":")}` : parts.join(":").replace(/^0/, "");
  return places ? `${text}.${String(units % scale).padStart(places, "0")}` : text;
}

function duration(seconds) {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function percent(part) {
  return `${Math.round(100 * part)} %`;
}

/** How many of rising values, by a function of each, are at most a limit. */
function countUpTo(items, limit, value) {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value(items[middle]) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether a time lies in one of the spans [start, end), which are in order. */
function inside(spans, time) {
  const before = countUpTo(spans, time, (span) => span[0]);
  return before > 0 && time < spans[before - 1][1];
}

function total(spans) {
  return spans.reduce((sum, span) => sum + span[1] - span[0], 0);
}

let said;

/** Say something for some seconds, to screen readers as well. */
function say(text) {
  byId("status").textContent = text;
  clearTimeout(said);
  said = setTimeout(() => { byId("status").textContent = ""; }, 5000);
}

/** Keep as many children in an element as rows are in view, each at its place; returns how many. */
function keepRows(holder, rows, height, from, to, make) {
  const first = clamp(Math.floor(from / height) - 2, 0, rows.length);
  const last = clamp(Math.ceil(to / height) + 2, first, rows.length);
  const kept = new Map([...holder.children].map((child) => [child.row, child]));
  const focused = document.activeElement;
  const wanted = new Set(rows.slice(first, last));
  for (const [row, child] of kept) {
    if (!wanted.has(row) && !child.contains(focused)) child.remove();
  }
  let before = null;
  for (let n = first; n < last; n += 1) {
    let child = kept.get(rows[n]);
    if (!child) {
      child = make(rows[n], n);
      child.row = rows[n];
      holder.insertBefore(child, before ? before.nextSibling : holder.firstChild);
    }
    child.style.top = `${n * height}px`;
    before = child;
  }
  return last - first;
}

/** The pen of a canvas that is cleared and as sharp as the screen; lengths are in CSS pixels. */
function clearedPen(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}
