// Starts the page.

function showSummary() {
  const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;
  const said = [
    `${clock(END / FPS, 0)} long`,
    people.every(({ known }) => known) ? count(people.length, "person", "people") : count(people.length, "face", "faces"),
    count(data.shots.length, "shot", "shots"),
    count(allTurns.length, "turn", "turns"),
  ];
  byId("summary").textContent = said.join(" · ");
  byId("length").textContent = `/ ${clock((END - 1) / FPS, 0)}`;
  for (const [heading, text] of data.about) {
    byId("about-list").append(element("dt", {}, heading), element("dd", { dir: "auto" }, text));
  }
  for (const note of data.notes) byId("notes").append(element("li", { dir: "auto" }, note));
}

on("time", showTime);
on("time", drawStage);
on("time", showSpeakers);
on("time", followTime);
on("time", showLit);
on("time", showTurns);
on("time", () => { if (state.playing) followTurns(); });
on("seek", () => followTime(true));
on("seek", followTurns);
on("playing", showPlaying);
on("video", showBoxesState);
on("video", drawStage);
on("lanes", showLanes);
on("filter", applyFilters);
on("theme", drawStage);
on("theme", showLanes);
on("names", () => {
  showNames();
  showFilters();
  turnsRows.replaceChildren();
  emit("time");
});

showSummary();
setUpTheme();
setUpStage();
setUpNames();
setUpLanes();
setUpTurns();
setUpFilters();
setUpKeys();
setUpPlayer();
emit("filter");

// For scripts and tests: what the page shows.
window.asdReport = {
  ready: unpackAll().then(() => {
    emit("lanes");
    drawStage();
  }),
  state,
  seek,
  drawn,
  boxes: () => {
    const { left, top } = stage.getBoundingClientRect();
    return boxesNow().map(({ track, speaking, x, y, width, height }) => (
      { track: track.id, name: nameOf(track.person), speaking, x: left + x, y: top + y, width, height }
    ));
  },
  get source() { return source; },
};
