(() => {
  "use strict";
  const root = document.documentElement, tip = document.getElementById("tip"), button = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const kept = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const keep = theme => { try { localStorage.setItem("theme", theme); } catch { /* a file: page may have no storage */ } };
  const show = theme => { root.dataset.theme = theme; button.textContent = theme === "dark" ? "light" : "dark"; };
  show(kept() || (dark.matches ? "dark" : "light"));
  dark.addEventListener("change", () => { if (!kept()) show(dark.matches ? "dark" : "light"); });
  button.hidden = false;
  button.addEventListener("click", () => { show(button.textContent); keep(root.dataset.theme); });
  for (const title of document.querySelectorAll("[data-tip] > title")) title.remove();
  document.addEventListener("pointermove", event => {
    const target = event.target.closest("[data-tip]");
    tip.hidden = !target;
    if (!target) return;
    tip.textContent = target.dataset.tip;
    const box = tip.getBoundingClientRect(), right = event.clientX + 16 + box.width < innerWidth;
    tip.style.left = Math.max(4, right ? event.clientX + 16 : event.clientX - box.width - 16) + "px";
    tip.style.top = Math.max(4, Math.min(event.clientY + 12, innerHeight - box.height - 8)) + "px";
  });
})();
