// The worklist by keyboard: j/k move, Enter opens, c takes, r gives back, ? explains.

const help = document.getElementById("help");
const opener = document.getElementById("help-open");
const wanted = document.getElementById("keys-on");
const OFF = "phis-keys-off"; // single letters disturb whoever works by voice, so they can be switched off
const rows = () => [...document.querySelectorAll("#worklist .row")];
const current = () => document.activeElement?.closest?.("#worklist .row");

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
  help.showModal();
}

function press(act) {
  current()?.querySelector(`button[data-act="${act}"]`)?.click();
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  c: () => press("claim"),
  r: () => press("release"),
  "?": explain,
};

function typing(target) {
  return target.closest("input, select, textarea, [contenteditable]");
}

if (document.getElementById("worklist")) {
  opener.hidden = false;
  wanted.checked = localStorage.getItem(OFF) === null;
  wanted.addEventListener("change", () =>
    wanted.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1"),
  );
  opener.addEventListener("click", explain);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open || typing(event.target)) return;
    if (!wanted.checked) return;
    if (event.key === "Enter" && event.target.matches(".row")) {
      event.target.querySelector("a.open").click();
    } else if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });
}
