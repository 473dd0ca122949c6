(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;

  // Dark or light: the reader's choice beats the system's; kept where storage is allowed.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const store = { get: () => { try { return localStorage.getItem("theme"); } catch { return null; } },
    set: (v) => { try { localStorage.setItem("theme", v); } catch { /* opened from a mail: no storage */ } } };
  const show = (theme) => { root.dataset.theme = theme; $("theme").setAttribute("aria-pressed", String(theme === "dark")); };
  show(store.get() ?? (dark.matches ? "dark" : "light"));
  $("theme").addEventListener("click", () => {
    const next = root.dataset.theme === "dark" ? "light" : "dark";
    show(next); store.set(next);
  });

  // Tables: a click on a column's name sorts, a second one turns it round.
  const valueOf = (cell) => {
    const raw = cell?.dataset.v ?? cell?.textContent ?? "";
    const number = Number(raw);
    return raw !== "" && !Number.isNaN(number) ? number : raw.toLowerCase();
  };
  const compare = (a, b) => typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1;
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.sort");
    if (!button) return;
    const head = button.closest("th"), row = head.parentElement, body = head.closest("table").tBodies[0];
    const numeric = head.classList.contains("num");
    const was = head.getAttribute("aria-sort");
    const way = was ? (was === "ascending" ? "descending" : "ascending") : numeric ? "descending" : "ascending";
    for (const th of row.cells) th.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", way);
    const sign = way === "ascending" ? 1 : -1, at = head.cellIndex;
    const keyed = [...body.rows].map((r) => [valueOf(r.cells[at]), r]);
    keyed.sort((x, y) => sign * compare(x[0], y[0]));
    body.append(...keyed.map((k) => k[1]));
  });

  // Findings: filter by text, severity and type; sort.
  const list = $("f-list");
  if (list) {
    const items = [...list.children];
    const text = new Map(items.map((f) => [f, f.textContent.toLowerCase()]));
    const keys = { severity: (f) => -Number(f.dataset.score), last: (f) => -Number(f.dataset.last),
      first: (f) => Number(f.dataset.first), count: (f) => -Number(f.dataset.count) };
    const apply = () => {
      const words = $("f-text").value.toLowerCase().split(/\s+/).filter(Boolean);
      const on = new Set([...document.querySelectorAll(".f-severity:checked")].map((x) => x.value));
      const type = $("f-type").value;
      let shown = 0;
      for (const f of items) {
        const seen = on.has(f.dataset.severity) && (!type || f.dataset.type === type) && words.every((w) => text.get(f).includes(w));
        f.hidden = !seen;
        shown += seen ? 1 : 0;
      }
      $("f-shown").textContent = shown === items.length ? `${shown} shown` : `${shown} of ${items.length} shown`;
    };
    const sort = () => {
      const key = keys[$("f-sort").value];
      list.append(...items.map((f, i) => [key(f), i, f]).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map((x) => x[2]));
    };
    $("f-text").addEventListener("input", apply);
    $("f-type").addEventListener("change", apply);
    for (const box of document.querySelectorAll(".f-severity")) box.addEventListener("change", apply);
    $("f-sort").addEventListener("change", sort);
  }

  // A link to something inside of a closed part opens it; paper shows the findings open.
  const reveal = () => {
    const target = location.hash.length > 1 && $(decodeURIComponent(location.hash.slice(1)));
    for (let d = target && target.closest("details"); d; d = d.parentElement.closest("details")) d.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
  addEventListener("beforeprint", () => { for (const d of document.querySelectorAll("details.finding")) d.open = true; });
})();
