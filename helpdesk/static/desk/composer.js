/* The draft is saved two seconds after a pause; canned replies come in at the cursor; Ctrl+Enter sends. */
const PAUSE = 2_000;

function drafts(form) {
  const text = form.elements.body;
  const said = form.querySelector("[data-saved]");
  let timer = 0;
  let saving = null;

  async function save() {
    const data = new FormData();
    for (const name of ["csrf_token", "kind", "body"]) data.set(name, form.elements[name].value);
    const request = { method: "POST", body: data, headers: { Accept: "application/json" }, redirect: "error" };
    try {
      const answer = await fetch(form.dataset.draft, request);
      if (!answer.ok) throw new Error(answer.statusText);
      said.textContent = `Saved ${(await answer.json()).saved}`;
    } catch {
      said.textContent = "Not saved. Keep this page open.";
    }
    saving = null;
  }

  const later = () => {
    clearTimeout(timer);
    said.textContent = "";
    timer = setTimeout(() => (saving = save()), PAUSE);
  };
  text.addEventListener("input", later);
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    if (!saving) return;
    // A draft that arrives after the reply would stand there as if it had never been sent.
    event.preventDefault();
    saving.then(() => form.requestSubmit(event.submitter));
  });
  form.querySelector("[data-save]").hidden = true;
  return later;
}

function cannedReplies(form, later) {
  const select = form.querySelector("[data-canned]");
  if (!select) return;
  const text = form.elements.body;
  form.querySelector("[data-insert]").addEventListener("click", async (event) => {
    if (!select.value) return;
    event.preventDefault();
    const answer = await fetch(select.dataset.canned.replace("/0", `/${select.value}`));
    if (!answer.ok) return;
    text.focus();
    text.setRangeText((await answer.json()).text, text.selectionStart, text.selectionEnd, "end");
    select.value = "";
    later();
  });
}

function files(form) {
  const input = form.elements.files;
  input.addEventListener("change", () => {
    const names = [...input.files].map((file) => file.name);
    document.getElementById(`${input.id}-chosen`).textContent = names.join(", ");
  });
}

for (const form of document.querySelectorAll(".composer form")) {
  const later = drafts(form);
  cannedReplies(form, later);
  files(form);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.querySelector("[data-send]").click();
  });
}
