/* Single keys. Loaded only for those who want them; never while writing, never with Ctrl, Alt or Meta. */
const $ = (selector) => document.querySelector(selector);
const rows = [...document.querySelectorAll("main .rows > [data-row]")];
const lists = { u: "unassigned", m: "mine", o: "open", p: "pending" };
const isTicket = Boolean($(".ticket-page"));
let at = rows.findIndex((row) => row.classList.contains("is-current"));
let waitsForList = 0;

const isWriting = (element) =>
  element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName) && element.type !== "radio";

function move(step) {
  if (isTicket) return $(step > 0 ? "[data-next]" : "[data-previous]")?.click();
  if (!rows.length) return undefined;
  at = Math.min(Math.max(at + step, 0), rows.length - 1);
  rows.forEach((row, index) => row.classList.toggle("is-selected", index === at));
  const link = rows[at].querySelector(".row-subject");
  link.focus({ preventScroll: true });
  return rows[at].scrollIntoView({ block: "nearest" });
}

function write(kind) {
  const tab = document.getElementById(`as-${kind}`);
  const text = document.getElementById(`${kind}-body`);
  if (!tab || !text) return;
  tab.checked = true;
  text.focus();
}

function close() {
  const menu = $("[data-close]");
  if (!menu) return;
  menu.open = true;
  menu.querySelector("button").focus();
}

function ask() {
  const dialog = document.getElementById("keys");
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

const verbs = {
  j: () => move(1),
  k: () => move(-1),
  o: () => (isTicket ? undefined : rows[at]?.querySelector(".row-subject").click()),
  r: () => write("reply"),
  n: () => write("note"),
  a: () => $("[data-take]")?.requestSubmit(),
  e: close,
  E: () => $("[data-close-next]")?.click(),
  z: () => ["now", "reply", "earlier"].map((age) => $(`[data-undo=${age}]`)).find(Boolean)?.click(),
  "/": () => $("#q").focus(),
  "?": ask,
  g: () => { waitsForList = Date.now(); },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || isWriting(event.target)) return;
  if (document.querySelector("dialog[open]") && event.key !== "?") return;
  const list = Date.now() - waitsForList < 1500 && lists[event.key];
  waitsForList = 0;
  const verb = list ? () => $(`[data-go=${list}]`).click() : verbs[event.key];
  if (!verb) return;
  event.preventDefault();
  verb();
});
