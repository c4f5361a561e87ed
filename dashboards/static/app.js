"use strict";
/*
 * Page engine. Python wrote the page with its default selection, and every other selection as a row of the payload;
 * this file only puts the chosen row in place. It never adds, divides or ranks anything.
 *
 * DASH = {page, stamp, filters, base, template, states | narrow, tables, rows, config, dark, status}
 *   filters  [{id, label, values: [[value, label, accepted?], ...]}], the first value is the default
 *   base     card -> figure of the default selection; states[key].plots[card] is the difference to it
 *   states   key ("0|2": places of the chosen values) -> {text, plots, rows, alert, hide, like?}
 *            like: key of the state to which this one is the difference
 *   narrow   instead of states: {table, columns}; filters then hide rows of one table
 */
(() => {
  const D = window.DASH || { filters: [] };
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);
  const selects = all("select[data-filter]");
  const statusLine = one("[role=status]");
  const RESET = "reset";
  let plotly = null;
  let printing = false;

  // ---- selection <-> address -------------------------------------------------------------------
  const places = () => selects.map((select) => Number(select.value));
  const stateKey = () => places().join("|") || "0";

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

  /** What is shown for the selection; a state that is like another one is put together. */
  function stateNow() {
    const own = D.states?.[stateKey()];
    return own?.like ? merged(D.states[own.like], own) : own;
  }

  // ---- text and tables -------------------------------------------------------------------------
  const number = (value) => String(value).replace("-", "\u2212");

  function shown(value, kind) {
    if (value === null) return "\u2013";
    if (Array.isArray(value)) return value.join(": ");
    if (typeof value === "string") return kind === "status" ? D.status[value] || value : value;
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
    const label = { text: "", two: "", status: `s-${value}` }[kind] ?? "num";
    const made = element(first ? "th" : "td", shown(value, kind), first ? { scope: "row" } : { class: label });
    if (kind === "two" && Array.isArray(value)) {
      made.textContent = value[0];
      made.append(element("small", value[1]));
    }
    return made;
  }

  function fillTable(body, rows) {
    const { columns, grouped } = D.tables[body.dataset.table];
    const start = grouped ? 1 : 0;
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
    const rows = stateNow()?.rows[table] || (D.rows && D.rows[table]) || [];
    if (!D.narrow || D.narrow.table !== table) return rows;
    const tests = places().map((place, i) => [D.narrow.columns[i], D.filters[i].values[place]]);
    return rows.filter((row) =>
      tests.every(([column, value]) => !value[0] || (value[2] || [value[0]]).includes(row[column])),
    );
  }

  function showSelection() {
    const state = stateNow();
    if (state) {
      all("[data-slot]").forEach((slot) => (slot.textContent = state.text[slot.dataset.slot] ?? ""));
      all("[data-alert]").forEach((tile) => tile.classList.toggle("alert", state.alert.includes(tile.dataset.alert)));
      all("[data-when]").forEach((part) => (part.hidden = state.hide.includes(part.dataset.when)));
      all("[data-plot]").forEach((plot) => {
        const question = one(`#${plot.dataset.plot}-q`).textContent;
        const say = plot.closest("figure").querySelector(".say").textContent;
        plot.setAttribute("aria-label", `Chart. ${question} ${say} The numbers are in the table below.`);
      });
    }
    all("tbody[data-table]").forEach((body) => D.tables?.[body.dataset.table] && fillTable(body, currentRows(body.dataset.table)));
    const line = one("[data-scope]");
    if (line) line.textContent = scope();
  }

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
    const plots = stateNow()?.plots ?? {};
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

  /** Give a card the room of its figure, and return the figure as it fits there. */
  function reserve(plot) {
    const made = figure(plot.dataset.plot);
    plot.hidden = made === null;
    one(`[data-png="${plot.dataset.plot}"]`).hidden = plot.hidden;
    if (made === null) return null;
    made.layout.width = printing ? Math.min(plot.clientWidth, 690) : plot.clientWidth;
    narrowed(made, made.layout.width);
    plot.style.minHeight = `${made.layout.height}px`;
    return made;
  }

  function draw(plot) {
    const made = reserve(plot);
    if (made) plotly.react(plot, made.data, made.layout, D.config);
    else plotly.purge(plot);
  }

  const drawAll = () => plotly && all("[data-plot]").forEach(draw);

  function loadPlotly() {
    const plots = all("[data-plot]");
    if (!plots.length || !D.base) {
      document.body.dataset.ready = "1";
      return;
    }
    const script = element("script", "", { src: document.body.dataset.plotly });
    script.onload = () => {
      plotly = window.Plotly;
      const waiting = [...plots];
      const next = () => {
        const plot = waiting.shift();
        if (plot) {
          draw(plot);
          setTimeout(next);
        } else {
          performance.mark("charts");
          document.body.dataset.ready = "1";
        }
      };
      next();
    };
    script.onerror = () =>
      plots.forEach((plot) =>
        plot.replaceChildren(element("p", "The chart library could not be loaded. The numbers are in the table below.")),
      );
    document.head.append(script);
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
    let text = Array.isArray(value) ? value.join(": ") : value;
    // A spreadsheet would run a cell that begins like a formula.
    if (/^[=+\-@\t\r]/.test(text) && !/^[+-]?\d+(\.\d+)?$/.test(text)) text = `'${text}`;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  function saveCsv(card) {
    const table = D.cards[card];
    const question = one(`#${card}-q`).textContent;
    const head = [question, scope(), D.note].map((line) => `# ${line.replaceAll(/[\r\n]/g, " ")}`);
    const lines = [D.tables[table].columns.map((column) => column[0] + (column[1] === "pct" ? " (%)" : ""))];
    lines.push(...currentRows(table));
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
    made.layout.title = {
      text: `<b>${escaped(one(`#${card}-q`).textContent)}</b><br><span style="font-size:13px">${escaped(`${scope()}. ${D.stamp}`)}</span>`,
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

  // ---- buttons ---------------------------------------------------------------------------------
  function choose() {
    writeAddress();
    showSelection();
    drawAll();
    if (statusLine) statusLine.textContent = all("[data-lead] [data-slot]").map((part) => part.textContent).join("") || scope();
  }

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
    [RESET]() {
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
  });
  selects.forEach((select) => select.addEventListener("change", choose));
  addEventListener("hashchange", () => {
    if (!selects.length) return;
    readAddress();
    showSelection();
    drawAll();
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
  nameTheme();
  one("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  if (window.DASH) {
    readAddress();
    showSelection();
    // Room for the figures before they are there: nothing moves when they come.
    if (D.base) all("[data-plot]").forEach(reserve);
  }
  root.classList.remove("choosing");
  performance.mark("numbers");
  requestAnimationFrame(() => setTimeout(loadPlotly));
})();
