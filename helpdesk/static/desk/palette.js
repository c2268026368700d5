/* Ctrl+K: every action of this page by its name. A choice such as the topic is a second level; Escape goes back. */
const dialog = document.getElementById("palette");
const box = document.getElementById("palette-text");
const list = document.getElementById("palette-actions");
const MOST = 60;
const PLACES = [".composer", ".verbs", ".steps", ".facts", ".flashes", ".page-head", ".side", ".menu-panel"];
let actions = [];
let shown = [];
let at = 0;
let inside = null;

const nameOf = (element) =>
  (element.getAttribute("aria-label") || element.innerText || element.textContent).replace(/\s+/g, " ").trim();

const isThere = (element) =>
  !element.disabled && !element.closest("[hidden]") && (element.checkVisibility() || element.closest("details, .side"));

function pressed(element) {
  const menu = element.closest("details.menu");
  const verb = menu && !menu.matches(".is-right") ? `${nameOf(menu.querySelector("summary"))}: ` : "";
  return { name: verb + nameOf(element), run: () => element.click() };
}

function written(label) {
  const text = document.getElementById(label.htmlFor.replace("as-", "") + "-body");
  return { name: nameOf(label), run: () => { label.click(); if (text) text.focus(); } };
}

function chosen(select) {
  const label = nameOf(select.labels[0]).replace(/…$/, "");
  const isCanned = "canned" in select.dataset;
  const options = [...select.options].filter((option) => !option.selected).map((option) => ({
    name: option.text,
    run: () => {
      select.value = option.value;
      if (isCanned) select.parentElement.querySelector("[data-insert]").click();
      else select.form.requestSubmit();
    },
  }));
  return { name: `${isCanned ? "Insert" : "Set"} ${label.toLowerCase()}…`, options };
}

function gather() {
  const makers = { SELECT: chosen, LABEL: written };
  const found = PLACES.flatMap((place) =>
    [...document.querySelectorAll(`${place} :is(button, a[href], select, label[for^=as-])`)]);
  return [...new Set(found)]
    .filter((one) => isThere(one) && !one.matches("[data-set] + button, [data-insert], .side-close"))
    .map((one) => (makers[one.tagName] || pressed)(one))
    .filter((one) => one.name && (!one.options || one.options.length));
}

function fitting(words) {
  const known = inside ? inside.options : actions;
  const deep = inside || !words.length ? [] : actions.flatMap(({ name, options }) =>
    (options || []).map((option) => ({ ...option, name: `${name.replace("…", "")}: ${option.name}` })));
  const fits = ({ name }) => words.every((word) => name.toLowerCase().includes(word));
  return [...known, ...deep].filter(fits).slice(0, MOST);
}

function show() {
  shown = fitting(box.value.toLowerCase().split(/\s+/).filter(Boolean));
  list.replaceChildren(...shown.map(({ name }, index) => {
    const item = Object.assign(document.createElement("li"), { id: `action-${index}`, textContent: name });
    item.role = "option";
    item.addEventListener("click", () => run(index));
    return item;
  }));
  document.getElementById("palette-none").hidden = shown.length > 0;
  choose(0);
}

function choose(index) {
  at = index;
  [...list.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === at)));
  if (list.children[at]) list.children[at].scrollIntoView({ block: "nearest" });
  box.setAttribute("aria-activedescendant", shown.length ? `action-${at}` : "");
}

function enter(action) {
  inside = action;
  box.value = "";
  box.setAttribute("aria-label", action ? action.name : "What to do");
  show();
}

function run(index) {
  const action = shown[index];
  if (!action) return;
  if (action.options) { enter(action); return; }
  dialog.close();
  action.run();
}

const keys = {
  ArrowDown: () => choose((at + 1) % shown.length || 0),
  ArrowUp: () => choose((at || shown.length) - 1),
  Enter: () => run(at),
};

box.addEventListener("input", show);
box.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const back = inside && (event.key === "Escape" || (event.key === "Backspace" && !box.value));
  if (!back && !keys[event.key]) return;
  event.preventDefault();
  if (back) enter(null);
  else if (shown.length) keys[event.key]();
});
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
  event.preventDefault();
  if (dialog.open) { dialog.close(); return; }
  if (document.querySelector("dialog[open]")) return;
  actions = gather();
  enter(null);
  dialog.showModal();
});
