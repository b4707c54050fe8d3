// What colleagues change appears by itself: the server says which topic changed, htmx fetches that part of the page
// with the viewer's own rights. Without htmx or this file the page works and simply shows the moment it was opened.

const address = document.body.dataset.live;
const lost = document.getElementById("lost");
const GATHER = 300; // ms: a burst of changes is one refresh

let stream = null;
let waiting = new Set();
let timer = 0;
let missed = true; // also at first: between the page and its stream something may have changed

function refresh() {
  timer = 0;
  const topics = waiting;
  waiting = new Set();
  for (const topic of topics) {
    window.htmx?.trigger(document.body, `phis:${topic}`);
  }
}

function changed(topic) {
  waiting.add(topic);
  timer ||= setTimeout(refresh, GATHER);
}

function open() {
  if (stream || document.hidden) return;
  stream = new EventSource(address);
  stream.addEventListener("changed", (event) => changed(event.data));
  // Whatever happened while nobody listened is fetched once the stream stands.
  stream.addEventListener("open", () => {
    if (lost) lost.hidden = true;
    if (missed) ["worklist", "journal"].forEach(changed);
    missed = false;
  });
  stream.addEventListener("error", () => {
    missed = true;
    if (lost) lost.hidden = false;
    if (stream && stream.readyState === EventSource.CLOSED) {
      stream = null;
      setTimeout(open, 5000);
    }
  });
}

function close() {
  stream?.close();
  stream = null;
  missed = true;
}

if (address && window.htmx) {
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  open();
}
