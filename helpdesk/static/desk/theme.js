/* Light, dark, or as the system likes it; remembered on this device. Runs before the page is drawn. */
(() => {
  const root = document.documentElement;
  const chosen = () => localStorage.getItem("theme") || "";
  const show = (theme) => {
    if (theme) root.dataset.bsTheme = theme;
    else delete root.dataset.bsTheme;
  };
  try { show(chosen()); } catch { return; }

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    if (!button) return;
    const order = ["", "light", "dark"];
    const names = { "": "as the system", light: "light", dark: "dark" };
    const name = () => { button.ariaLabel = button.title = `Colours: ${names[chosen()]}`; };
    button.hidden = false;
    name();
    button.addEventListener("click", () => {
      const next = order[(order.indexOf(chosen()) + 1) % order.length];
      localStorage.setItem("theme", next);
      show(next);
      name();
    });
  });
})();
