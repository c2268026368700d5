/* Menus close on Escape and on a click elsewhere; the last message is in view; “Set” appears once there is something to set; “Copy” copies. */
const openMenus = () => document.querySelectorAll("details.menu[open]");

document.addEventListener("click", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  if (location.hash === "#menu") location.hash = "main";
});

const current = document.querySelector(".pane-list .is-current");
if (current) current.closest(".pane-list").scrollTop = current.offsetTop - 140;

const thread = document.getElementById("thread");
if (thread && !location.hash && thread.scrollHeight > thread.clientHeight) {
  const last = [...thread.querySelectorAll(".message")].pop();
  if (last) thread.scrollTop = last.offsetTop - thread.offsetTop - 16;
}

for (const select of document.querySelectorAll("[data-set]")) {
  const button = select.parentElement.querySelector("button");
  button.hidden = true;
  select.addEventListener("change", () => { button.hidden = false; });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    field.select(); // where the clipboard is closed to scripts, what is selected can still be copied by hand
    await navigator.clipboard.writeText(field.value);
    document.getElementById(`${field.id}-copied`).textContent = "Copied.";
  });
}
