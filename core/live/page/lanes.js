// The lanes: who was in sight and who spoke, up to the moment that is shown.

import { certainlySpeaks, lanes, memory, OFF_SCREEN, speaksNow, WINDOW_S } from "./memory.js";
import { shown } from "./stage.js";
import { byId, clearedPen, clock, colours, element, shownName } from "./words.js";

const RULER = 30;
const LANE = 44;
const canvas = byId("lanes");
const heads = byId("heads");

/** Draw all lanes; their names beside them are changed only where they differ. */
export function drawLanes() {
  const all = lanes();
  showHeads(all);
  const height = RULER + LANE * Math.max(1, all.length);
  if (canvas.clientHeight !== height) canvas.style.height = `${height}px`;
  const pen = clearedPen(canvas);
  if (shown.time === -Infinity) return;
  const width = canvas.clientWidth;
  const across = (time) => ((time - shown.time) / WINDOW_S + 1) * width;
  all.forEach((lane, n) => {
    const top = RULER + LANE * n;
    pen.fillStyle = colours.line;
    pen.fillRect(0, top + LANE - 1, width, 1);
    const unseen = lane.name === OFF_SCREEN;
    drawSpans(pen, lane.visible, across, top + 10, colours.visible);
    drawSpans(pen, lane.maybe, across, top + 10, unseen ? colours.maybeOffScreen : colours.maybe);
    drawSpans(pen, lane.certain, across, top + 10, unseen ? colours.offScreen : colours.speaking);
  });
  for (const [times, colour] of [[memory.cuts, colours.shot], [memory.breaks, colours.broken]]) {
    pen.fillStyle = colour;
    for (const time of times) pen.fillRect(Math.round(across(time)), RULER, 1.5, height - RULER);
  }
  drawRuler(pen, width, across);
}

function drawSpans(pen, spans, across, top, colour) {
  pen.fillStyle = colour;
  for (const [start, end] of spans) {
    const [left, right] = [across(start), Math.max(across(end), across(start) + 1)];
    pen.beginPath();
    pen.roundRect(left, top, right - left, LANE - 20, Math.min(5, (right - left) / 2));
    pen.fill();
  }
}

function drawRuler(pen, width, across) {
  pen.fillStyle = colours.line;
  pen.fillRect(0, RULER - 1, width, 1);
  pen.font = "500 11px system-ui, sans-serif";
  pen.textBaseline = "middle";
  const step = width < 500 ? 10 : 5;
  const first = Math.max(0, Math.ceil((shown.time - WINDOW_S) / step));
  for (let n = first; n * step <= shown.time; n += 1) {
    const x = across(n * step);
    pen.fillStyle = colours.shot;
    pen.fillRect(Math.round(x), RULER - 8, 1, 8);
    pen.fillStyle = colours.faint;
    if (x + 40 < width) pen.fillText(clock(n * step), x + 4, RULER / 2);
  }
}

function showHeads(all) {
  const names = all.map(({ name }) => name);
  if (heads.dataset.names !== JSON.stringify(names)) {
    heads.dataset.names = JSON.stringify(names);
    heads.replaceChildren(...names.map((name) => (
      element("li", { className: "head" }, element("span", { dir: "auto", title: shownName(name) }, shownName(name)))
    )));
  }
  const speakers = new Set([...memory.people].filter(([track]) => speaksNow(track)).map(([, { name }]) => name));
  names.forEach((name, n) => heads.children[n].classList.toggle("lit", speakers.has(name)));
}

/** The names of those who speak: as told last, or only what is certain. */
export function speakers(certain) {
  const speaks = certain ? certainlySpeaks : speaksNow;
  const found = [...memory.people].filter(([track]) => speaks(track)).map(([, { name }]) => shownName(name));
  return [...new Set(found)];
}
