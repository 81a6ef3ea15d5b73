// The link to the server: lines and pictures by a WebSocket, made again whenever it is lost.

const KEPT_AS = `asdkit-live-token ${location.host}`;
const HEADER = 16; // bytes before the JPEG of a picture
const WAITS_MS = [300, 600, 1200, 2400, 4000];

/** The token, of the address or as kept by this tab; the address loses it. */
function token() {
  const here = new URL(location.href);
  const given = here.searchParams.get("token");
  if (given === null) return sessionStorage.getItem(KEPT_AS) ?? "";
  sessionStorage.setItem(KEPT_AS, given);
  here.searchParams.delete("token");
  history.replaceState(null, "", here);
  return given;
}

/**
 * Listen, for as long as the page is open.
 *
 * @param heard.about what the server says of itself, each time that it is found
 * @param heard.line called with the values of each line
 * @param heard.picture called with the time, the width and height that boxes refer to, and a JPEG
 * @param heard.link called with "open", "gone" or "refused", and the words of a refusal
 */
export async function listen(heard) {
  const secret = token();
  for (let failed = 0; ; failed += 1) {
    const [status, words] = await asked(secret);
    if ([401, 403].includes(status)) {
      heard.link("refused", words.trim());
      return;
    }
    if (status === 200) {
      heard.about(JSON.parse(words).about);
      if (await listenOnce(secret, heard)) failed = 0;
    }
    heard.link("gone");
    await new Promise((wake) => setTimeout(wake, WAITS_MS[Math.min(failed, WAITS_MS.length - 1)]));
  }
}

/** What the server answers: a status and words; the status 0 if it cannot be reached. */
async function asked(secret) {
  try {
    const answer = await fetch("state", { headers: { Authorization: `Bearer ${secret}` } });
    return [answer.status, await answer.text()];
  } catch {
    return [0, ""];
  }
}

/** Listen until the connection is lost; whether there was one. */
function listenOnce(secret, heard) {
  return new Promise((over) => {
    let was = false;
    const socket = new WebSocket(`ws://${location.host}/ws?pictures=1&token=${encodeURIComponent(secret)}`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      was = true;
      heard.link("open");
    };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") heard.line(JSON.parse(data));
      else heard.picture(...unpacked(data));
    };
    socket.onclose = () => over(was);
  });
}

function unpacked(buffer) {
  const view = new DataView(buffer);
  const jpeg = new Blob([buffer.slice(HEADER)], { type: "image/jpeg" });
  return [view.getFloat64(0, true), view.getUint32(8, true), view.getUint32(12, true), jpeg];
}
