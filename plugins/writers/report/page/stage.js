// Boxes over the video.

const stage = byId("stage");
const overlay = byId("overlay");
const images = new Map(); // of faces, by track, for a stage without a video
const SHOWN_WIDTH = data.video.width * data.video.pixel_aspect;

/** Where the picture is within the stage, in CSS pixels; bars may be around it. */
function pictureRect() {
  const { width, height } = stage.getBoundingClientRect(); // not rounded, unlike clientWidth
  const scale = Math.min(width / SHOWN_WIDTH, height / data.video.height);
  return {
    x: (width - SHOWN_WIDTH * scale) / 2,
    y: (height - data.video.height * scale) / 2,
    across: scale * data.video.pixel_aspect,
    down: scale,
  };
}

/** The faces that the filters leave, now. */
function facesNow() {
  return visibleAt(state.time)
    .filter((track) => track.boxes && (state.person === null || track.person.number === state.person))
    .map((track) => ({ track, speaking: inside(track.speaking, state.time) }))
    .filter(({ speaking }) => speaking || !state.speakingOnly);
}

/** The boxes of faces now, in CSS pixels from the stage's corner. */
function boxesNow() {
  const { x, y, across, down } = pictureRect();
  return facesNow().map(({ track, speaking }) => {
    const [x1, y1, x2, y2] = boxAt(track, state.time);
    return {
      track,
      speaking,
      x: x + x1 * across,
      y: y + y1 * down,
      width: (x2 - x1) * across,
      height: (y2 - y1) * down,
    };
  });
}

function drawStage() {
  const [width, height] = [stage.clientWidth, stage.clientHeight];
  const pen = clearedPen(overlay, width, height);
  const boxes = boxesNow();
  if (!source) for (const box of boxes) drawFace(pen, box);
  if (!state.boxes) return;
  for (const box of boxes.filter(({ speaking }) => !speaking)) drawBox(pen, box);
  for (const box of boxes.filter(({ speaking }) => speaking)) drawBox(pen, box);
}

function drawBox(pen, { track, speaking, x, y, width, height }) {
  const radius = Math.min(10, width / 5, height / 5);
  pen.beginPath();
  pen.roundRect(x, y, width, height, radius);
  pen.lineWidth = speaking ? 6 : 4;
  pen.strokeStyle = "rgba(0, 0, 0, 0.45)";
  pen.stroke();
  pen.lineWidth = speaking ? 3.5 : 2;
  pen.strokeStyle = speaking ? colours.boxSpeaking : colours.boxSilent;
  pen.stroke();
  drawLabel(pen, nameOf(track.person), percent(probabilityAt(track, state.time)), speaking, x, y);
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

/** Without a video the face's picture stands in its box. */
function drawFace(pen, { track, x, y, width, height }) {
  pen.fillStyle = "rgba(255, 255, 255, 0.08)";
  pen.fillRect(x, y, width, height);
  if (!track.thumbnail) return;
  if (!images.has(track)) {
    const image = new Image();
    image.addEventListener("load", drawStage);
    image.src = track.thumbnail;
    images.set(track, image);
  }
  const side = Math.max(width, height);
  pen.save();
  pen.beginPath();
  pen.rect(x, y, width, height);
  pen.clip();
  pen.drawImage(images.get(track), x + (width - side) / 2, y + (height - side) / 2, side, side);
  pen.restore();
}

/** Who speaks now, in words. */
function showSpeakers() {
  const speakers = people.filter((person) => speaksAt(person, state.time)).map(nameOf);
  const unseen = (data.off_screen ?? []).filter(([start, end]) => start <= state.time && state.time < end);
  for (const [, , who] of unseen) speakers.push(whoIs(who) + (who === null ? "" : " (off screen)"));
  const line = byId("now");
  line.classList.toggle("speech", speakers.length > 0);
  line.textContent = speakers.length ? `Speaking: ${speakers.join(", ")}` : "Nobody speaks";
}

function setUpStage() {
  stage.style.aspectRatio = `${SHOWN_WIDTH} / ${data.video.height}`;
  stage.style.setProperty("--shape", String(SHOWN_WIDTH / data.video.height));
  byId("boxes").addEventListener("click", toggleBoxes);
  new ResizeObserver(drawStage).observe(stage);
}

function toggleBoxes() {
  state.boxes = !state.boxes;
  emit("video");
}

function showBoxesState() {
  byId("boxes").setAttribute("aria-pressed", String(state.boxes));
}
