// Comfort for the reader forms; everything works without it.

const STORE = "helpdesk-text:";
const KEPT = "textarea, input[type=text], input[type=email], input[type=radio]";

document.querySelector("[data-problem]")?.focus();
document.querySelectorAll("textarea[data-most]").forEach(countCharacters);
document.querySelectorAll("input[type=file]").forEach(listFiles);
if (document.querySelector("[data-sent]")) forgetAll();
document.querySelectorAll("form[data-keep]").forEach(keepText);

function countCharacters(area) {
  const most = Number(area.dataset.most);
  const hint = document.getElementById(`${area.name}-hint`);
  const line = hint.cloneNode();
  line.id = `${area.name}-count`;
  line.setAttribute("role", "status");
  area.after(line);
  const show = () => {
    const left = most - area.value.length;
    line.textContent = left > most / 10 ? "" : left < 0 ? `${-left} characters too many` : `${left} characters left`;
    line.className = left < 0 ? "wrong" : "hint";
  };
  area.addEventListener("input", show);
  show();
}

function listFiles(input) {
  const list = input.parentElement.querySelector("[data-files]");
  input.addEventListener("change", () => {
    list.replaceChildren(...[...input.files].map((file) => {
      const item = document.createElement("li");
      item.textContent = `${file.name} (${Math.max(1, Math.round(file.size / 1024))} kB)`;
      return item;
    }));
  });
}

function keepText(form) {
  const key = STORE + form.dataset.keep;
  const isPrivate = () => "private" in form.dataset || form.querySelector("[data-private]:checked");
  restore(form, key);
  form.addEventListener("input", () => {
    if (isPrivate()) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(typed(form)));
  });
}

function typed(form) {
  const fields = [...form.querySelectorAll(KEPT)].filter((field) => field.name !== "website");
  return fields.filter((field) => field.type !== "radio" || field.checked).map((field) => [field.name, field.value]);
}

function restore(form, key) {
  if (document.querySelector("[data-problem]")) return; // the page already has everything
  for (const [name, value] of JSON.parse(sessionStorage.getItem(key) ?? "[]")) {
    for (const field of form.querySelectorAll(KEPT)) {
      if (field.name !== name) continue;
      if (field.type === "radio") field.checked = field.value === value;
      else if (!field.value) field.value = value;
    }
  }
}

function forgetAll() {
  for (const key of Object.keys(sessionStorage)) if (key.startsWith(STORE)) sessionStorage.removeItem(key);
}
