"use strict";
(() => {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const [nothing, middle, width] = [0, 2048, 11];
  const form = document.querySelector("#choose");
  const table = document.querySelector("#pairs");
  const rows = [...table.tBodies[0].rows];
  const { pairs, to, apart, alike } = table.dataset;
  const [steps, reach] = [Number(table.dataset.steps), Number(table.dataset.reach)];
  const decimals = table.dataset.share === "1" ? 1 : 2;
  const slugs = rows.map((row) => row.dataset.slug);

  const read = (text) => [...text].reduce((code, digit) => 64 * code + digits.indexOf(digit), 0);
  const number = (text) => (read(text) === nothing ? null : read(text) - middle);
  const minus = (value) => (value === null ? null : -value);
  // The pair of rows a < b stands behind those of all rows before a, and of a with rows before b.
  const pair = (a, b) => {
    const place = width * (a * rows.length - (a * (a + 1)) / 2 + b - a - 1);
    const text = pairs.slice(place, place + width);
    const [value, low, high, effect] = [0, 2, 4, 6].map((at) => number(text.slice(at, at + 2)));
    return { value, low, high, effect, p: read(text.slice(8)) / 10000 };
  };
  const between = (one, other) => {
    if (one < other) return pair(one, other);
    const { value, low, high, effect, p } = pair(other, one);
    return { value: minus(value), low: minus(high), high: minus(low), effect: minus(effect), p };
  };
  const signed = (value, places, size) => {
    const text = (Math.abs(value) / size).toFixed(places);
    return (Number(text) === 0 ? "" : value > 0 ? "+" : "−") + text;
  };
  const shown = (value) => signed(value, decimals, 10 ** decimals);

  const draw = (svg, found) => {
    const half = svg.viewBox.baseVal.width / 2;
    const middleLine = svg.viewBox.baseVal.height / 2;
    const x = (value) => half + (half - 2) * Math.max(-1, Math.min(1, value / steps / reach));
    svg.querySelector(".dot").setAttribute("cx", x(found.value));
    svg.querySelector(".span").setAttribute(
      "d", found.low === null ? "" : `M${x(found.low)} ${middleLine}H${x(found.high)}`);
  };
  const fill = (row, found) => {
    const [, difference, drawn, effect, p, verdict] = row.cells;
    const data = difference.querySelector("data");
    data.value = found.value / steps;
    data.textContent = shown(found.value);
    draw(drawn.querySelector("svg"), found);
    drawn.querySelector("small").textContent =
      found.low === null ? "" : `${shown(found.low)} ${to} ${shown(found.high)}`;
    effect.textContent = found.effect === null ? "–" : signed(found.effect, 2, 100);
    p.textContent = found.p.toFixed(4);
    verdict.textContent = found.p <= 0.05 ? apart : alike;
  };
  const show = () => {
    const one = Math.max(0, slugs.indexOf(form.elements.system.value));
    const other = slugs.indexOf(form.elements.against.value);
    rows.forEach((row, n) => {
      row.hidden = n === one || (other >= 0 && other !== one && n !== other);
      if (n !== one) fill(row, between(one, n));
    });
    const title = document.querySelector("#differences-title");
    const [name, team] = [title.querySelector("bdi"), title.querySelector("small bdi")];
    name.textContent = rows[one].querySelector("a bdi").textContent;
    team.textContent = rows[one].querySelector("small bdi").textContent;
    const visible = rows.filter((row) => !row.hidden);
    form.querySelector("output").textContent = visible.length > 1 ? ""
      : [...visible[0].cells].map((cell) => cell.textContent.trim()).join(" · ");
  };
  // An address that ends in #one..other shows these two, so that a comparison can be cited.
  const follow = () => {
    const [one, other] = decodeURIComponent(location.hash.slice(1)).split("..");
    if (!slugs.includes(one)) return;
    form.elements.system.value = one;
    form.elements.against.value = slugs.includes(other) ? other : "";
    show();
  };
  form.addEventListener("change", () => {
    const chosen = [form.elements.system.value, form.elements.against.value].filter(Boolean);
    history.replaceState(null, "", `#${chosen.join("..")}`);
    show();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", follow);
  show();
  follow();
})();
