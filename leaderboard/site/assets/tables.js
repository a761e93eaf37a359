"use strict";
(() => {
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

  const sort = (head) => {
    const table = head.closest("table");
    const current = head.getAttribute("aria-sort");
    const first = head.dataset.sort;
    const other = first === "ascending" ? "descending" : "ascending";
    const order = current === first ? other : first;
    for (const each of table.tHead.querySelectorAll("[aria-sort]")) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const keys = new Map(rows.map((row) => [row, value(row, head.cellIndex)]));
    rows.sort((a, b) => compare(keys.get(a), keys.get(b), sign));
    body.append(...rows);
  };

  for (const head of document.querySelectorAll("th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(head));
    head.append(button);
  }

  const form = document.querySelector("#filter");
  if (!form) return;
  const status = form.querySelector("output");
  const names = new Map([...document.querySelectorAll("section.table tbody tr")].map((row) =>
    [row, [...row.querySelectorAll("bdi")].map((name) => name.textContent).join(" ").toLowerCase()]));
  const fits = (row, words) => words.every((word) => names.get(row).includes(word));
  const filter = () => {
    const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const { history, candidates, floors } = form.elements;
    let shown = 0;
    for (const part of document.querySelectorAll("section.table")) {
      const wanted = (!history?.value || part.dataset.history === history.value)
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
  };
  for (const event of ["input", "change"]) form.addEventListener(event, filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
})();
