// The table of turns: only the rows in view are in the document.

const turnsScroller = byId("turns-scroller");
const turnsRows = byId("turns-rows");
const TURN_HEIGHT = 44;
let turns = []; // those that the filters leave, as {start, end, who}
const allTurns = data.turns.map(([start, end, who]) => ({ start, end, who }));

/** Whoever takes a turn in words: a person by number, a voice by name, or somebody unknown. */
function whoIs(who) {
  if (who === null) return "Off screen";
  return typeof who === "number" ? nameOf(people[who]) : who;
}

function chooseTurns() {
  const [first, end] = state.shot === null ? [-Infinity, Infinity] : data.shots[state.shot];
  turns = allTurns.filter((turn) => {
    if (state.person !== null && turn.who !== state.person) return false;
    return turn.start * FPS < end && turn.end * FPS > first;
  });
  byId("turns-count").textContent = String(turns.length);
  turnsScroller.setAttribute("aria-rowcount", String(turns.length + 1));
  turnsRows.style.height = `${turns.length * TURN_HEIGHT}px`;
  turnsRows.replaceChildren();
}

function showTurns() {
  const from = turnsScroller.scrollTop;
  keepRows(turnsRows, turns, TURN_HEIGHT, from, from + turnsScroller.clientHeight, makeTurn);
  for (const row of turnsRows.children) {
    const { start, end } = row.row;
    const current = start <= state.time && state.time < end;
    row.classList.toggle("current", current);
    if (current) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

function makeTurn(turn, number) {
  const times = `${clock(turn.start)} – ${clock(turn.end)}`;
  const go = element("button", { type: "button", className: "go", "aria-label": `Go to ${clock(turn.start)}` }, times);
  go.addEventListener("click", () => seek(turn.start));
  const copy = element("button", { type: "button", className: "copy", "aria-label": `Copy ${times}` }, "Copy");
  copy.addEventListener("click", () => copyText(`${clock(turn.start)}-${clock(turn.end)}`, "Times copied."));
  const who = element("span", { role: "cell", className: "who" });
  if (typeof turn.who === "number") who.append(avatar(people[turn.who]));
  else who.append(element("span", { className: "dot offScreen", "aria-hidden": "true" }));
  who.append(element("span", { className: "text", dir: "auto" }, whoIs(turn.who)));
  const row = element(
    "div",
    { role: "row", className: "turn", "aria-rowindex": String(number + 2) },
    element("span", { role: "cell" }, go),
    who,
    element("span", { role: "cell", className: "long" }, `${(turn.end - turn.start).toFixed(1)} s`),
    element("span", { role: "cell" }, copy),
  );
  row.addEventListener("click", (event) => {
    if (!event.target.closest("button")) seek(turn.start);
  });
  return row;
}

/** Keep the turn of the moment in view. */
function followTurns() {
  if (!state.follow) return;
  const number = countUpTo(turns, state.time, (turn) => turn.start) - 1;
  if (number < 0) return;
  const top = number * TURN_HEIGHT;
  const room = turnsScroller.clientHeight - 2 * TURN_HEIGHT;
  const from = turnsScroller.scrollTop;
  if (top < from || top > from + room) turnsScroller.scrollTop = top - room / 3;
}

/** Go to the next turn, or to the one before. */
function stepTurn(forward) {
  const { time } = state;
  const found = forward
    ? turns.find((turn) => turn.start > time + 0.02)
    : turns.findLast((turn) => turn.start < time - 0.3);
  if (!found) {
    say(forward ? "No later turn." : "No earlier turn.");
    return;
  }
  seek(found.start);
  say(`${whoIs(found.who)}, ${clock(found.start)} to ${clock(found.end)}`);
}

async function copyText(text, told) {
  try {
    await navigator.clipboard.writeText(text);
    say(told);
  } catch {
    const area = element("textarea", { value: text, readOnly: true, className: "hidden" });
    document.body.append(area);
    area.select();
    say(document.execCommand("copy") ? told : "This browser does not let the page copy.");
    area.remove();
  }
}

/** All turns that are left, as a table: start and end in seconds of the file, and who. */
function turnsAsText() {
  const seconds = (time) => (time + data.video.start_s).toFixed(3);
  const lines = turns.map(({ start, end, who }) => `${seconds(start)}\t${seconds(end)}\t${whoIs(who)}`);
  return `start_s\tend_s\tname\n${lines.join("\n")}\n`;
}

function setUpTurns() {
  turnsScroller.addEventListener("scroll", showTurns, { passive: true });
  new ResizeObserver(showTurns).observe(turnsScroller);
  byId("turn-before").addEventListener("click", () => stepTurn(false));
  byId("turn-after").addEventListener("click", () => stepTurn(true));
  byId("copy-all").addEventListener("click", () => copyText(turnsAsText(), `${turns.length} turns copied.`));
}
