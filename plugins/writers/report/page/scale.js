// The timeline's measures: where a time and a lane are, in CSS pixels of what is in view.

const scroller = byId("lanes");
const RULER = 30;
const MOST_PIXELS_A_SECOND = 400;
const narrow = window.matchMedia("(max-width: 720px)");
const scale = { pixelsASecond: 0, fitted: true };
const START_S = FIRST / FPS;
const LENGTH_S = (END - FIRST) / FPS;
let lanes = []; // those that the filters leave

function laneHeight() {
  return narrow.matches ? 74 : 56;
}

/** Width of the column of names; on narrow screens names stand above the lanes. */
function headWidth() {
  return narrow.matches ? 0 : 232;
}

/** Where the bars of a lane begin below its upper edge, and their height. */
function bandOf() {
  return narrow.matches ? { below: 38, height: 28 } : { below: 11, height: 34 };
}

function roomAcross() {
  return Math.max(50, scroller.clientWidth - headWidth() - 12);
}

function leastPixels() {
  return roomAcross() / LENGTH_S;
}

/** The place of a time across the pane. */
function across(time) {
  return headWidth() + (time - START_S) * scale.pixelsASecond - scroller.scrollLeft;
}

/** The time at a place across the pane. */
function timeAt(x) {
  return START_S + (x - headWidth() + scroller.scrollLeft) / scale.pixelsASecond;
}

/** First and last time in view. */
function timesInView() {
  return [timeAt(headWidth()), timeAt(scroller.clientWidth)];
}

function laneTop(number) {
  return RULER + number * laneHeight() - scroller.scrollTop;
}

/** Zoom; the time at a place across the pane stays there. */
function zoomTo(pixelsASecond, x = clamp(across(state.time), headWidth(), scroller.clientWidth)) {
  const time = timeAt(x);
  const least = leastPixels();
  scale.pixelsASecond = clamp(pixelsASecond, least, Math.max(least, MOST_PIXELS_A_SECOND));
  scale.fitted = scale.pixelsASecond === least;
  setSpace();
  scroller.scrollLeft = headWidth() + (time - START_S) * scale.pixelsASecond - x;
  emit("lanes");
}

/** Show a stretch of time and a little around it. */
function zoomToTimes(from, to) {
  scale.fitted = false;
  scale.pixelsASecond = clamp(roomAcross() / Math.max(to - from, 0.2), leastPixels(), MOST_PIXELS_A_SECOND);
  setSpace();
  scroller.scrollLeft = (from - START_S) * scale.pixelsASecond;
  emit("lanes");
}

function zoomToFit() {
  scale.fitted = true;
  fitAgain();
}

/** After a change of the room or of the lanes. */
function fitAgain() {
  const least = leastPixels();
  if (scale.fitted || scale.pixelsASecond < least) scale.pixelsASecond = least;
  setSpace();
  emit("lanes");
}

/** Make the scrolled area as large as all lanes. */
function setSpace() {
  const space = byId("space");
  const width = headWidth() + LENGTH_S * scale.pixelsASecond;
  space.style.width = scale.fitted ? "100%" : `${Math.ceil(width) + 12}px`;
  space.style.height = `${RULER + lanes.length * laneHeight()}px`;
  const pane = byId("pane");
  pane.style.width = `${scroller.clientWidth}px`;
  pane.style.height = `${scroller.clientHeight}px`;
  pane.style.marginBottom = `${-scroller.clientHeight}px`;
}

/** The shortest round step in seconds whose marks are far enough apart. */
function markStep() {
  const steps = [0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
  return steps.find((step) => step * scale.pixelsASecond >= 76) ?? 14400;
}
