"use strict";
(() => {
  // What is searched stands in the address, and in that of the other language and of other parts.
  // A page that was opened from a file may not change its own address.
  const form = document.querySelector("#filter");
  const status = form.querySelector("output");
  const rows = [...document.querySelector("#dialogues").tBodies[0].rows];
  const index = JSON.parse(document.querySelector("#index").textContent);
  const links = document.querySelectorAll("a[hreflang], a[data-part]");
  const fields = [...form.elements].filter((field) => field.name);
  const verdicts = fields.filter((field) => /^s[0-9]+$/.test(field.name));
  const tasks = ["video", "moment", "chat"];

  // Full-width and half-width forms, and letters of either case, are the same.
  const plain = (text) => text.normalize("NFKC").toLowerCase();
  const videos = index.videos.map(plain);
  const dialogues = index.dialogues.map(([type, turns], place) => {
    const utterance = rows[place].querySelector("td.text bdi");
    const shown = { text: utterance.textContent, language: utterance.lang };
    return { row: rows[place], utterance, shown, type: String(type), turns: turns.map(
      ([language, task, text, video, right]) => ({
        text, plain: plain(text), language: index.languages[language], task: tasks[task],
        video: video < 0 ? "" : videos[video], right,
      })) };
  });

  // One turn has to fit all that is asked of turns; every word may stand anywhere in its utterance,
  // within a word too, as words of Chinese do.
  const fits = (turn, wanted) => wanted.words.every((word) => turn.plain.includes(word))
    && turn.video.includes(wanted.video)
    && (!wanted.language || turn.language === wanted.language)
    && (!wanted.task || turn.task === wanted.task)
    && wanted.right.every(([system, verdict]) => turn.right[system] === verdict);
  const search = () => {
    const { words, video, type, turns, language, task } = form.elements;
    const wanted = {
      words: plain(words.value).split(/\s+/).filter(Boolean),
      video: plain(video.value.trim()),
      language: language.value,
      task: task.value,
      right: verdicts.map((field, system) => [system, field.value]).filter((each) => each[1]),
    };
    const any = wanted.words.length || wanted.video || language.value || task.value
      || wanted.right.length;
    let count = 0;
    for (const each of dialogues) {
      const alike = (!type.value || each.type === type.value)
        && (!turns.value || each.turns.length === Number(turns.value));
      const found = alike && each.turns.find((turn) => fits(turn, wanted));
      each.row.hidden = !found;
      if (found) count += 1;
      const { text, language: spoken } = found && any ? found : each.shown;
      if (each.utterance.textContent !== text) each.utterance.textContent = text;
      each.utterance.lang = spoken;
    }
    status.textContent = count ? status.dataset.count.replace("{n}", count) : status.dataset.none;
  };
  const remember = () => {
    const address = new URLSearchParams();
    for (const field of fields) if (field.value) address.set(field.name, field.value);
    const query = address.toString();
    for (const link of links) link.search = query;
    if (location.protocol === "file:") return;
    history.replaceState(null, "", location.pathname + (query && `?${query}`) + location.hash);
  };
  const address = new URLSearchParams(location.search);
  for (const field of fields) {
    field.value = address.get(field.name) ?? "";
    if (field.selectedIndex === -1) field.value = "";
  }
  for (const event of ["input", "change"]) {
    form.addEventListener(event, () => { search(); remember(); });
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  search();
  remember();
})();
