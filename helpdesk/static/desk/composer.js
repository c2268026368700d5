/* The draft is saved two seconds after a pause; canned replies and pictures come in at the cursor; Ctrl+Enter sends. */
const PAUSE = 2_000;

function drafts(form) {
  const text = form.elements.body;
  const said = form.querySelector("[data-saved]");
  let timer = 0;
  let saving = null;

  async function save() {
    const request = { method: "POST", body: writing(form), headers: { Accept: "application/json" }, redirect: "error" };
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

/* Files go to the draft as soon as they are chosen, pasted or dropped; a picture is named where the cursor is. */
function files(form, later) {
  const input = form.elements.files;
  const said = document.getElementById(`${input.id}-chosen`);
  const bar = form.querySelector("progress");
  let onTheirWay = 0;

  const fits = (file) => file.size <= Number(input.dataset.maxBytes);

  function send(chosen) {
    const large = chosen.filter((file) => !fits(file)).map((file) => file.name);
    said.textContent = large.length ? `${large.join(", ")}: ${input.dataset.tooLarge}` : "";
    const good = chosen.filter(fits);
    if (!good.length) return;
    const request = new XMLHttpRequest();
    const data = writing(form);
    good.forEach((file) => data.append("files", file, file.name));
    request.upload.addEventListener("progress", (event) => { bar.value = event.loaded / event.total; });
    request.responseType = "json";
    request.addEventListener("load", () => (request.response && request.response.files !== undefined ? keep(request.response) : fail(good)));
    request.addEventListener("error", () => fail(good));
    request.addEventListener("loadend", () => { onTheirWay -= 1; bar.hidden = !onTheirWay; });
    onTheirWay += 1;
    bar.hidden = false;
    request.open("POST", form.dataset.draft);
    request.setRequestHeader("Accept", "application/json");
    request.send(data);
  }

  function keep(answer) {
    form.querySelector("[data-files]").innerHTML = answer.files;
    askAgain(form);
    form.querySelector("[data-saved]").textContent = `Saved ${answer.saved}`;
    said.textContent = [said.textContent, ...answer.problems].join(" ").trim();
    later(); // what was written since the file set out
  }

  function fail(good) {
    const again = new DataTransfer();
    [...input.files, ...good].forEach((file) => again.items.add(file));
    input.files = again.files;
    said.textContent = `${good.map((file) => file.name).join(", ")} will go along with the text.`;
  }

  function take(event, transfer) {
    const found = [...(transfer ? transfer.files : [])];
    // Office programs add a picture of what is copied as text.
    if (!found.length || (event.type === "paste" && transfer.types.includes("text/plain"))) return;
    event.preventDefault();
    const named = event.type === "paste" ? found.map(pasted) : found;
    const text = form.elements.body;
    named.filter((file) => fits(file) && file.type.startsWith("image/")).forEach((file) =>
      text.setRangeText(`![](${encodeURIComponent(file.name)})`, text.selectionStart, text.selectionEnd, "end"));
    later();
    send(named);
  }

  input.addEventListener("change", () => {
    const chosen = [...input.files];
    input.value = "";
    send(chosen);
  });
  form.addEventListener("paste", (event) => take(event, event.clipboardData));
  form.addEventListener("drop", (event) => { form.classList.remove("takes-files"); take(event, event.dataTransfer); });
  form.addEventListener("dragleave", () => form.classList.remove("takes-files"));
  form.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    form.classList.add("takes-files");
  });
  form.addEventListener("submit", (event) => {
    if (!onTheirWay) return;
    event.preventDefault();
    said.textContent = "The files are still on their way. Send it once more when they are there.";
  });
}

/* What was asked about a reply without a file holds no more: the question goes, and is asked anew when it is sent. */
function askAgain(form) {
  if (!form.elements.sure) return;
  document.querySelector("[data-doubt]")?.remove();
  form.elements.sure.remove();
  const send = form.querySelector("[data-send]");
  send.lastChild.textContent = send.lastChild.textContent.replace(" anyway", "");
}

const pasted = (file, index) => {
  const moment = new Date().toTimeString().slice(0, 8).replaceAll(":", "");
  const name = `picture-${moment}${index ? `-${index}` : ""}.${file.type.split("/").pop()}`;
  return file.type.startsWith("image/") ? new File([file], name, { type: file.type }) : file;
};

function writing(form) {
  const data = new FormData();
  for (const name of ["csrf_token", "kind", "body"]) data.set(name, form.elements[name].value);
  return data;
}

for (const form of document.querySelectorAll(".composer form")) {
  const later = drafts(form);
  cannedReplies(form, later);
  files(form, later);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.querySelector("[data-send]").click();
  });
}
