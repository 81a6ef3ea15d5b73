// The picture, each with the boxes of its own moment.

import { certainlySpeaks, facesAt, memory } from "./memory.js";
import { byId, clamp, clearedPen, colours, percent, shownName } from "./words.js";

const MOST_STILLS = 40;
const LONGEST_HELD_S = 1.5; // a picture waits no longer for its faces, but for a hop
const JUMP_S = 1; // who is further behind, but for a hop, does not catch up evenly

const stage = byId("stage");
const canvas = byId("picture");
const stills = []; // {time, width, height, bitmap}, by time: the one shown, and those to come
let frame = 0; // the time of the animation before, in milliseconds
let aspect = 1;
let generation = 0;

export const shown = { time: -Infinity, boxes: true, width: 0, height: 0, stills };

/** Width of a pixel over its height. */
export function setAspect(pixelAspect) {
  if (aspect !== pixelAspect) shown.width = 0; // its size is set anew
  aspect = pixelAspect;
}

export function clearStage() {
  generation += 1;
  shown.time = -Infinity;
  drop(Math.max(0, stills.length - 1));
  if (stills.length) stills[0].time = -Infinity; // it stays until there is another
}

/** Take a picture; what nobody sees is not decoded. */
export async function addStill(time, width, height, jpeg) {
  if (document.hidden) return;
  const now = generation;
  const bitmap = await createImageBitmap(jpeg).catch(() => null);
  if (!bitmap) return;
  if (now !== generation) {
    bitmap.close();
    return;
  }
  const place = stills.findIndex((other) => other.time > time);
  stills.splice(place < 0 ? stills.length : place, 0, { time, width, height, bitmap });
  drop(stills.length - MOST_STILLS);
}

function drop(count) {
  for (const { bitmap } of stills.splice(0, Math.max(0, count))) bitmap.close();
}

/** Let the time that is shown go on, evenly, a hop behind the newest faces. */
function advance(at) {
  const passed = Math.min(0.5, (at - frame) / 1000);
  frame = at;
  const newest = Math.max(memory.newest, (stills.at(-1)?.time ?? -Infinity) - LONGEST_HELD_S - memory.hop);
  if (newest === -Infinity) return;
  const aim = newest - (newest === memory.newest ? memory.hop : 0);
  const off = aim - shown.time;
  if (Math.abs(off) > JUMP_S + memory.hop) shown.time = aim;
  else shown.time = Math.min(newest, shown.time + passed * clamp(1 + off, 0, 2));
}

/** Draw what is to be seen now. */
export function drawStage(at) {
  advance(at);
  const next = stills.findIndex(({ time }) => time > shown.time);
  drop((next < 0 ? stills.length : next) - 1);
  const still = stills[0]?.time <= shown.time ? stills[0] : undefined;
  byId("no-picture").hidden = Boolean(still);
  const pen = clearedPen(canvas);
  if (still) {
    setSize(still.width, still.height);
    const { x, y, across, down } = place();
    pen.drawImage(still.bitmap, x, y, shown.width * across, shown.height * down);
  }
  if (!shown.boxes || !shown.width) return;
  const boxes = boxesNow();
  for (const box of boxes.filter(({ speaking }) => !speaking)) drawBox(pen, box);
  for (const box of boxes.filter(({ speaking }) => speaking)) drawBox(pen, box);
}

/** The size that boxes refer to. */
export function setSize(width, height) {
  if (shown.width === width && shown.height === height) return;
  [shown.width, shown.height] = [width, height];
  stage.style.setProperty("--shape", String((width * aspect) / height));
}

/** Where the picture is within the stage, in CSS pixels; bars may be around it. */
function place() {
  const { width, height } = stage.getBoundingClientRect();
  const scale = Math.min(width / (shown.width * aspect), height / shown.height);
  return {
    x: (width - shown.width * aspect * scale) / 2,
    y: (height - shown.height * scale) / 2,
    across: scale * aspect,
    down: scale,
  };
}

/** The boxes of faces now, in CSS pixels from the stage's corner. */
export function boxesNow() {
  const { x, y, across, down } = place();
  return facesAt(shown.time).map(({ track, name, probability, speaking, certain, box }) => ({
    track,
    name: shownName(name),
    probability,
    speaking,
    certain: certain || speaking === certainlySpeaks(track),
    x: x + box[0] * across,
    y: y + box[1] * down,
    width: (box[2] - box[0]) * across,
    height: (box[3] - box[1]) * down,
  }));
}

function drawBox(pen, { name, probability, speaking, certain, x, y, width, height }) {
  pen.beginPath();
  pen.roundRect(x, y, width, height, Math.max(0, Math.min(10, width / 5, height / 5)));
  pen.setLineDash(certain ? [] : [9, 6]);
  pen.lineWidth = speaking ? 6 : 4;
  pen.strokeStyle = "rgba(0, 0, 0, 0.45)";
  pen.stroke();
  pen.lineWidth = speaking ? 3.5 : 2;
  pen.strokeStyle = speaking ? colours.boxSpeaking : colours.boxSilent;
  pen.stroke();
  pen.setLineDash([]);
  drawLabel(pen, name, percent(probability), speaking, x, y);
}

/** A name and a probability above a box, or within it at the top of the stage. */
function drawLabel(pen, name, likely, speaking, x, y) {
  const [size, pad] = stage.clientWidth < 500 ? [11, 5] : [13, 7];
  pen.font = `600 ${size}px system-ui, sans-serif`;
  const text = shortened(pen, name, 180);
  const nameWidth = pen.measureText(text).width;
  const width = nameWidth + pen.measureText(likely).width + 3 * pad;
  const height = size + 2 * pad - 2;
  const left = clamp(x, 2, Math.max(2, stage.clientWidth - width - 2));
  const top = y - height - 4 < 0 ? y + 4 : y - height - 4;
  pen.fillStyle = speaking ? colours.boxSpeaking : "rgba(13, 16, 20, 0.78)";
  pen.beginPath();
  pen.roundRect(left, top, width, height, 6);
  pen.fill();
  pen.textBaseline = "middle";
  pen.fillStyle = speaking ? "#04150c" : "#ffffff";
  pen.fillText(text, left + pad, top + height / 2 + 0.5);
  pen.globalAlpha = 0.8;
  pen.fillText(likely, left + nameWidth + 2 * pad, top + height / 2 + 0.5);
  pen.globalAlpha = 1;
}

/** A text that fits into a width, its end left out if it is longer. */
function shortened(pen, text, most) {
  const signs = [...text];
  if (pen.measureText(text).width <= most) return text;
  while (signs.length && pen.measureText(`${signs.join("")}…`).width > most) signs.pop();
  return `${signs.join("")}…`;
}
