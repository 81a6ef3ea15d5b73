// The faces: what Python packed (packing.py), unpacked when the page opens.

const people = data.people;
const tracks = [];
for (const [number, person] of people.entries()) {
  person.number = number;
  person.speaking = person.tracks.flatMap((track) => track.speaking).sort((a, b) => a[0] - b[0]);
  for (const track of person.tracks) {
    track.person = person;
    track.end = track.first + track.length;
    tracks.push(track);
  }
}
const PIXELS_A_STEP = data.video.longer_side_px / data.steps;
const POOLED = 8; // so many values of one level of a track's curve make one of the next

async function inflated(text) {
  const signs = atob(text);
  const bytes = new Uint8Array(signs.length);
  for (let k = 0; k < signs.length; k += 1) bytes[k] = signs.charCodeAt(k);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Undo the differences of packing.py. */
function unpack(track, bytes) {
  const n = track.length;
  const probabilities = new Uint8Array(n);
  for (let k = 0, value = 0; k < n; k += 1) {
    value = (value + bytes[k]) & 255;
    probabilities[k] = value;
  }
  const boxes = new Int16Array(4 * n);
  for (let side = 0; side < 4; side += 1) {
    for (let k = side * n, value = 0; k < (side + 1) * n; k += 1) {
      value += bytes[n + k] + 256 * bytes[5 * n + k];
      boxes[k] = value;
    }
  }
  track.boxes = boxes;
  track.curve = [probabilities];
  for (let level = probabilities; level.length > 1;) {
    level = pooled(level);
    track.curve.push(level);
  }
  delete track.packed;
}

function pooled(values) {
  const highest = new Uint8Array(Math.ceil(values.length / POOLED));
  for (let k = 0; k < values.length; k += 1) {
    const place = Math.floor(k / POOLED);
    if (values[k] > highest[place]) highest[place] = values[k];
  }
  return highest;
}

async function unpackAll() {
  for (const track of tracks) {
    unpack(track, await inflated(track.packed));
  }
}

/** The highest probability, 0 to 255, among frames of a track; of many frames to about a quarter. */
function highest(track, from, to) {
  let level = 0;
  let width = 1;
  while (width * POOLED * 4 <= to - from && level + 1 < track.curve.length) {
    level += 1;
    width *= POOLED;
  }
  const values = track.curve[level];
  let found = 0;
  for (let k = Math.floor(from / width); k * width < to && k < values.length; k += 1) {
    if (values[k] > found) found = values[k];
  }
  return found;
}

function probabilityAt(track, time) {
  return track.curve[0][clamp(frameAt(time) - track.first, 0, track.length - 1)] / 255;
}

/** The box of a track at a time, in pixels of the video, between grid frames interpolated. */
function boxAt(track, time) {
  const n = track.length;
  const place = clamp(time * FPS - track.first, 0, n - 1);
  const before = Math.floor(place);
  const after = Math.min(before + 1, n - 1);
  return [0, 1, 2, 3].map((side) => {
    const [a, b] = [track.boxes[side * n + before], track.boxes[side * n + after]];
    return (a + (b - a) * (place - before)) * PIXELS_A_STEP;
  });
}

/** The tracks that are visible at a time. */
function visibleAt(time) {
  const frame = frameAt(time);
  return tracks.filter((track) => track.first <= frame && frame < track.end);
}

/** Whether one of a person's faces speaks at a time. */
function speaksAt(person, time) {
  return person.tracks.some((track) => inside(track.speaking, time));
}

/** The picture that shows a person best: of the face that speaks longest, or is visible longest. */
function portraitOf(person) {
  const shown = person.tracks.filter((track) => track.thumbnail);
  const rank = (track) => total(track.speaking) * FPS + track.length / 1000;
  shown.sort((a, b) => rank(b) - rank(a));
  return shown.length ? shown[0].thumbnail : null;
}

/** An element that shows a person, or a grey one. */
function avatar(person) {
  const portrait = person && portraitOf(person);
  if (portrait) return element("img", { className: "avatar", src: portrait, alt: "" });
  return element("span", { className: "avatar", "aria-hidden": "true" });
}
