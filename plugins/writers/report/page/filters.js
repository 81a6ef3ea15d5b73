// Filters: one person, one shot, only who speaks.

function showFilters() {
  const choice = byId("filter-person");
  choice.replaceChildren(element("option", { value: "" }, "Everybody"));
  for (const person of people) {
    choice.append(element("option", { value: String(person.number) }, nameOf(person)));
  }
  choice.value = state.person === null ? "" : String(state.person);
  byId("filter-shot").value = state.shot === null ? "" : String(state.shot);
  byId("filter-speaking").checked = state.speakingOnly;
}

function applyFilters() {
  showFilters();
  chooseLanes();
  chooseTurns();
  byId("heads").replaceChildren();
  byId("nobody").hidden = lanes.length > 0;
  if (!people.length) byId("nobody").textContent = "No face was found. “About this result” says more.";
  fitAgain();
  showTurns();
  emit("time");
}

function setUpFilters() {
  const shots = byId("filter-shot");
  shots.append(element("option", { value: "" }, "All"));
  for (const [number, [first]] of data.shots.entries()) {
    shots.append(element("option", { value: String(number) }, `${number + 1} · ${clock(first / FPS, 1)}`));
  }
  const numberOf = (choice) => (choice.value === "" ? null : Number(choice.value));
  byId("filter-person").addEventListener("change", (event) => {
    state.person = numberOf(event.target);
    emit("filter");
  });
  shots.addEventListener("change", () => {
    state.shot = numberOf(shots);
    emit("filter");
    if (state.shot === null) zoomToFit();
    else goToShot(data.shots[state.shot]);
  });
  byId("filter-speaking").addEventListener("change", (event) => {
    state.speakingOnly = event.target.checked;
    emit("filter");
  });
}

function goToShot([first, end]) {
  zoomToTimes(first / FPS, end / FPS);
  const frame = frameAt(state.time);
  if (frame < first || frame >= end) seek(first / FPS);
}
