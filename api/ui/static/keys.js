// Work by keyboard: / searches, j/k move, Enter opens, c takes, r gives back, g and a letter goes, ? explains.

const help = document.getElementById("help");
const opener = document.getElementById("help-open");
const wanted = document.getElementById("keys-on");
const OFF = "phis-keys-off"; // single letters disturb whoever works by voice, so they can be switched off
const PATIENCE = 1500; // ms between g and its letter

const rows = () => [...document.querySelectorAll("main .row")];
const current = () => document.activeElement?.closest?.("main .row");
let going = 0; // when g was pressed

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(current());
  const next = at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + step));
  all[next].focus();
  all[next].scrollIntoView({ block: "nearest" });
}

// While the help is open the list may have been brought anew, and the row that had the focus is gone: its successor has
// the same id.
function explain() {
  const row = current()?.id;
  help.addEventListener("close", () => row && document.getElementById(row)?.focus(), { once: true });
  for (const line of help.querySelectorAll("[data-with]")) line.hidden = !document.querySelector(`main ${line.dataset.with}`);
  help.showModal();
}

function press(act) {
  current()?.querySelector(`button[data-act="${act}"]`)?.click();
}

function search() {
  const field = document.querySelector("main .search input");
  field?.focus();
  field?.select();
  return Boolean(field);
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  c: () => press("claim"),
  r: () => press("release"),
  g: () => (going = Date.now()),
  "/": search,
  "?": explain,
};

function typing(target) {
  return target.closest("input, select, textarea, [contenteditable]");
}

function go(letter) {
  const link = [...document.querySelectorAll("[data-go]")].find((each) => each.dataset.go === letter);
  link?.click();
  return Boolean(link);
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open || !wanted.checked || typing(event.target)) return;
  const went = Date.now() - going < PATIENCE && go(event.key);
  going = 0;
  if (went) {
    event.preventDefault();
  } else if (event.key === "Enter" && event.target.matches(".row")) {
    event.target.querySelector("a.open").click();
  } else if (keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
}

if (help) {
  opener.hidden = false;
  wanted.checked = localStorage.getItem(OFF) === null;
  wanted.addEventListener("change", () =>
    wanted.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1"),
  );
  opener.addEventListener("click", explain);
  document.addEventListener("keydown", pressed);
}
