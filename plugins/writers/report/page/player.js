// The video, or where none can be played a clock that runs like one.

const video = byId("video");
const WITHIN_FRAME_S = 0.002; // a seek goes so far into a picture, to be sure not to be before it
let source = null; // the entry of data.video.sources that plays
let begins = 0; // where the browser's clock of the video begins
let sought = false; // whether the reader has gone anywhere yet
let wanted = null; // where to seek once the seek under way has ended
let ticked = 0; // when the clock without a video ran last

function onVideo(time) {
  return time + source.later_s + begins;
}

/** Try a source, and the next one where the browser does not play this one or shows nothing of it. */
function trySource(number) {
  const fromDisk = location.protocol === "file:";
  const sources = data.video.sources.filter(({ url }) => fromDisk || !url.startsWith("file:"));
  if (number >= sources.length) {
    source = null;
    video.removeAttribute("src");
    video.hidden = true;
    byId("no-video").hidden = false;
    byId("no-video").textContent = "The video is not where it was, or this browser cannot play it.";
    emit("video");
    return;
  }
  const next = () => trySource(number + 1);
  video.onerror = next;
  video.onloadedmetadata = () => {
    if (!video.videoWidth) {
      next();
      return;
    }
    source = sources[number];
    state.boxes = !source.has_boxes;
    emit("video");
  };
  video.onloadeddata = () => {
    if (!sought) begins = video.currentTime;
    if (state.time !== 0) seek(state.time);
  };
  video.src = sources[number].url;
}

/** Go to a time. */
function seek(time) {
  setTime(clamp(time, FIRST / FPS, Math.max(FIRST, END - 1) / FPS));
  emit("seek");
  if (!source) return;
  sought = true;
  wanted = onVideo(state.time) + WITHIN_FRAME_S;
  if (!video.seeking) seekNow();
}

function seekNow() {
  if (wanted === null) return;
  video.currentTime = wanted;
  wanted = null;
}

function setTime(time) {
  state.time = time;
  emit("time");
}

function step(frames) {
  pause();
  seek((frameAt(state.time) + frames) / FPS);
}

function play() {
  if (state.playing) return;
  if (frameAt(state.time) >= END - 1) seek(FIRST / FPS);
  state.playing = true;
  emit("playing");
  if (source) video.play().catch(() => pause());
  else {
    ticked = performance.now();
    requestAnimationFrame(tickAlone);
  }
}

function pause() {
  if (!state.playing) return;
  state.playing = false;
  video.pause();
  emit("playing");
}

function togglePlay() {
  if (state.playing) pause();
  else play();
}

/** While playing: take over the time of the picture that is shown. */
function arrived(mediaTime) {
  if (!state.playing || video.seeking || wanted !== null) return;
  const time = mediaTime - source.later_s - begins;
  setTime(Math.max(time, FIRST / FPS));
  if (frameAt(time) >= END - 1) pause();
}

function tickAlone(now) {
  if (!state.playing || source) return;
  const time = state.time + ((now - ticked) / 1000) * Number(byId("speed").value);
  ticked = now;
  setTime(Math.min(time, (END - 1) / FPS));
  if (frameAt(time) >= END - 1) pause();
  else requestAnimationFrame(tickAlone);
}

/** Hear of each picture that is shown; browsers without that are asked for the time instead. */
function watchPictures() {
  if (video.requestVideoFrameCallback) {
    const shown = (_, picture) => {
      if (source) arrived(picture.mediaTime);
      video.requestVideoFrameCallback(shown);
    };
    video.requestVideoFrameCallback(shown);
    return;
  }
  const ask = () => {
    if (source) arrived(video.currentTime);
    requestAnimationFrame(ask);
  };
  requestAnimationFrame(ask);
}

function setUpPlayer() {
  video.addEventListener("seeked", seekNow);
  video.addEventListener("ended", pause);
  video.addEventListener("pause", () => { if (!video.ended) pause(); });
  byId("speed").addEventListener("change", () => { video.playbackRate = Number(byId("speed").value); });
  byId("play").addEventListener("click", togglePlay);
  byId("stage").addEventListener("click", togglePlay);
  byId("frame-before").addEventListener("click", () => step(-1));
  byId("frame-after").addEventListener("click", () => step(1));
  byId("mute").addEventListener("click", toggleMute);
  byId("full").addEventListener("click", toggleFull);
  const slider = byId("seek");
  slider.min = FIRST;
  slider.max = Math.max(FIRST, END - 1);
  slider.addEventListener("input", () => seek(Number(slider.value) / FPS));
  watchPictures();
  trySource(0);
}

function toggleMute() {
  video.muted = !video.muted;
  byId("mute").setAttribute("aria-pressed", String(video.muted));
}

function toggleFull() {
  if (document.fullscreenElement) document.exitFullscreen();
  else byId("stage").requestFullscreen?.();
}

/** Show time and state beside the video. */
function showTime() {
  const frame = frameAt(state.time);
  const slider = byId("seek");
  slider.value = frame;
  slider.style.setProperty("--done", percent((frame - FIRST) / Math.max(1, END - 1 - FIRST)).replace(" ", ""));
  slider.setAttribute("aria-valuetext", `${clock(state.time)}, frame ${frame}`);
  byId("time").textContent = clock(state.time);
  byId("frame").textContent = `frame ${frame}`;
}

function showPlaying() {
  const button = byId("play");
  button.classList.toggle("playing", state.playing);
  button.setAttribute("aria-label", state.playing ? "Pause" : "Play");
}
