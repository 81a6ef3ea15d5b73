// Names that the reader gives to people: shown at once, saved to a file that asd write reads.

const NAMES_SCHEMA = "asdkit.names/1";
const names = new Map(); // by key, the name of a track in the result
let unsaved = false;

/** What a person is called on the page. */
function nameOf(person) {
  return names.get(person.keys[0]) ?? person.label;
}

/** Rename a person; an empty name is the old one, and so is that of whoever is not seen. */
function rename(person, name) {
  const text = name.trim();
  const wanted = text.replaceAll(" ", "_").toLowerCase() === "off_screen" ? "" : text;
  for (const key of person.keys) {
    if (wanted && wanted !== person.label) names.set(key, wanted);
    else names.delete(key);
  }
  setUnsaved(true);
  emit("names");
}

function setUnsaved(now) {
  unsaved = now;
  byId("names-save").classList.toggle("primary", now);
}

function namesFile() {
  return { schema: NAMES_SCHEMA, names: Object.fromEntries(names) };
}

function saveNames() {
  const text = `${JSON.stringify(namesFile(), null, 1)}\n`;
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  element("a", { href: url, download: "names.json" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
  setUnsaved(false);
  say("names.json saved: asd write RESULT names=names.json overwrite=true puts them into all outputs.");
}

/** Take over the names of a file; says what is wrong with one that holds none. */
function takeNames(text) {
  let found = null;
  try {
    found = JSON.parse(text);
  } catch {
    // told below
  }
  if (found?.schema !== NAMES_SCHEMA || typeof found.names !== "object" || !found.names) {
    say(`This is no file of names: it should begin with {"schema": "${NAMES_SCHEMA}", "names": {`);
    return;
  }
  const known = new Set(people.flatMap((person) => person.keys));
  const entries = Object.entries(found.names).filter(([, name]) => typeof name === "string");
  const fitting = entries.filter(([key]) => known.has(key));
  names.clear();
  for (const [key, name] of fitting) names.set(key, name);
  setUnsaved(false);
  emit("names");
  const others = entries.length - fitting.length;
  say(`${fitting.length} names read${others ? `; ${others} are of nobody here` : ""}.`);
}

function setUpNames() {
  const file = byId("names-file");
  byId("names-save").addEventListener("click", saveNames);
  byId("names-open").addEventListener("click", () => file.click());
  file.addEventListener("change", async () => {
    if (file.files.length) takeNames(await file.files[0].text());
    file.value = "";
  });
  window.addEventListener("beforeunload", (event) => {
    if (unsaved) event.preventDefault();
  });
}
