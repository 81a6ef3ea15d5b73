// Paints the lanes: only those in view, and of these only the time in view.

const lanesCanvas = byId("lanes-canvas");
const drawn = { lanes: 0, items: 0 }; // what the last painting took
const DENSEST_PX = 2; // the points of a curve are so far apart, or further
const LEAST_SHOT_PX = 6; // lines of shots closer together are left out

let paintingDue = false;

/** Paint the lanes before the next frame, once, however often it is asked for. */
function paintLanesSoon() {
  if (paintingDue) return;
  paintingDue = true;
  requestAnimationFrame(() => {
    paintingDue = false;
    paintLanes();
  });
}

function paintLanes() {
  const [width, height] = [scroller.clientWidth, scroller.clientHeight];
  const pen = clearedPen(lanesCanvas, width, height);
  drawn.lanes = 0;
  drawn.items = 0;
  const first = Math.max(0, Math.floor(scroller.scrollTop / laneHeight()));
  const last = Math.min(lanes.length, Math.ceil((scroller.scrollTop + height) / laneHeight()));
  paintShots(pen, height);
  for (let n = first; n < last; n += 1) paintLane(pen, lanes[n], laneTop(n), width);
  paintRuler(pen, width);
}

function paintLane(pen, lane, top, width) {
  drawn.lanes += 1;
  if (isLit(lane)) {
    pen.fillStyle = colours.lit;
    pen.fillRect(0, top, width, laneHeight());
  }
  pen.fillStyle = colours.line;
  pen.fillRect(0, top + laneHeight() - 1, width, 1);
  const { below, height } = bandOf();
  if (!lane.person) {
    paintSpans(pen, lane.spans, top + below + height / 4, height / 2, lane.kind);
    return;
  }
  const [from, to] = timesInView();
  const seen = lane.person.tracks.filter((track) => track.first / FPS < to && track.end / FPS > from);
  paintSpans(pen, merged(seen.map((track) => [track.first / FPS, track.end / FPS])), top + below, height, "visible");
  paintSpans(pen, lane.person.speaking, top + below, height, "speaking");
  for (const track of seen) paintCurve(pen, track, top + below, height);
}

/** Spans that touch or overlap, made one, as they would be painted over each other. */
function merged(spans) {
  const found = [];
  for (const [start, end] of spans.sort((a, b) => a[0] - b[0])) {
    const before = found.at(-1);
    if (before && start <= before[1]) before[1] = Math.max(before[1], end);
    else found.push([start, end]);
  }
  return found;
}

/** Paint the spans in view; those that share a pixel are painted once. */
function paintSpans(pen, spans, top, height, kind) {
  const [from, to] = timesInView();
  pen.fillStyle = colours[kind];
  let painted = -Infinity;
  for (let k = countUpTo(spans, from, (span) => span[1]); k < spans.length && spans[k][0] < to; k += 1) {
    const left = Math.max(across(spans[k][0]), headWidth() - 8, painted);
    const right = Math.min(Math.max(across(spans[k][1]), left + 1), scroller.clientWidth + 8);
    if (right - painted < 1) continue;
    pen.beginPath();
    pen.roundRect(left, top, right - left, height, Math.min(5, (right - left) / 2));
    pen.fill();
    painted = right;
    drawn.items += 1;
  }
}

/** Paint the probability of a face: the highest between neighbouring points. */
function paintCurve(pen, track, top, height) {
  if (!track.curve) return;
  const left = Math.max(across(track.first / FPS), headWidth());
  const right = Math.min(across(track.end / FPS), scroller.clientWidth);
  const step = Math.max(DENSEST_PX, scale.pixelsASecond / FPS);
  pen.beginPath();
  for (let x = left; x < right; x += step) {
    const frame = clamp(Math.floor(timeAt(x) * FPS + 1e-6) - track.first, 0, track.length - 1);
    const next = clamp(Math.ceil(timeAt(x + step) * FPS - 1e-6) - track.first, frame + 1, track.length);
    pen.lineTo(x, top + height - 2 - ((height - 4) * highest(track, frame, next)) / 255);
    drawn.items += 1;
  }
  pen.lineWidth = 1.4;
  pen.lineJoin = "bevel";
  pen.strokeStyle = colours.curve;
  pen.stroke();
}

function paintShots(pen, height) {
  const [from, to] = timesInView();
  let before = -Infinity;
  pen.fillStyle = colours.shot;
  const first = countUpTo(data.shots, from * FPS, (shot) => shot[0]);
  for (let n = Math.max(1, first); n < data.shots.length && data.shots[n][0] / FPS < to; n += 1) {
    const x = across(data.shots[n][0] / FPS);
    if (x - before < LEAST_SHOT_PX) continue;
    pen.fillRect(Math.round(x), 0, 1, height);
    before = x;
    drawn.items += 1;
  }
}

function paintRuler(pen, width) {
  pen.fillStyle = colours.panel;
  pen.fillRect(0, 0, width, RULER);
  pen.fillStyle = colours.line;
  pen.fillRect(0, RULER - 1, width, 1);
  pen.font = "500 11px system-ui, sans-serif";
  pen.textBaseline = "middle";
  const step = markStep();
  const [from, to] = timesInView();
  const offset = data.video.start_s; // marks are at round times of the file
  for (let n = Math.max(0, Math.floor((from + offset) / step)); n * step <= to + offset; n += 1) {
    const time = n * step - offset;
    const x = across(time);
    if (time < START_S - 0.001 || x < headWidth() - 1) continue;
    pen.fillStyle = colours.shot;
    pen.fillRect(Math.round(x), RULER - 8, 1, 8);
    pen.fillStyle = colours.faint;
    pen.fillText(clock(time, step < 1 ? 1 : 0), x + 4, RULER / 2);
    drawn.items += 1;
  }
}

/** Whether a lane's own speech is heard now. */
function isLit(lane) {
  if (lane.person) return speaksAt(lane.person, state.time);
  return lane.kind !== "speech" && inside(lane.spans, state.time);
}
