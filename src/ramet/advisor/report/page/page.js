"use strict";
// Draws the report from the data in the page. Nothing is fetched: the file works from a disk, and in ten years.

const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const $ = (selector) => document.querySelector(selector);

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function drawn(tag, attributes = {}) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// -- the map: folders as circles, what depends on what as lines; a click or Enter opens a folder -----------------------

const opened = new Set();
const modules = data.map.modules;
const edges = data.map.edges;

function shownAs(path) {
  const parts = path.split("/");
  let prefix = "";
  for (const part of parts) {
    prefix = prefix ? `${prefix}/${part}` : part;
    if (!opened.has(prefix)) return prefix;
  }
  return path;
}

function nodes() {
  const found = new Map();
  modules.forEach((module) => {
    const name = shownAs(module.path);
    const node = found.get(name) || { name, lines: 0, count: 0, parts: new Map() };
    node.lines += module.lines;
    node.count += 1;
    node.parts.set(module.part, (node.parts.get(module.part) || 0) + module.lines);
    found.set(name, node);
  });
  return [...found.values()].sort((a, b) => b.lines - a.lines || (a.name < b.name ? -1 : 1));
}

function links(index) {
  const found = new Map();
  for (const [source, target, weight] of edges) {
    const from = shownAs(modules[source].path);
    const to = shownAs(modules[target].path);
    if (from === to || !index.has(from) || !index.has(to)) continue;
    const key = JSON.stringify([from, to]);  // a name may hold any sign
    found.set(key, (found.get(key) || 0) + weight);
  }
  return [...found].map(([key, weight]) => {
    const [from, to] = JSON.parse(key);
    return { from: index.get(from), to: index.get(to), weight };
  });
}

function colour(part) {
  if (!part) return "hsl(215 10% 60%)";
  let hash = 7;
  for (const letter of part) hash = (hash * 31 + letter.charCodeAt(0)) >>> 0;
  return `hsl(${hash % 360} 55% 55%)`;
}

// Fruchterman and Reingold (1991) from a fixed start, so that the same data always looks the same.
function arrange(all, lines, width, height) {
  const largest = Math.max(1, ...all.map((node) => node.lines));
  const golden = Math.PI * (3 - Math.sqrt(5));
  all.forEach((node, at) => {
    const radius = 18 * Math.sqrt(at + 1);
    node.x = width / 2 + radius * Math.cos(at * golden);
    node.y = height / 2 + radius * Math.sin(at * golden);
    node.r = 5 + 55 * Math.sqrt(node.lines / largest);
  });
  const rounds = all.length > 250 ? 40 : 160;
  const ideal = 0.75 * Math.sqrt((width * height) / (all.length + 1));
  for (let round = 0; round < rounds; round += 1) {
    const heat = (width / 12) * (1 - round / rounds);
    all.forEach((node) => { node.dx = (width / 2 - node.x) * 0.02; node.dy = (height / 2 - node.y) * 0.02; });
    for (let i = 0; i < all.length; i += 1) {
      for (let j = i + 1; j < all.length; j += 1) {
        const a = all[i], b = all[j];
        const dx = a.x - b.x || 0.1, dy = a.y - b.y || 0.1;
        const distance = Math.hypot(dx, dy);
        const near = distance - a.r - b.r;
        const push = (ideal * ideal) / distance / Math.max(near, 4) + (near < 8 ? 3 : 0);
        a.dx += dx * push; a.dy += dy * push; b.dx -= dx * push; b.dy -= dy * push;
      }
    }
    for (const { from, to, weight } of lines) {
      const dx = from.x - to.x, dy = from.y - to.y;
      const pull = (Math.hypot(dx, dy) / ideal) * 0.05 * Math.log2(1 + weight);
      from.dx -= dx * pull; from.dy -= dy * pull; to.dx += dx * pull; to.dy += dy * pull;
    }
    for (const node of all) {
      const length = Math.hypot(node.dx, node.dy) || 1;
      node.x += (node.dx / length) * Math.min(length, heat);
      node.y += (node.dy / length) * Math.min(length, heat);
      node.x = Math.max(node.r + 30, Math.min(width - node.r - 30, node.x));
      node.y = Math.max(node.r + 14, Math.min(height - node.r - 4, node.y));
    }
  }
}

function drawMap() {
  const width = 1120, height = 620;
  const most = 400;
  const every = nodes();
  const all = every.slice(0, most);
  const index = new Map(all.map((node) => [node.name, node]));
  const lines = links(index);
  arrange(all, lines, width, height);
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": "Map of the modules" });
  for (const { from, to, weight } of lines) {
    const line = drawn("line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y, "stroke-width": Math.min(6, 0.6 + Math.log2(weight + 1) / 2) });
    line.append(drawn("title"));
    line.firstChild.textContent = `${from.name} → ${to.name}: ${weight}`;
    svg.append(line);
  }
  const wanted = $("#search").value.trim().toLowerCase();
  for (const node of all) {
    const part = [...node.parts].sort((a, b) => b[1] - a[1])[0][0];
    const group = drawn("g", { tabindex: 0, role: "button" });
    const circle = drawn("circle", { cx: node.x, cy: node.y, r: node.r, fill: colour(part) });
    const title = drawn("title");
    title.textContent = `${node.name}: ${node.count} modules, ${node.lines} lines${part ? `, candidate ${part}` : ""}`;
    circle.append(title);
    group.append(circle);
    if (node.r > 9 || all.length < 60) {
      const text = drawn("text", { x: node.x, y: node.y - node.r - 3 });
      text.textContent = node.name.split("/").slice(-1)[0];
      group.append(text);
    }
    const open = (keyboard) => {
      if (!modules.some((module) => module.path.startsWith(`${node.name}/`))) return;
      opened.add(node.name);
      drawMap();
      if (keyboard) focusBelow(node.name);
    };
    group.dataset.name = node.name;
    group.addEventListener("click", () => open(false));
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      open(true);
    });
    if (wanted) group.setAttribute("class", modules.some((m) => shownAs(m.path) === node.name && m.path.toLowerCase().includes(wanted)) ? "hit" : "dim");
    svg.append(group);
  }
  $("#map").replaceChildren(svg);
  $("#map-note").textContent = `${all.length} of ${every.length} circles shown, ${lines.length} dependencies. `
    + "A click opens a folder; the size is lines of code, the colour the best candidate.";
}

function focusBelow(folder) {  // what was opened is gone: go on with the first that came out of it
  const first = [...document.querySelectorAll("#map g")].find((one) => one.dataset.name.startsWith(`${folder}/`));
  if (first) first.focus();
}

$("#search").addEventListener("input", () => { drawMap(); filterFindings(); });
$("#collapse").addEventListener("click", () => { opened.clear(); openRoots(); drawMap(); });
$("#deeper").addEventListener("click", () => {
  for (const node of nodes()) opened.add(node.name);
  drawMap();
});

function openRoots() {  // a few folders that hold nearly everything say nothing
  for (let turn = 0; turn < 12; turn += 1) {
    const found = nodes();
    const total = found.reduce((sum, node) => sum + node.lines, 0);
    const holds = (node) => modules.some((module) => module.path.startsWith(`${node.name}/`));
    const largest = found.find((node) => node.lines >= (node.name.includes("/") ? 0.6 : 0.3) * total && holds(node));
    if (!largest || found.length > 60) return;
    opened.add(largest.name);
  }
}

// -- the time line: commits a month, and releases ----------------------------------------------------------------------

function drawTimeline() {
  const { months, releases } = data.timeline;
  if (!months.length) { $("#timeline").textContent = "There is no history."; return; }
  const width = 1120, height = 150, top = Math.max(...months.map(([, count]) => count));
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Commits a month" });
  const step = width / months.length;
  months.forEach(([month, count, people], at) => {
    const tall = (count / top) * (height - 30);
    const bar = drawn("rect", { x: at * step + 0.5, y: height - 18 - tall, width: Math.max(1, step - 1), height: tall });
    bar.append(drawn("title"));
    bar.firstChild.textContent = `${month}: ${count} commits by ${people} people`;
    svg.append(bar);
    if (month.endsWith("-01")) {
      const text = drawn("text", { x: at * step, y: height - 4, "font-size": 11, fill: "currentColor" });
      text.textContent = month.slice(0, 4);
      svg.append(text);
    }
  });
  const names = months.map(([month]) => month);
  for (const [name, month] of releases) {
    const at = names.indexOf(month);
    if (at < 0) continue;
    const line = drawn("line", { x1: (at + 0.5) * step, x2: (at + 0.5) * step, y1: 4, y2: height - 18, class: "tag" });
    line.append(drawn("title"));
    line.firstChild.textContent = name;
    svg.append(line);
  }
  $("#timeline").replaceChildren(svg);
}

// -- findings: filtered by severity and by the search -------------------------------------------------------------------

function filterFindings() {
  const severity = $("#severity").value;
  const wanted = $("#search").value.trim().toLowerCase();
  let shown = 0;
  document.querySelectorAll("#findings details").forEach((one) => {
    const visible = (!severity || one.dataset.severity === severity) && (!wanted || one.textContent.toLowerCase().includes(wanted));
    one.hidden = !visible;
    shown += visible ? 1 : 0;
  });
  $("#finding-count").textContent = `${shown} shown`;
}

$("#severity").addEventListener("change", filterFindings);

openRoots();
drawMap();
drawTimeline();
filterFindings();
