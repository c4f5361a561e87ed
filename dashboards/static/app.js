"use strict";
/*
 * Page engine. Python wrote the page with its default selection, and every other selection as parts of the payload;
 * this file only puts the chosen parts in place. It never adds, divides or ranks anything.
 *
 * DASH = {page, stamp, note, filters, base, template, parts | states, words, narrow, chunks, tables, cards, rows,
 *         config, dark, status}
 *   filters  [{id, label, values: [[value, label, accepted?], ...]}], the first value is the default
 *   base     card -> figure of the default selection; a state's plots[card] is the difference to it
 *   parts    [{by: [filter, ...], states: {key: state}}]; key ("0|2") = places of the chosen values of these filters;
 *            a selection shows the chosen state of every part that has one
 *   states   short for one part by all filters
 *   state    {text, plots, rows, alert, hide, steps}; a number in text is a place in ``words``, which several share
 *   narrow   {table, columns}: each filter hides the rows of one table that have another value in its column
 *   chunks   {filter, files}: parts that are loaded when a value of this filter is chosen, by its place ("": none);
 *            a file calls DASH_CHUNK(place, parts), or with all places if several have this file
 * DASH_PASSPORTS = {id: {title, rows: [[label, text], ...], checks: [[id, title, status], ...]}}, loaded at first use
 */
(() => {
  const D = window.DASH || { filters: [] };
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const one = (selector, from = document) => from.querySelector(selector);
  const selects = all("select[data-filter]");
  const statusLine = one("[role=status]");
  const parts = D.parts ?? (D.states ? [{ by: D.filters.map((filter) => filter.id), states: D.states }] : []);
  const chunks = new Map();
  let plotly = null;
  let printing = false;
  let now = null;
  let shownPlaces = selects.map(() => 0);

  // ---- selection <-> address -------------------------------------------------------------------
  const places = () => selects.map((select) => Number(select.value));
  const filterAt = (id) => D.filters.findIndex((filter) => filter.id === id);
  const placeOf = (id) => places()[filterAt(id)];

  function readAddress() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    selects.forEach((select, i) => {
      const place = D.filters[i].values.findIndex((value) => value[0] === wanted.get(D.filters[i].id));
      select.value = String(Math.max(place, 0));
    });
  }

  function writeAddress() {
    const chosen = new URLSearchParams();
    places().forEach((place, i) => place && chosen.set(D.filters[i].id, D.filters[i].values[place][0]));
    const hash = chosen.toString();
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  }

  const scope = () => D.filters.map((f, i) => `${f.label}: ${f.values[places()[i]][1]}`).join("; ");

  /** Say something to those who listen; in sight too if the page does not show it otherwise. */
  function tell(words, inSight = false) {
    if (!statusLine) return;
    statusLine.textContent = words;
    statusLine.classList.toggle("visually-hidden", !inSight);
    statusLine.classList.toggle("notice", inSight);
  }

  // ---- parts of the selection ------------------------------------------------------------------
  const loading = new Map();

  /** Load a script of this site, once; tells whether it came. */
  function load(src) {
    if (!loading.has(src)) {
      const came = new Promise((resolve) => {
        const script = element("script", "", { src });
        script.onload = () => resolve(true);
        script.onerror = () => {
          script.remove();
          loading.delete(src);
          resolve(false);
        };
        document.head.append(script);
      });
      loading.set(src, came);
    }
    return loading.get(src);
  }

  window.DASH_CHUNK = (places, more) => [places].flat().forEach((place) => chunks.set(place, more));

  /** Have the numbers of the selection at hand. False: they could not be had, or another choice was made meanwhile. */
  async function fetched() {
    const filter = D.chunks?.filter;
    const place = filter === undefined ? 0 : placeOf(filter);
    if (!D.chunks?.files[place] || chunks.has(place)) return true;
    const i = filterAt(filter);
    const name = (at) => D.filters[i].values[at][1];
    const main = one("main");
    tell(`Loading the numbers of ${name(place)}.`, true);
    main.setAttribute("aria-busy", "true");
    await load(D.chunks.files[place]);
    main.removeAttribute("aria-busy");
    if (placeOf(filter) !== place) return false;
    if (chunks.has(place)) return true;
    selects[i].value = String(shownPlaces[i]);
    writeAddress();
    tell(`The numbers of ${name(place)} could not be loaded. Still shown: ${name(shownPlaces[i])}.`, true);
    return false;
  }

  /** What is shown for the selection; null if nothing on this page depends on one. */
  function stateNow() {
    if (!parts.length) return null;
    const made = { text: {}, plots: {}, rows: {}, steps: {}, alert: [], hide: [] };
    const more = D.chunks ? (chunks.get(placeOf(D.chunks.filter)) ?? []) : [];
    [...parts, ...more].forEach(({ by, states }) => {
      const state = states[by.map(placeOf).join("|") || "0"];
      if (!state) return;
      // Figures are differences, so that one part may draw a chart and another one mark a row of it.
      ["text", "plots", "rows", "steps"].forEach((name) => (made[name] = merged(made[name], state[name])));
      ["alert", "hide"].forEach((name) => made[name].push(...(state[name] ?? [])));
    });
    const { text } = made;
    Object.keys(text).forEach((slot) => (text[slot] = D.words?.[text[slot]] ?? text[slot]));
    return made;
  }

  /** Names that some selection fills, highlights or hides; whatever else Python wrote stays. */
  const states = parts.flatMap((part) => Object.values(part.states));
  const named = (names) => new Set(states.flatMap((state) => names(state) ?? []));
  const changing = {
    text: named((state) => Object.keys(state.text ?? {})),
    alert: named((state) => state.alert),
    hide: named((state) => state.hide),
  };

  // ---- text and tables -------------------------------------------------------------------------
  const DRILL = "drill:";
  const number = (value) => String(value).replace("-", "\u2212");

  function shown(value, kind) {
    if (value === null) return "\u2013";
    if (Array.isArray(value)) return kind.startsWith(DRILL) ? value[1] : value.join(": ");
    if (typeof value === "string") return kind === "status" ? (D.status?.[value] ?? value) : value;
    if (kind === "pct") return `${value}%`;
    if (kind === "dec1" || kind === "dec2") return number(value.toFixed(Number(kind[3])));
    return number(value.toLocaleString("en-US"));
  }

  function element(tag, text, attributes = {}) {
    const made = document.createElement(tag);
    made.textContent = text;
    Object.entries(attributes).forEach(([name, value]) => value && made.setAttribute(name, value));
    return made;
  }

  function cell(value, kind, first) {
    const label = { text: "word", two: "word", status: `word s-${value}` }[kind];
    const made = element(first ? "th" : "td", shown(value, kind), first ? { scope: "row" } : { class: label });
    if (!Array.isArray(value)) return made;
    if (kind === "two") {
      made.textContent = value[0];
      made.append(element("small", value[1]));
    }
    if (kind.startsWith(DRILL)) {
      const filter = kind.slice(DRILL.length);
      const pressed = String(D.filters[filterAt(filter)].values[placeOf(filter)][0] === value[0]);
      const button = { type: "button", "data-drill": filter, "data-value": value[0], "aria-pressed": pressed };
      made.replaceChildren(element("button", value[1], button));
    }
    return made;
  }

  function columnHead([label, kind]) {
    const isText = ["text", "two", "status"].includes(kind) || kind.startsWith(DRILL);
    return element("th", label, { scope: "col", class: isText ? "word" : "" });
  }

  function fillTable(body, rows) {
    const { columns, grouped } = D.tables[body.dataset.table];
    const start = grouped ? 1 : 0;
    const head = one("tr", body.parentElement.tHead);
    if (!head.children.length) head.append(...columns.slice(start).map(columnHead));
    const made = [];
    let group = null;
    rows.forEach((row) => {
      if (grouped && row[0] !== group) {
        group = row[0];
        const head = element("tr", "", { class: "group" });
        head.append(element("th", group, { scope: "rowgroup", colspan: String(columns.length - 1) }));
        made.push(head);
      }
      const line = document.createElement("tr");
      line.append(...columns.slice(start).map((column, i) => cell(row[i + start], column[1], i === 0)));
      made.push(line);
    });
    if (!made.length) {
      const line = document.createElement("tr");
      line.append(element("td", "Nothing to show.", { colspan: String(columns.length - start) }));
      made.push(line);
    }
    body.replaceChildren(...made);
  }

  function currentRows(table) {
    const rows = now?.rows[table] ?? D.rows?.[table] ?? [];
    if (D.narrow?.table !== table) return rows;
    const tests = places().map((place, i) => [D.narrow.columns[i], D.filters[i].values[place]]);
    return rows.filter((row) =>
      tests.every(([column, value]) => !value[0] || (value[2] ?? [value[0]]).includes([row[column]].flat()[0])),
    );
  }

  function showSelection() {
    now = stateNow();
    shownPlaces = places();
    if (now) {
      const changes = (kind, selector, key) => all(selector).filter((part) => changing[kind].has(part.dataset[key]));
      changes("text", "[data-slot]", "slot").forEach((part) => (part.textContent = now.text[part.dataset.slot] ?? ""));
      changes("text", "[data-href]", "href").forEach((link) => {
        link.hidden = !now.text[link.dataset.href];
        if (!link.hidden) link.href = now.text[link.dataset.href];
      });
      changes("alert", "[data-alert]", "alert").forEach((tile) =>
        tile.classList.toggle("alert", now.alert.includes(tile.dataset.alert)),
      );
      changes("hide", "[data-when]", "when").forEach((part) => (part.hidden = now.hide.includes(part.dataset.when)));
    }
    all("[data-plot]").forEach((plot) => {
      const say = one(".say", plot.closest("figure")).textContent;
      plot.ariaLabel = `Chart. ${question(plot.dataset.plot)} ${say} The numbers are in the table below.`;
    });
    all("tbody[data-table]")
      .filter((body) => D.tables?.[body.dataset.table])
      .forEach((body) => fillTable(body, currentRows(body.dataset.table)));
    showScope();
  }

  /** The line on paper: what was chosen, and where it can be found. */
  function showScope() {
    one("[data-scope]")?.replaceChildren(scope(), element("small", location.href));
  }

  const question = (card) => one(`#${card}-q`).textContent;

  // ---- figures ---------------------------------------------------------------------------------
  function merged(base, change) {
    if (change === undefined) return base;
    if (change === null || typeof change !== "object" || Array.isArray(change)) return change;
    const made = Array.isArray(base) ? [...base] : { ...base };
    Object.keys(change).forEach((key) => (made[key] = merged(made[key], change[key])));
    return made;
  }

  function recoloured(value) {
    if (typeof value === "string") return D.dark[value] ?? value;
    if (Array.isArray(value)) return value.map(recoloured);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, recoloured(item)]));
  }

  /** The figure of a card under the current selection and theme; null if this selection has none. */
  function figure(card) {
    const plots = now?.plots ?? {};
    if (plots[card] === null) return null;
    const light = structuredClone(merged(D.base[card], plots[card]));
    light.layout.template = D.template;
    return root.dataset.theme === "dark" && !printing ? recoloured(light) : light;
  }

  /** On a narrow card long row labels go above their marks, their two lines side by side if all fit. */
  function narrowed(made, width) {
    const { ticktext } = made.layout.yaxis;
    const lines = (ticktext ?? []).map((label) => label.split("<br>"));
    const letters = (line) => line.replaceAll(/<[^>]*>/g, "").length;
    if (width <= 480) {
      made.data.forEach((trace) => trace.meta?.narrow && (trace.marker.size = trace.meta.narrow));
    }
    if (width > 480 || !lines.some((parts) => parts.some((line) => letters(line) > 14))) return made;
    made.layout.yaxis.showticklabels = false;
    const fit = lines.every((parts) => letters(parts.join("   ")) * 6.4 < width);
    made.layout.height += (fit ? 28 : 56) * lines.length;
    made.layout.annotations = lines.map((parts, row) => ({
      text: parts.join(fit ? "   " : "<br>"),
      align: "left",
      x: 0,
      xref: "paper",
      xanchor: "left",
      y: row,
      yshift: fit ? 30 : 36,
      showarrow: false,
      bgcolor: getComputedStyle(root).getPropertyValue("--card").trim(),
      font: { size: 12.5 },
    }));
    made.data.filter((trace) => trace.type === "bar").forEach((trace) => (trace.width = 0.25));
    return made;
  }

  /** On paper charts are low, and row labels have one line. */
  function flattened(layout) {
    const labels = layout.yaxis.ticktext;
    layout.height = labels ? 70 + 28 * labels.length : 250;
    if (labels) layout.yaxis.ticktext = labels.map((label) => label.replace("<br>", " "));
  }

  /** Give a card the room of its figure, and return the figure as it fits there. */
  function reserve(plot) {
    const made = figure(plot.dataset.plot);
    plot.hidden = made === null;
    one(`[data-png="${plot.dataset.plot}"]`).hidden = plot.hidden;
    if (made === null) return null;
    made.layout.width = printing ? Math.min(plot.clientWidth, 690) : plot.clientWidth;
    if (printing) flattened(made.layout);
    else narrowed(made, made.layout.width);
    plot.style.minHeight = `${made.layout.height}px`;
    return made;
  }

  /** Charts that listen to clicks; one that is taken away forgets it. */
  const heard = new WeakSet();

  function draw(plot) {
    const made = reserve(plot);
    if (!made) {
      plotly.purge(plot);
      heard.delete(plot);
      return;
    }
    plotly.react(plot, made.data, made.layout, D.config);
    if (!heard.has(plot)) plot.on("plotly_click", ({ points }) => pointed(plot, points[0]));
    heard.add(plot);
  }

  const drawAll = () => plotly && all("[data-plot]").forEach(draw);

  async function loadPlotly() {
    const plots = all("[data-plot]");
    if (!plots.length || !D.base) {
      document.body.dataset.ready = "1";
      return;
    }
    if (!(await load(document.body.dataset.plotly))) {
      const words = "The chart library could not be loaded. The numbers are in the table below.";
      plots.forEach((plot) => plot.replaceChildren(element("p", words)));
      return;
    }
    plotly = window.Plotly;
    for (const plot of plots) {
      // One chart per task: the page answers in between.
      await new Promise((resolve) => setTimeout(resolve));
      draw(plot);
    }
    performance.mark("charts");
    document.body.dataset.ready = "1";
  }

  // ---- downloads -------------------------------------------------------------------------------
  function save(name, blob) {
    const link = element("a", "", { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function csvCell(value) {
    if (value === null) return "";
    if (typeof value === "number") return String(value);
    let text = value;
    // A spreadsheet would run a cell that begins like a formula.
    if (/^[=+\-@\t\r]/.test(text) && !/^[+-]?\d+(\.\d+)?$/.test(text)) text = `'${text}`;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  function saveCsv(card) {
    const table = D.cards[card];
    const head = [question(card), scope(), D.note].map((line) => `# ${line.replaceAll(/[\r\n]/g, " ")}`);
    const { columns } = D.tables[table];
    const lines = [columns.map((column) => column[0] + (column[1] === "pct" ? " (%)" : ""))];
    const plain = (value, i) => (Array.isArray(value) ? shown(value, columns[i][1]) : value);
    lines.push(...currentRows(table).map((row) => row.map(plain)));
    const text = [...head, ...lines.map((line) => line.map(csvCell).join(","))].join("\r\n");
    save(`${D.page}-${card}.csv`, new Blob(["\ufeff", text, "\r\n"], { type: "text/csv;charset=utf-8" }));
  }

  async function savePng(card) {
    const made = plotly && figure(card);
    if (!made) return;
    const style = getComputedStyle(root);
    made.layout.paper_bgcolor = style.getPropertyValue("--card").trim();
    made.layout.margin = { t: 80, l: 24, r: 32, b: 60 };
    const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
    const below = `<span style="font-size:13px">${escaped(`${scope()}. ${D.stamp}`)}</span>`;
    made.layout.title = {
      text: `<b>${escaped(question(card))}</b><br>${below}`,
      x: 0.03,
      y: 0.97,
      yanchor: "top",
      font: { size: 18 },
    };
    const size = { format: "png", width: 900, height: made.layout.height + 110, scale: 2 };
    delete made.layout.width;
    const address = await plotly.toImage({ data: made.data, layout: made.layout, config: D.config }, size);
    const bytes = Uint8Array.from(atob(address.split(",")[1]), (letter) => letter.charCodeAt(0));
    save(`${D.page}-${card}.png`, new Blob([bytes], { type: "image/png" }));
  }

  // ---- passport: where a number comes from -----------------------------------------------------
  function table(caption, head, rows) {
    const made = element("table", "");
    const line = (cells, start) => {
      const row = element("tr", "");
      row.append(
        ...cells.map((text, i) => element(start ?? (i ? "td" : "th"), text, { scope: start ? "col" : i ? "" : "row" })),
      );
      return row;
    };
    made.append(element("caption", caption), element("thead", ""), element("tbody", ""));
    made.tHead.append(line(head, "th"));
    made.tBodies[0].append(...rows.map((row) => line(row)));
    return made;
  }

  async function openPassport(opener) {
    const id = opener.dataset.passport;
    const panel = element("dialog", "", { class: "panel", "aria-labelledby": "passport-title", closedby: "any" });
    const head = element("div", "", { class: "card-head" });
    head.append(
      element("h2", "Where this number comes from", { id: "passport-title" }),
      element("button", "Close", { type: "button", "data-do": "close" }),
    );
    const tile = opener.closest(".tile, .card");
    const number = tile && one(".number", tile)?.innerText;
    const about = (tile && one("h2", tile).textContent) ?? "";
    panel.append(head, element("p", number ? `${about}: ${number}` : about, { class: "about" }), element("p", scope()));
    panel.addEventListener("close", () => {
      panel.remove();
      opener.focus();
    });
    document.body.append(panel);
    panel.showModal();
    await load("data/passports.js");
    const passport = window.DASH_PASSPORTS?.[id];
    if (!passport) {
      panel.append(element("p", "The passport of this number could not be loaded.", { class: "notice" }));
      return;
    }
    const rows = element("dl", "");
    passport.rows.forEach(([label, text]) => rows.append(element("dt", label), element("dd", text)));
    panel.append(element("h3", passport.title), rows);
    const steps = now?.steps[id] ?? [];
    if (steps.length) panel.append(table("What was left at each step", ["Step", "Left"], steps));
    if (passport.checks?.length) {
      const checks = passport.checks.map(([check, title, status]) => [`${check}: ${title}`, shown(status, "status")]);
      panel.append(table("Checks on the way that did not pass", ["Check", "Result"], checks));
    }
  }

  // ---- choosing --------------------------------------------------------------------------------
  async function choose() {
    writeAddress();
    if (!(await fetched())) return;
    showSelection();
    drawAll();
    tell(
      all("[data-lead] [data-slot]")
        .map((part) => part.textContent)
        .join("") || scope(),
    );
  }

  /** Choose a value of a filter; the default if it is chosen already. */
  async function drill(filter, value) {
    const i = filterAt(filter);
    const place = D.filters[i]?.values.findIndex((known) => known[0] === value) ?? -1;
    if (place < 0) return;
    selects[i].value = Number(selects[i].value) === place ? "0" : String(place);
    await choose();
  }

  /** The same for a button, which is written anew meanwhile; focus stays there, or where the choice was made. */
  async function press(button) {
    const { drill: filter, value } = button.dataset;
    const from = button.closest("[data-table]") ?? document;
    const before = D.filters[filterAt(filter)].values[placeOf(filter)][0];
    await drill(filter, value);
    const seen = (area, wanted) =>
      all(`[data-drill="${filter}"]`, area).find(
        (item) => item.dataset.value === wanted && item.getClientRects().length,
      );
    (seen(from, value) ?? seen(document, before) ?? selects[filterAt(filter)]).focus();
  }

  /** A click on a mark of a chart. */
  function pointed(plot, point) {
    const filter = point.data.meta?.drill;
    if (filter) drill(filter, [point.customdata].flat()[0]);
    else one("[data-passport]", plot.closest(".card"))?.click();
  }

  // ---- buttons ---------------------------------------------------------------------------------
  const themeButton = one("[data-do=theme]");
  const nameTheme = () => (themeButton.textContent = root.dataset.theme === "dark" ? "Light" : "Dark");

  const actions = {
    theme() {
      root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
      try {
        localStorage.setItem("theme", root.dataset.theme);
      } catch {
        // The choice lasts for this page only.
      }
      nameTheme();
      drawAll();
    },
    print: () => window.print(),
    close: (button) => button.closest("dialog").close(),
    reset() {
      selects.forEach((select) => (select.value = "0"));
      choose();
    },
    async link(button) {
      try {
        await navigator.clipboard.writeText(location.href);
        const label = button.textContent;
        button.textContent = "Link copied";
        setTimeout(() => (button.textContent = label), 2000);
      } catch {
        window.prompt("Copy this link", location.href);
      }
    },
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.do) actions[button.dataset.do](button);
    if (button.dataset.csv) saveCsv(button.dataset.csv);
    if (button.dataset.png) savePng(button.dataset.png);
    if (button.dataset.drill) press(button);
    if (button.dataset.passport) openPassport(button);
  });
  selects.forEach((select) => select.addEventListener("change", choose));
  addEventListener("hashchange", () => {
    if (!selects.length) return;
    // A place on the page is no selection.
    if (!location.hash || location.hash.includes("=")) readAddress();
    choose();
  });
  let resizing = 0;
  addEventListener("resize", () => {
    clearTimeout(resizing);
    resizing = setTimeout(drawAll, 120);
  });
  const paper = (on) => () => {
    printing = on;
    drawAll();
  };
  addEventListener("beforeprint", paper(true));
  addEventListener("afterprint", paper(false));

  // ---- start -----------------------------------------------------------------------------------
  /** Buttons of many cards have the same words: say to which each belongs. */
  function nameButtons() {
    all("[data-csv], [data-png], [data-passport]").forEach((button) => {
      const about = one("h2, caption", button.closest(".tile, .card") ?? button.parentElement)?.textContent;
      const words = { CSV: "Download CSV", PNG: "Download picture" }[button.textContent] ?? button.textContent;
      if (about) button.ariaLabel ??= `${words}: ${about}`;
      if (button.dataset.passport) button.ariaHasPopup = "dialog";
    });
  }

  async function start() {
    nameTheme();
    nameButtons();
    one("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
    if (window.DASH) {
      // Of a long list only the first values are written into the page.
      selects.forEach((select, i) =>
        D.filters[i].values
          .slice(select.length)
          .forEach((value) => select.add(new Option(value[1], String(select.length)))),
      );
      readAddress();
      // What cannot be had is said, and the default stands.
      if (await fetched()) tell("");
      showSelection();
      // Room for the figures before they are there: nothing moves when they come.
      if (D.base) all("[data-plot]").forEach(reserve);
    }
    root.classList.remove("choosing");
    performance.mark("numbers");
    requestAnimationFrame(() => setTimeout(loadPlotly));
  }

  start();
})();
