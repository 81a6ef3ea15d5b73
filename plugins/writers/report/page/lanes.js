// The timeline: which lanes there are, how it is scrolled, and how it follows the video.

const EDGE = 0.12; // playback is kept this part of the width away from the edges

/** The lanes that the filters leave: people, voices of nobody seen, off screen, all speech. */
function chooseLanes() {
  lanes = people.filter(isWanted).map((person) => ({ kind: "person", person }));
  if (state.person !== null) return;
  for (const voice of data.voices) {
    lanes.push({ kind: "offScreen", label: voice.name, spans: voice.spans, what: "voice of nobody seen" });
  }
  if (data.off_screen?.length) {
    const spans = data.off_screen.map(([start, end]) => [start, end]);
    lanes.push({ kind: "offScreen", label: "Off screen", spans, what: "no face speaks" });
  }
  if (data.speech) lanes.push({ kind: "speech", label: "Speech", spans: data.speech, what: "somebody is heard" });
}

function isWanted(person) {
  if (state.person !== null && person.number !== state.person) return false;
  const [first, end] = state.shot === null ? [FIRST, END] : data.shots[state.shot];
  if (!person.tracks.some((track) => track.first < end && track.end > first)) return false;
  if (!state.speakingOnly) return true;
  return person.speaking.some(([from, to]) => from * FPS < end && to * FPS > first);
}

function showLanes() {
  if (!scale.pixelsASecond) return;
  paintLanesSoon();
  showHeads();
  showPlayhead();
}

function showPlayhead() {
  const x = across(state.time);
  const head = byId("playhead");
  head.style.transform = `translateX(${x}px)`;
  head.style.visibility = x < headWidth() - 1 ? "hidden" : "visible";
}

/** While the video plays or after a jump: keep its time in view, and the one who speaks. */
function followTime(always = false) {
  if (!state.follow || (!state.playing && !always)) return;
  const [left, right] = [headWidth(), scroller.clientWidth];
  const x = across(state.time);
  const margin = (right - left) * EDGE;
  if (!scale.fitted && (x < left || x > right - margin)) {
    scroller.scrollLeft += x - left - margin;
  }
  const lit = lanes.findIndex((lane) => lane.person && isLit(lane));
  if (lit < 0) return;
  const top = laneTop(lit);
  if (top < RULER) scroller.scrollTop += top - RULER;
  else if (top + laneHeight() > scroller.clientHeight) {
    scroller.scrollTop += top + laneHeight() - scroller.clientHeight;
  }
}

let litBefore = "";

/** Repaint when another lane is lit; the playhead alone moves otherwise. */
function showLit() {
  showPlayhead();
  const lit = lanes.map((lane) => (isLit(lane) ? 1 : 0)).join("");
  if (lit === litBefore) return;
  litBefore = lit;
  showLanes();
}

function seekByPointer(event) {
  const x = event.clientX - scroller.getBoundingClientRect().left;
  if (x >= headWidth()) seek(timeAt(x));
}

function setUpLanes() {
  const canvas = lanesCanvas;
  let scrubs = false;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button || event.pointerType === "touch") return;
    scrubs = true;
    canvas.setPointerCapture(event.pointerId);
    seekByPointer(event);
  });
  canvas.addEventListener("pointermove", (event) => { if (scrubs) seekByPointer(event); });
  canvas.addEventListener("pointerup", () => { scrubs = false; });
  canvas.addEventListener("pointercancel", () => { scrubs = false; });
  canvas.addEventListener("click", (event) => { if (event.pointerType === "touch") seekByPointer(event); });
  scroller.addEventListener("scroll", showLanes, { passive: true });
  scroller.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const x = event.clientX - scroller.getBoundingClientRect().left;
    zoomTo(scale.pixelsASecond * Math.exp(-event.deltaY / 300), Math.max(x, headWidth()));
  }, { passive: false });
  byId("zoom-in").addEventListener("click", () => zoomTo(scale.pixelsASecond * 1.6));
  byId("zoom-out").addEventListener("click", () => zoomTo(scale.pixelsASecond / 1.6));
  byId("zoom-fit").addEventListener("click", zoomToFit);
  byId("follow").addEventListener("change", (event) => { state.follow = event.target.checked; });
  new ResizeObserver(fitAgain).observe(scroller);
  showLegend();
}

function showLegend() {
  const entries = [["visible", "face visible"], ["speaking", "face speaks"], ["curve", "probability"]];
  if (data.shots.length > 1) entries.push(["shot", "cut"]);
  if (data.off_screen || data.voices.length) entries.push(["offScreen", "off screen"]);
  if (data.speech) entries.push(["speech", "speech"]);
  for (const [kind, words] of entries) {
    const mark = element("span", { className: `mark ${kind}`, "aria-hidden": "true" });
    byId("legend").insertBefore(element("span", {}, mark, words), byId("legend").lastElementChild);
  }
}
