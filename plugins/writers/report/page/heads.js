// The names of the lanes: a picture, a name to edit, how long this person speaks.

function showHeads() {
  const heads = byId("heads");
  heads.style.width = narrow.matches ? `${scroller.clientWidth}px` : `${headWidth()}px`;
  heads.style.height = `${lanes.length * laneHeight()}px`;
  const from = scroller.scrollTop;
  keepRows(heads, lanes, laneHeight(), from, from + scroller.clientHeight, makeHead);
  for (const head of heads.children) {
    const lit = isLit(head.row);
    head.style.height = `${laneHeight()}px`;
    head.classList.toggle("lit", lit);
    head.querySelector(".talks").textContent = lit ? ", speaking now" : "";
  }
}

function makeHead(lane, number) {
  const talks = element("span", { className: "talks hidden" });
  const head = element("li", {
    className: `head ${lane.kind}`,
    "aria-setsize": String(lanes.length),
    "aria-posinset": String(number + 1),
  });
  if (!lane.person) {
    const words = element("span", { className: "words" });
    words.append(element("span", { className: "name", dir: "auto" }, lane.label), talks);
    words.append(element("span", { className: "share" }, `${duration(total(lane.spans))} · ${lane.what}`));
    head.append(element("span", { className: `dot ${lane.kind}`, "aria-hidden": "true" }), words);
    return head;
  }
  const { person } = lane;
  const spoken = total(person.speaking);
  const turns = person.speaking.length === 1 ? "1 turn" : `${person.speaking.length} turns`;
  const share = spoken ? `${duration(spoken)} · ${turns}` : "never speaks";
  const words = element("span", { className: "words" });
  words.append(nameField(person), element("span", { className: "share" }, share), talks);
  head.append(avatar(person), words, soloButton(person));
  return head;
}

function nameField(person) {
  const field = element("input", {
    className: "name",
    dir: "auto",
    type: "text",
    value: nameOf(person),
    placeholder: person.label,
    spellcheck: false,
    autocomplete: "off",
    "aria-label": `Name of ${person.label}`,
  });
  field.person = person;
  field.addEventListener("focus", () => field.select());
  field.addEventListener("input", () => rename(person, field.value));
  field.addEventListener("blur", () => { field.value = nameOf(person); });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") field.blur();
    if (event.key === "Escape") {
      rename(person, "");
      field.blur();
    }
  });
  return field;
}

function soloButton(person) {
  const button = element("button", {
    type: "button",
    className: "solo",
    "aria-pressed": String(state.person === person.number),
    "aria-label": `Only ${person.label}`,
    title: "Show only this person",
  }, "Only");
  button.addEventListener("click", () => {
    state.person = state.person === person.number ? null : person.number;
    emit("filter");
  });
  return button;
}

/** After a change of names: the fields show them, but not the one being typed in. */
function showNames() {
  for (const field of document.querySelectorAll("input.name")) {
    if (field !== document.activeElement) field.value = nameOf(field.person);
  }
}
