/* The search box says how what is written could go on: arrows choose, Enter or Tab takes, Escape leaves it. */
const box = document.getElementById("q");
const list = document.getElementById("suggestions");
const PAUSE = 120;
let shown = [];
let at = -1;
let waiting = 0;

function show(found) {
  shown = found;
  list.replaceChildren(...found.map(({ part, says }, index) => {
    const item = document.createElement("li");
    item.id = `suggestion-${index}`;
    item.role = "option";
    item.append(Object.assign(document.createElement("code"), { textContent: part }), ` ${says}`);
    item.addEventListener("mousedown", (event) => { event.preventDefault(); take(index); });
    return item;
  }));
  choose(-1);
  list.hidden = !found.length;
  box.setAttribute("aria-expanded", String(Boolean(found.length)));
}

function choose(index) {
  at = index;
  [...list.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === at)));
  if (at < 0) box.removeAttribute("aria-activedescendant");
  else box.setAttribute("aria-activedescendant", `suggestion-${at}`);
}

function take(index) {
  box.value = shown[index].text;
  show([]);
  if (box.value.endsWith(":")) ask();
}

async function ask() {
  const asked = box.value;
  if (box.selectionStart !== asked.length || !asked.trim()) return show([]);
  const answer = await fetch(`${box.dataset.suggestions}?q=${encodeURIComponent(asked)}`, { redirect: "error" });
  if (answer.ok && box.value === asked && document.activeElement === box) show(await answer.json());
  return undefined;
}

const keys = {
  ArrowDown: () => choose((at + 1) % shown.length),
  ArrowUp: () => choose((at < 1 ? shown.length : at) - 1),
  Escape: () => show([]),
  Enter: () => (at < 0 ? false : take(at)),
  Tab: () => (at < 0 ? false : take(at)),
};

box.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => ask().catch(() => show([])), PAUSE);
});
box.addEventListener("blur", () => show([]));
box.addEventListener("keydown", (event) => {
  if (list.hidden || !keys[event.key] || event.isComposing) return;
  if (keys[event.key]() !== false) event.preventDefault();
});
