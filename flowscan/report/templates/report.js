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
  let picked = null, filter = () => 0;
  if (list) {
    const items = [...list.children];
    const text = new Map(items.map((f) => [f, f.textContent.toLowerCase()]));
    const keys = { severity: (f) => -Number(f.dataset.score), last: (f) => -Number(f.dataset.last),
      first: (f) => Number(f.dataset.first), count: (f) => -Number(f.dataset.count) };
    const apply = () => {
      const words = $("f-text").value.toLowerCase().split(/\s+/).filter(Boolean);
      const on = new Set([...document.querySelectorAll(".f-severity:checked")].map((x) => x.value));
      const type = $("f-type").value, from = picked?.from ?? -Infinity, to = picked?.to ?? Infinity;
      let shown = 0;
      for (const f of items) {
        const seen = on.has(f.dataset.severity) && (!type || f.dataset.type === type) && Number(f.dataset.first) < to && Number(f.dataset.last) >= from && words.every((w) => text.get(f).includes(w));
        f.hidden = !seen;
        shown += seen ? 1 : 0;
      }
      const here = picked ? items.filter((f) => Number(f.dataset.first) < to && Number(f.dataset.last) >= from).length : items.length;
      $("f-shown").textContent = shown === items.length ? `${shown} shown` : `${shown} of ${items.length} shown`;
      return here;
    };
    filter = apply;
    const sort = () => {
      const key = keys[$("f-sort").value];
      list.append(...items.map((f, i) => [key(f), i, f]).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map((x) => x[2]));
    };
    $("f-text").addEventListener("input", apply);
    $("f-type").addEventListener("change", apply);
    for (const box of document.querySelectorAll(".f-severity")) box.addEventListener("change", apply);
    $("f-sort").addEventListener("change", sort);
  }

  // Charts: numbers of what is pointed at or reached by arrow keys; the numbers behind them stand
  // in the tables, so without a script nothing is missing.
  const SVG = "http://www.w3.org/2000/svg";
  const tip = document.createElement("div");
  tip.id = "tip"; tip.setAttribute("role", "status"); tip.hidden = true;
  document.body.append(tip);
  const tell = (mark, lines) => {
    if (!lines) { tip.hidden = true; return; }
    const [head, ...rest] = lines, strong = document.createElement("b");
    strong.textContent = head;
    tip.replaceChildren(strong, ...rest.map((line) => { const p = document.createElement("div"); p.textContent = line; return p; }));
    tip.hidden = false;
    const at = mark.getBoundingClientRect(), box = tip.getBoundingClientRect();
    const left = Math.min(Math.max(8, at.left + at.width / 2 - box.width / 2), innerWidth - box.width - 8);
    const above = at.top - box.height - 10;
    tip.style.left = `${left}px`;
    tip.style.top = `${above > 60 ? above : Math.min(at.bottom + 10, innerHeight - box.height - 8)}px`;
  };
  const centre = (mark) => { const b = mark.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]; };
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  // The nearest mark in a direction; what lies off the line counts as much farther.
  const towards = (marks, from, [dx, dy]) => {
    const [x, y] = centre(from);
    let best = null, least = Infinity;
    for (const m of marks) {
      const [mx, my] = centre(m), along = (mx - x) * dx + (my - y) * dy;
      if (m === from || along < 1) continue;
      const far = along + 4 * Math.abs((mx - x) * dy + (my - y) * dx);
      if (far < least) { least = far; best = m; }
    }
    return best;
  };
  const open = (number) => {
    const f = $(`finding-${number}`);
    if (!f) return;
    if (f.hidden) { clearAll(); }
    f.open = true; f.scrollIntoView({ block: "start" });
    f.querySelector("summary").focus({ preventScroll: true });
  };
  const clearAll = () => {
    for (const box of document.querySelectorAll(".f-severity")) box.checked = true;
    $("f-text").value = ""; $("f-type").value = ""; pick(null);
  };

  // The timeline: a span of time keeps its findings; the page of a live lake goes there.
  const step = Number($("timeline")?.dataset.step ?? 0);
  const iso = (t) => new Date(t * 1000).toISOString().slice(0, 16) + "Z";
  const clock = (t) => new Date(t * 1000).toLocaleString("en-GB", { day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", timeZone: "UTC" }).replace(",", "");
  const pick = (span) => {
    picked = span;
    const found = filter();
    $("picked").hidden = !span;
    for (const svg of document.querySelectorAll("#timeline .chart")) shade(svg);
    if (!span) return;
    $("picked-span").textContent = `${clock(span.from)} to ${clock(span.to)} UTC:`;
    $("picked-findings").textContent = `${found} finding${found === 1 ? "" : "s"}`;
    const query = `?since=${encodeURIComponent(iso(span.from))}&until=${encodeURIComponent(iso(span.to))}`;
    for (const [id, path] of [["picked-report", "/"], ["picked-flows", "/flows"]]) if ($(id)) $(id).href = path + query;
  };
  const slots = (svg) => [...svg.querySelectorAll('[data-s="bytes"]')];
  const shade = (svg) => {
    svg.querySelector(".pick")?.remove();
    const inside = picked ? slots(svg).filter((m) => Number(m.dataset.b) >= picked.from && Number(m.dataset.b) < picked.to) : [];
    if (!inside.length) return;
    const box = svg.getBoundingClientRect(), unit = svg.viewBox.baseVal.width / (box.width || 1);
    const a = inside[0].getBoundingClientRect(), b = inside[inside.length - 1].getBoundingClientRect();
    const rect = document.createElementNS(SVG, "rect");
    rect.setAttribute("class", "pick");
    rect.setAttribute("x", (a.left - box.left) * unit); rect.setAttribute("width", Math.max(2, (b.right - a.left) * unit));
    rect.setAttribute("y", 0); rect.setAttribute("height", svg.viewBox.baseVal.height);
    svg.prepend(rect);
  };
  const slotAt = (svg, x) => slots(svg).reduce((best, m) => Math.abs(centre(m)[0] - x) < Math.abs(centre(best)[0] - x) ? m : best);
  const spanOf = (a, b) => { const t = [Number(a.dataset.b), Number(b.dataset.b)].sort((x, y) => x - y); return { from: t[0], to: t[1] + step }; };

  for (const svg of document.querySelectorAll(".chart")) {
    const said = new Map(), time = Boolean(svg.closest("#timeline"));
    for (const title of svg.querySelectorAll("title")) { said.set(title.parentElement, title.textContent); title.remove(); }
    const all = [...said.keys()];
    const stops = time ? all.filter((m) => m.dataset.f || m.dataset.s === "bytes") : all;
    if (!stops.length) continue;
    const words = (mark) => {
      const cut = (text) => { const at = text.indexOf(": "); return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 2)]; };
      if (!mark.dataset.b) return cut(said.get(mark));
      const same = all.filter((m) => m.dataset.b === mark.dataset.b).map((m) => cut(said.get(m)));
      return [same[0][0], ...same.map((s) => s[1])];
    };
    let here = null, began = null;
    const go = (mark) => {
      here?.classList.remove("here");
      here = mark; mark?.classList.add("here");
      tell(mark, mark && words(mark));
    };
    svg.setAttribute("tabindex", "0"); svg.setAttribute("role", "group"); svg.setAttribute("aria-roledescription", "chart");
    svg.addEventListener("pointermove", (e) => {
      const mark = said.has(e.target) && e.target.dataset.s === undefined ? e.target : time ? slotAt(svg, e.clientX) : said.has(e.target) ? e.target : null;
      if (mark !== here) go(mark);
      if (began && mark?.dataset.b) pick(spanOf(began, mark));
    });
    svg.addEventListener("pointerleave", () => { if (document.activeElement !== svg) go(null); });
    svg.addEventListener("focus", () => { if (!here && svg.matches(":focus-visible")) go(stops[0]); });
    svg.addEventListener("blur", () => go(null));
    svg.addEventListener("keydown", (e) => {
      if (e.key === "Escape") { go(null); if (time) pick(null); return; }
      if (e.key === "Enter" && here) { e.preventDefault(); act(here); return; }
      const next = arrows[e.key] ? here ? towards(stops, here, arrows[e.key]) : stops[0]
        : e.key === "Home" ? stops[0] : e.key === "End" ? stops[stops.length - 1] : null;
      if (arrows[e.key] || next) e.preventDefault();
      if (!next) return;
      if (e.shiftKey && picked && next.dataset.b) pick({ from: Math.min(picked.from, Number(next.dataset.b)), to: Math.max(picked.to, Number(next.dataset.b) + step) });
      go(next);
    });
    const act = (mark) => {
      if (mark.dataset.f) open(mark.dataset.f);
      else if (time) {
        const span = spanOf(mark, mark), again = picked && picked.from === span.from && picked.to === span.to;
        pick(again ? null : span);
      }
    };
    svg.addEventListener("pointerdown", (e) => { if (time && e.button === 0 && e.pointerType !== "touch" && !e.target.dataset.f) { began = slotAt(svg, e.clientX); e.preventDefault(); } });
    svg.addEventListener("click", (e) => {
      if (e.target.dataset.f) { open(e.target.dataset.f); return; }
      if (!time) return;
      const mark = slotAt(svg, e.clientX);
      if (!began || mark === began) act(mark);
    });
    addEventListener("pointerup", () => { setTimeout(() => { began = null; }); });
  }
  if ($("timeline")) {
    $("hint").hidden = false;
    $("picked-clear").addEventListener("click", () => pick(null));
    addEventListener("resize", () => { for (const svg of document.querySelectorAll("#timeline .chart")) shade(svg); });
  }

  // The legend switches series; one that is left alone stands on the floor, on an axis of its own.
  const off = new Set();
  const restack = (svg) => {
    const alone = off.has("accepted") === off.has("refused") ? "" : off.has("accepted") ? "refused" : "accepted";
    for (const m of svg.querySelectorAll("[data-s]")) m.classList.toggle("off", off.has(m.dataset.s));
    for (const axis of svg.querySelectorAll(".y-flows")) axis.classList.toggle("off", axis.dataset.alone !== alone);
    const { times, floor } = svg.querySelector(".y-flows:not(.off)").dataset;
    for (const m of svg.querySelectorAll('[data-s="accepted"], [data-s="refused"]')) {
      const foot = Number(m.getAttribute("y")) + Number(m.getAttribute("height"));
      if (alone) m.setAttribute("transform", `translate(0,${floor - foot * times}) scale(1,${times})`);
      else m.removeAttribute("transform");
    }
  };
  for (const key of document.querySelectorAll("#legend .key")) {
    const button = document.createElement("button");
    button.type = "button"; button.className = "key"; button.dataset.series = key.dataset.series;
    button.setAttribute("aria-pressed", "true"); button.title = "Show or hide";
    button.append(...key.childNodes); key.replaceWith(button);
    button.addEventListener("click", () => {
      const name = button.dataset.series;
      if (!off.delete(name)) off.add(name);
      button.setAttribute("aria-pressed", String(!off.has(name)));
      document.querySelectorAll("#timeline .chart").forEach(restack);
    });
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
