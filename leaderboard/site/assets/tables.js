"use strict";
(() => {
  // Sort, filters and columns stand in the address, so that a view can be sent on, and in that of the
  // page in the other language. A page that was opened from a file may not change its own address.
  const address = new URLSearchParams(location.search);
  const counterpart = document.querySelector("a[hreflang]");
  const remember = (values) => {
    for (const [name, value] of Object.entries(values)) {
      if (!Array.isArray(value) && value) address.set(name, value);
      else {
        address.delete(name);
        for (const each of value || []) address.append(name, each);
      }
    }
    const query = address.toString() && `?${address}`;
    counterpart.search = query;
    // Browsers allow few changes of the address within some seconds, so it changes once a step.
    if (location.protocol === "file:" || query === location.search) return;
    history.replaceState(null, "", location.pathname + query + location.hash);
  };

  const form = document.querySelector("#filter");
  const addColumns = () => {
    const heads = document.querySelectorAll("section.table thead th[data-key]");
    const choices = new Map();
    for (const head of heads) {
      const { key, name } = head.dataset;
      if (["rank", "system"].includes(key) || choices.has(key)) continue;
      const parts = [...head.childNodes].map((node) => node.textContent.trim());
      choices.set(key, name ?? parts.filter(Boolean).join(" "));
    }
    if (!choices.size) return;
    const wanted = new Set(address.getAll("without"));
    const element = (name, ...parts) => {
      const made = document.createElement(name);
      made.append(...parts);
      return made;
    };
    const hidden = () => [...group.querySelectorAll("input:not(:checked)")].map((box) => box.value);
    const group = element("fieldset", ...[...choices].map(([key, text]) => {
      const box = element("input");
      Object.assign(box, { type: "checkbox", value: key, checked: !wanted.has(key) });
      const label = element("label", box, element("bdi", text));
      label.className = "check";
      return label;
    }));
    group.setAttribute("aria-label", form.dataset.columns);
    const summary = element("summary");
    const show = () => {
      const off = new Set(hidden());
      for (const table of document.querySelectorAll("section.table table")) showColumns(table, off);
      const text = form.dataset.hidden.replace("{n}", off.size);
      summary.textContent = form.dataset.columns + (off.size ? ` (${text})` : "");
    };
    const details = element("details", summary, group);
    details.className = "columns";
    form.append(details);
    group.addEventListener("input", (event) => event.stopPropagation());
    group.addEventListener("change", (event) => {
      event.stopPropagation();
      show();
      remember({ without: hidden() });
    });
    show();
  };
  const showColumns = (table, off) => {
    const heads = [...table.tHead.rows[0].cells];
    const shown = heads.map((head) => !off.has(head.dataset.key));
    for (const row of table.rows) {
      let place = 0;
      for (const cell of row.cells) {
        if (cell.colSpan > 1) cell.dataset.span ??= cell.colSpan;
        const span = Number(cell.dataset.span ?? 1);
        const width = shown.slice(place, place + span).filter(Boolean).length;
        if (cell.hidden === width > 0) cell.hidden = width === 0;
        if (span > 1 && width) cell.colSpan = width;
        place += span;
      }
    }
  };
  if (form) addColumns();

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
      remember({ sort: `${place}~${head.dataset.key}~${head.getAttribute("aria-sort")}` });
    });
    head.append(button);
    if (place === sorted && head.dataset.key === key && ["ascending", "descending"].includes(order)) {
      sort(head, order);
    }
  }

  if (!form) return;
  const status = form.querySelector("output");
  const wordsOf = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);
  const parts = [...document.querySelectorAll("section.table")].map((part) => ({
    part,
    views: part.nextElementSibling?.matches(".views") ? part.nextElementSibling : null,
    rows: [...part.querySelectorAll("tbody tr")].map((row) => ({
      row,
      floor: row.classList.contains("floor"),
      names: [...row.querySelectorAll("bdi")].map((name) => name.textContent).join(" ").toLowerCase(),
      declared: { ...row.dataset },
    })),
  }));
  const sizes = { "": 1, k: 1e3, m: 1e6, million: 1e6, b: 1e9, billion: 1e9, t: 1e12 };
  const amount = (text) => {
    const found = /^\s*([0-9.,_]+)\s*([a-z]*)\s*$/i.exec(text);
    return found ? Number(found[1].replace(/[,_]/g, "")) * sizes[found[2].toLowerCase()] : NaN;
  };
  // A filter by its name: the attribute of a row that it reads, and a test of its value.
  const filters = {
    language: ["languages", (wanted) => (found) => found.split("|").includes(wanted)],
    weights: ["weights", (wanted) => (found) => found === wanted],
    training: ["training", (wanted) => (found) => wordsOf(wanted).every((word) => found.includes(word))],
    labels: ["labels", (wanted) => (found) => Number(found) <= Number(wanted)],
    size: ["size", (wanted) => (found) => Number(found) <= amount(wanted)],
    since: ["accepted", (wanted) => (found) => found >= wanted],
  };
  const choices = ["words", "history", "candidates", ...Object.keys(filters)]
    .filter((name) => form.elements[name]);
  const readable = (name, text) => name !== "size" || !Number.isNaN(amount(text));

  const filter = () => {
    const values = Object.fromEntries(choices.map((name) => [name, form.elements[name].value]));
    const words = wordsOf(values.words);
    const floors = form.elements.floors.checked;
    if (form.elements.size) {
      const wrong = values.size.trim() !== "" && !readable("size", values.size);
      form.elements.size.setAttribute("aria-invalid", wrong);
    }
    const active = Object.entries(filters)
      .filter(([name]) => values[name]?.trim() && readable(name, values[name]))
      .map(([name, [attribute, test]]) => [attribute, test(values[name])]);
    let shown = 0;
    let undeclared = 0;
    for (const { part, views, rows } of parts) {
      const wanted = (!values.history || part.dataset.history === values.history)
        && (!values.candidates || part.dataset.candidates === values.candidates);
      let here = 0;
      for (const { row, floor, names, declared } of rows) {
        let fits = wanted && (floors || !floor) && words.every((word) => names.includes(word));
        if (fits && !floor && active.length) {
          // Floors are what others are held against: their own box alone hides them.
          const given = active.filter(([attribute]) => attribute in declared);
          fits = given.every(([attribute, test]) => test(declared[attribute]));
          if (fits && given.length < active.length) {
            fits = false;
            undeclared += 1;
          }
        }
        if (row.hidden === fits) row.hidden = !fits;
        if (fits) here += 1;
      }
      part.hidden = here === 0;
      if (views) views.hidden = part.hidden;
      shown += here;
    }
    for (const track of document.querySelectorAll("section.track")) {
      track.hidden = !track.querySelector("section.table:not([hidden])");
    }
    const { count, none, undeclared: silent } = status.dataset;
    status.textContent = (shown ? count.replace("{n}", shown) : none)
      + (undeclared ? ` ${silent.replace("{n}", undeclared)}` : "");
    remember({ ...values, floors: floors ? "" : "hidden" });
  };
  for (const name of choices) {
    const field = form.elements[name];
    field.value = address.get(name) ?? "";
    if (field.selectedIndex === -1) field.value = "";
  }
  form.elements.floors.checked = address.get("floors") !== "hidden";
  for (const event of ["input", "change"]) form.addEventListener(event, filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
})();
