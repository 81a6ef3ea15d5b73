// Light and dark: as the system has it, until the reader chooses.

const THEMES = ["auto", "light", "dark"];
const KEPT_AS = "asdkit-report-theme";
const PAINTED = {
  visible: "--visible", speaking: "--speaking", curve: "--curve", offScreen: "--off-screen", speech: "--speech",
  line: "--line", lit: "--lit", panel: "--panel", faint: "--faint", shot: "--shot",
  boxSpeaking: "--box-speaking", boxSilent: "--box-silent",
};
const colours = {}; // of PAINTED, as canvases take them
let theme = "auto";

function readColours() {
  const probe = element("span", { className: "hidden" });
  document.body.append(probe);
  for (const [name, property] of Object.entries(PAINTED)) {
    probe.style.color = `var(${property})`;
    colours[name] = getComputedStyle(probe).color;
  }
  probe.remove();
}

function setTheme(chosen) {
  theme = THEMES.includes(chosen) ? chosen : "auto";
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  byId("theme").textContent = `Theme: ${theme}`;
  readColours();
  emit("theme");
}

function switchTheme() {
  setTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]);
  try {
    localStorage.setItem(KEPT_AS, theme);
  } catch {
    // some browsers keep nothing for pages from the file system
  }
}

function setUpTheme() {
  let kept = "auto";
  try {
    kept = localStorage.getItem(KEPT_AS) ?? "auto";
  } catch {
    // as above
  }
  setTheme(kept);
  byId("theme").addEventListener("click", switchTheme);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTheme(theme));
}
