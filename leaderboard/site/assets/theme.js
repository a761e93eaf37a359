"use strict";
(() => {
  const root = document.documentElement;
  const themes = ["auto", "light", "dark"];
  // A browser may forbid storage to a page opened from a file; the choice then lasts for the page.
  const store = (() => { try { return window.localStorage; } catch { return null; } })();
  let theme = themes.includes(store?.getItem("theme")) ? store.getItem("theme") : "auto";
  const apply = () => {
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
  };
  apply();
  root.classList.add("scripted");
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("#theme");
    const name = button.querySelector("span");
    const show = () => { name.textContent = button.dataset[theme]; };
    show();
    button.addEventListener("click", () => {
      theme = themes[(themes.indexOf(theme) + 1) % themes.length];
      store?.setItem("theme", theme);
      apply();
      show();
    });
  });
})();
