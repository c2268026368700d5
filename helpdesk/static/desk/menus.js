/* Menus close on Escape and on a click elsewhere; facts are set as soon as a choice is made with the pointer. */
const menus = () => document.querySelectorAll("details.menu[open]");

document.addEventListener("click", (event) => {
  for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  if (location.hash === "#menu") location.hash = "main";
});

const current = document.querySelector(".pane-list .is-current");
if (current) current.parentElement.parentElement.scrollTop = current.offsetTop - 120;

const thread = document.getElementById("thread");
if (thread && !location.hash && thread.scrollHeight > thread.clientHeight) {
  const last = thread.querySelector(".message:last-of-type");
  if (last) thread.scrollTop = last.offsetTop - thread.offsetTop - 16;
}
