/* Asks every 20 seconds whether something is new, and says so in a bar; nothing on the page moves by itself. */
const EVERY = 20_000;
const bar = document.getElementById("news");

async function ask() {
  if (document.hidden) return;
  const answer = await fetch(bar.dataset.url, { headers: { Accept: "application/json" }, redirect: "error" });
  if (!answer.ok) return;
  const { new: count } = await answer.json();
  if (!count) return;
  const words = count === 1 ? bar.dataset.one : bar.dataset.many;
  const link = bar.querySelector("a");
  const text = `${count} ${words} – show`;
  if (link.textContent !== text) link.textContent = text;
  bar.hidden = false;
}

if (bar) {
  const again = () => ask().catch(() => {});
  setInterval(again, EVERY);
  document.addEventListener("visibilitychange", again);
}
