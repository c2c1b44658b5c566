// The behavior of the page: the choice of a picture, zoom, keys, and the panel with the
// lines of a stage. It sets texts only as textContent, never as HTML.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const form = byId("choices");
  const pictures = [...document.querySelectorAll(".picture")];
  const panel = byId("panel");
  const selects = [...form.querySelectorAll("select")]; // as data.choices

  let view = null; // the current view
  let open = null; // the ID of the node whose lines are shown
  let zoom = 1;

  // Make the nodes of each picture buttons. Tab reaches one of them, and arrow keys the others.
  for (const picture of pictures) {
    const nodes = [...picture.querySelectorAll(".node")];
    nodes.forEach((node, i) => {
      node.setAttribute("role", "button");
      node.setAttribute("aria-haspopup", "dialog");
      node.setAttribute("aria-label", node.querySelector("title").textContent);
      node.setAttribute("tabindex", i === 0 ? "0" : "-1");
    });
    const svg = picture.querySelector("svg");
    svg.dataset.width = svg.getAttribute("width");
    svg.dataset.height = svg.getAttribute("height");
  }

  const shown = () => (view && view.picture >= 0 ? pictures[view.picture] : null);
  const nodes = () => [...(shown()?.querySelectorAll(".node") ?? [])];
  const nodeOf = (id) => nodes().find((n) => n.dataset.node === id);

  // choose shows the view that is chosen in the form.
  function choose() {
    const index = selects.reduce((sum, select, i) => sum * data.sizes[i] + select.selectedIndex, 0);
    view = data.views[index];
    pictures.forEach((picture, i) => { picture.hidden = i !== view.picture; });
    byId("tree").textContent = view.picture < 0 ? view.error : data.texts[view.text];
    byId("status").textContent = view.picture < 0 ? view.error : view.subject;
    scale(zoom);
    bringIntoSight();
    if (open !== null && nodeOf(open)) fill(open); else close(false);
    remember();
  }

  // bounds returns the rectangle around the nodes of the picture, at the current zoom. The
  // picture itself can be larger, because all pictures share one layout.
  function bounds() {
    const all = nodes().map((n) => n.getBoundingClientRect());
    const [left, top] = [Math.min(...all.map((r) => r.left)), Math.min(...all.map((r) => r.top))];
    return { left, top, width: Math.max(...all.map((r) => r.right)) - left, height: Math.max(...all.map((r) => r.bottom)) - top };
  }

  // bringIntoSight scrolls to the target if the center of no node is in sight.
  function bringIntoSight() {
    const room = byId("pictures").getBoundingClientRect();
    const inSight = (n) => {
      const r = n.getBoundingClientRect();
      const [x, y] = [r.x + r.width / 2, r.y + r.height / 2];
      return x > room.left && x < room.right && y > room.top && y < room.bottom;
    };
    if (nodes().some(inSight)) return;
    (nodes().find((n) => n.classList.contains("target")) ?? nodes()[0])?.scrollIntoView({ block: "center", inline: "center" });
  }

  // remember stores the choice in the fragment of the page's URL, and recall reads it.
  function remember() {
    const words = new URLSearchParams();
    selects.forEach((select, i) => {
      if (select.selectedIndex > 0) words.set(data.choices[i], select.options[select.selectedIndex].text);
    });
    if (open !== null) words.set("node", open);
    history.replaceState(null, "", "#" + words);
  }
  function recall() {
    const words = new URLSearchParams(location.hash.slice(1));
    selects.forEach((select, i) => {
      const wanted = [...select.options].findIndex((o) => o.text === words.get(data.choices[i]));
      select.selectedIndex = Math.max(wanted, 0);
    });
    open = words.get("node");
    choose();
    if (open !== null && !panel.open) panel.show();
  }

  function scale(factor) {
    zoom = Math.min(Math.max(factor, 0.1), 8);
    const svg = shown()?.querySelector("svg");
    if (!svg) return;
    svg.setAttribute("width", svg.dataset.width * zoom);
    svg.setAttribute("height", svg.dataset.height * zoom);
    document.querySelector("[data-zoom=reset]").textContent = Math.round(zoom * 100) + "%";
  }
  const zooms = {
    in: () => scale(zoom * 1.25),
    out: () => scale(zoom / 1.25),
    reset: () => scale(1),
    fit: () => {
      const room = byId("pictures");
      if (nodes().length === 0) return;
      let box = bounds();
      const around = 32; // space for labels, and for the picture's margin
      scale(zoom * Math.min((room.clientWidth - around) / box.width, (room.clientHeight - around) / box.height));
      box = bounds();
      const corner = room.getBoundingClientRect();
      room.scrollBy(box.left - corner.left - around / 2, box.top - corner.top - around / 2);
    },
  };

  // element returns a new element with a text.
  function element(name, text, className) {
    const e = document.createElement(name);
    e.textContent = text;
    if (className) e.className = className;
    return e;
  }

  // fill shows a node in the panel.
  function fill(id) {
    const detail = data.details[view.details][id];
    document.querySelectorAll(".node.open").forEach((n) => n.classList.remove("open"));
    nodeOf(id).classList.add("open");
    byId("panel-title").textContent = detail.title;
    byId("facts").replaceChildren(...detail.facts.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
    const lines = [];
    for (let n = detail.first; n > 0 && n <= detail.last; n++) {
      const note = (detail.notes ?? []).find((note) => note.first <= n && n <= note.last);
      const line = document.createElement("li");
      line.append(element("span", n, "number"), element(note?.dropped ? "del" : "code", data.source[n - 1]));
      if (note?.last === n) line.append(element("span", note.text, "why"));
      lines.push(line);
    }
    byId("lines").replaceChildren(...lines);
  }
  function show(id) {
    open = id;
    fill(id);
    if (!panel.open) panel.show();
    nodeOf(id).scrollIntoView({ block: "nearest", inline: "nearest" });
    panel.focus();
    remember();
  }
  function close(focus) {
    const node = open !== null && nodeOf(open);
    document.querySelectorAll(".node.open").forEach((n) => n.classList.remove("open"));
    open = null;
    if (panel.open) panel.close();
    if (node && focus) node.focus();
    remember();
  }

  // neighbor returns the nearest node in the direction of an arrow key. It compares left
  // edges, because the nodes of a column share theirs.
  function neighbor(node, key) {
    const place = (n) => { const r = n.querySelector("rect").getBoundingClientRect(); return [r.x, r.y + r.height / 2]; };
    const [x, y] = place(node);
    const ahead = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key];
    let best = null, least = Infinity;
    for (const other of shown().querySelectorAll(".node")) {
      const [dx, dy] = place(other).map((c, i) => c - [x, y][i]);
      const along = dx * ahead[0] + dy * ahead[1], aside = Math.abs(dx * ahead[1]) + Math.abs(dy * ahead[0]);
      if (other !== node && along > 1 && along + 3 * aside < least) [best, least] = [other, along + 3 * aside];
    }
    return best;
  }
  function visit(node) {
    shown().querySelectorAll(".node[tabindex='0']").forEach((n) => n.setAttribute("tabindex", "-1"));
    node.setAttribute("tabindex", "0");
    node.focus();
    node.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select")) return;
    const node = event.target.closest(".node");
    let done = true;
    if (event.key === "Escape" && panel.open) close(true);
    else if (node && event.key.startsWith("Arrow")) { const next = neighbor(node, event.key); if (next) visit(next); }
    else if (node && (event.key === "Enter" || event.key === " ")) show(node.dataset.node);
    else if (event.key === "+" || event.key === "=") zooms.in();
    else if (event.key === "-") zooms.out();
    else if (event.key === "0") zooms.reset();
    else done = false;
    if (done) event.preventDefault();
  });
  byId("pictures").addEventListener("click", (event) => {
    const node = event.target.closest(".node");
    if (!node) return;
    visit(node);
    show(node.dataset.node);
  });
  byId("pictures").addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    scale(zoom * Math.exp(-event.deltaY / 300));
  }, { passive: false });
  form.addEventListener("click", (event) => zooms[event.target.dataset.zoom]?.());
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", choose);
  byId("close").addEventListener("click", () => close(true));
  window.addEventListener("hashchange", recall);

  recall();
})();
