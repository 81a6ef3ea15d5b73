// What the page remembers of a session: half a minute of who was where, and who spoke.

export const WINDOW_S = 30;
const KEPT_S = WINDOW_S + 5;
const LATEST_S = 5; // what is older counts as certain, whatever was told
const APART_S = 2; // between moments further apart nothing is known
export const OFF_SCREEN = "off_screen";

const empty = () => ({
  newest: -Infinity, // the time of the newest faces
  told: -Infinity, // up to here all is certain, as far as was told
  lag: LATEST_S, // how far behind the newest faces the last certain change was
  moments: [], // {time, faces}: faces by their tracks
  people: new Map(), // by track: {name, changes: [{time, speaking}]}, changes that are certain
  provisional: new Map(), // by track: whether it speaks, where that is not certain yet
  cuts: [],
  breaks: [],
});

export let memory = empty();

export function forget() {
  memory = empty();
}

const TELLERS = {
  appeared: (line) => person(line),
  named: (line) => person(line),
  speaking: (line) => speech(line, true),
  silent: (line) => speech(line, false),
  cut: (line) => memory.cuts.push(line.time_s),
  interrupted: (line) => memory.breaks.push(line.time_s),
  faces: (line) => moment(line),
};

/** Take a line into account. */
export function remember(line) {
  TELLERS[line.event]?.(line);
  prune();
}

/** Before this time nothing will change any more, as far as can be seen from when it was told. */
export function certainUpTo() {
  return Math.max(memory.told, memory.newest - memory.lag);
}

function person({ track = null, name }) {
  if (!memory.people.has(track)) memory.people.set(track, { name, changes: [] });
  const known = memory.people.get(track);
  known.name = name ?? known.name;
  return known;
}

function speech(line, speaking) {
  const { changes } = person(line);
  const track = line.track ?? null;
  if (!line.certain) {
    memory.provisional.set(track, speaking);
    return;
  }
  memory.provisional.delete(track);
  if ((changes.at(-1)?.speaking ?? false) !== speaking) changes.push({ time: line.time_s, speaking });
  memory.told = Math.max(memory.told, line.time_s);
  if (memory.newest >= line.time_s) memory.lag = Math.min(LATEST_S, memory.newest - line.time_s);
}

function moment({ time_s, faces }) {
  for (const face of faces) person(face);
  memory.moments.push({ time: time_s, faces: new Map(faces.map((face) => [face.track, face])) });
  memory.newest = time_s;
}

function prune() {
  const first = memory.newest - KEPT_S;
  const old = memory.moments.findIndex(({ time }) => time >= first);
  memory.moments.splice(0, Math.max(0, old));
  memory.cuts = memory.cuts.filter((time) => time >= first);
  memory.breaks = memory.breaks.filter((time) => time >= first);
  for (const [track, { changes }] of memory.people) {
    while (changes.length > 1 && changes[1].time < first) changes.shift();
    const over = !changes.length || (!changes.at(-1).speaking && changes.at(-1).time < first);
    if (over && !memory.provisional.get(track) && !memory.moments.some(({ faces }) => faces.has(track))) {
      memory.people.delete(track);
      memory.provisional.delete(track);
    }
  }
}

/** Whether somebody speaks, as told last. */
export function speaksNow(track) {
  return memory.provisional.get(track) ?? certainlySpeaks(track);
}

/** Whether it is certain that somebody began to speak, and not yet that they ceased. */
export function certainlySpeaks(track) {
  return memory.people.get(track)?.changes.at(-1)?.speaking ?? false;
}

/** The faces at a time, moved between the moments around it. */
export function facesAt(time) {
  const next = memory.moments.findIndex((one) => one.time > time);
  const [before, after] = next < 0 ? [memory.moments.at(-1)] : [memory.moments[next - 1], memory.moments[next]];
  const near = before && (!after || time - before.time < after.time - time) ? before : after;
  if (!near || Math.abs(near.time - time) > APART_S) return [];
  const part = before && after ? (time - before.time) / (after.time - before.time) : 0;
  return [...near.faces.values()].map((face) => {
    const [from, to] = [before?.faces.get(face.track), after?.faces.get(face.track)];
    const box = from && to ? from.box.map((side, n) => side + (to.box[n] - side) * part) : face.box;
    return { ...face, name: memory.people.get(face.track)?.name ?? face.name, box };
  });
}

/** A lane for each person: {name, visible, certain, maybe}, spans of seconds in rising order. */
export function lanes() {
  const found = new Map();
  for (const [track, { name, changes }] of memory.people) {
    if (!found.has(name)) found.set(name, { name, visible: [], certain: [], maybe: [] });
    const lane = found.get(name);
    lane.visible.push(...seenSpans(track, () => true));
    lane.certain.push(...certainSpans(changes));
    lane.maybe.push(...maybeSpans(track));
  }
  const all = [...found.values()].filter(({ name, ...spans }) => Object.values(spans).some((some) => some.length));
  const unseen = ({ name }) => name === OFF_SCREEN;
  return [...all.filter((lane) => !unseen(lane)), ...all.filter(unseen)];
}

/** The last turns that are certain, so far as they are, newest first: {name, start, end}. */
export function turns(most) {
  const found = lanes().flatMap(({ name, certain }) => certain.map(([start, end]) => ({ name, start, end })));
  return found.sort((one, other) => other.start - one.start).slice(0, most);
}

/** Spans of moments at which a face was there, and was as asked. */
function seenSpans(track, asked) {
  const spans = [];
  memory.moments.forEach(({ time, faces }, n) => {
    const face = faces.get(track);
    if (!face || !asked(face)) return;
    const before = memory.moments[n - 1]?.time ?? time;
    const start = time - before > APART_S ? time : before;
    if (spans.at(-1)?.[1] >= start) spans.at(-1)[1] = time;
    else spans.push([start, time]);
  });
  return spans;
}

function certainSpans(changes) {
  const spans = [];
  changes.forEach(({ time, speaking }, n) => {
    const end = changes[n + 1]?.time ?? certainUpTo();
    if (speaking && end > time) spans.push([time, end]);
  });
  return spans;
}

function maybeSpans(track) {
  const from = certainUpTo();
  if (track === null) return speaksNow(track) && memory.newest > from ? [[from, memory.newest]] : [];
  return seenSpans(track, (face) => face.speaking)
    .filter(([, end]) => end > from)
    .map(([start, end]) => [Math.max(start, from), end]);
}
