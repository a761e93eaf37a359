"use strict";
(() => {
  // Sort and filter stand in the address, so that a view can be sent on, and in that of the page in
  // the other language. A page that was opened from a file may not change its own address.
  const address = new URLSearchParams(location.search);
  const counterpart = document.querySelector("a[hreflang]");
  const remember = (name, value) => {
    if (value) address.set(name, value);
    else address.delete(name);
    const query = address.toString();
    counterpart.search = query;
    if (location.protocol === "file:") return;
    history.replaceState(null, "", location.pathname + (query && `?${query}`) + location.hash);
  };

  const value = (row, column) => {
    const cell = row.cells[column];
    const number = cell.querySelector("data");
    if (number) return Number(number.value);
    return cell.querySelector("bdi")?.textContent ?? null;
  };
  const compare = (a, b, sign) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (typeof a === "number" ? a - b : a.localeCompare(b));
  };

  const sort = (head, order) => {
    const table = head.closest("table");
    for (const each of table.tHead.querySelectorAll("[aria-sort]")) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const keys = new Map(rows.map((row) => [row, value(row, head.cellIndex)]));
    rows.sort((a, b) => compare(keys.get(a), keys.get(b), sign));
    body.append(...rows);
  };

  const nextOrder = (head) => {
    const first = head.dataset.sort;
    if (head.getAttribute("aria-sort") !== first) return first;
    return first === "ascending" ? "descending" : "ascending";
  };
  const [sorted, key, order] = (address.get("sort") ?? "").split("~");
  for (const head of document.querySelectorAll("th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    const place = head.closest("section").id;
    button.addEventListener("click", () => {
      sort(head, nextOrder(head));
      remember("sort", `${place}~${head.dataset.key}~${head.getAttribute("aria-sort")}`);
    });
    head.append(button);
    if (place === sorted && head.dataset.key === key && ["ascending", "descending"].includes(order)) {
      sort(head, order);
    }
  }

  const form = document.querySelector("#filter");
  if (!form) return;
  const status = form.querySelector("output");
  const names = new Map([...document.querySelectorAll("section.table tbody tr")].map((row) =>
    [row, [...row.querySelectorAll("bdi")].map((name) => name.textContent).join(" ").toLowerCase()]));
  const fits = (row, words) => words.every((word) => names.get(row).includes(word));
  const filter = () => {
    const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const { history: shownHistory, candidates, floors } = form.elements;
    let shown = 0;
    for (const part of document.querySelectorAll("section.table")) {
      const wanted = (!shownHistory?.value || part.dataset.history === shownHistory.value)
        && (!candidates?.value || part.dataset.candidates === candidates.value);
      let here = 0;
      for (const row of part.querySelectorAll("tbody tr")) {
        const floor = row.classList.contains("floor");
        row.hidden = !(wanted && (floors.checked || !floor) && fits(row, words));
        if (!row.hidden) here += 1;
      }
      part.hidden = here === 0;
      shown += here;
    }
    for (const track of document.querySelectorAll("section.track")) {
      track.hidden = !track.querySelector("section.table:not([hidden])");
    }
    status.textContent = shown ? status.dataset.count.replace("{n}", shown) : status.dataset.none;
    remember("words", form.elements.words.value);
    remember("history", shownHistory?.value);
    remember("candidates", candidates?.value);
    remember("floors", floors.checked ? "" : "hidden");
  };
  for (const name of ["words", "history", "candidates"]) {
    if (form.elements[name]) form.elements[name].value = address.get(name) ?? "";
  }
  form.elements.floors.checked = address.get("floors") !== "hidden";
  for (const event of ["input", "change"]) form.addEventListener(event, filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
})();
