"use strict";
// Draws relations as arcs when an article is opened, and chooses which articles are shown and in what order.

const NAMESPACE = "http://www.w3.org/2000/svg";
const box = document.getElementById("articles");
const articles = [...box.querySelectorAll(".article")];
const boxes = [...document.querySelectorAll("input[name=kind]")];
const withRight = document.getElementById("right");
const order = document.getElementById("order");

function wanted() {
  return new Set(boxes.filter((each) => each.checked).map((each) => each.value));
}

function element(name, attributes) {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// The end of a mention that an arc starts from: a mention broken over two lines has a rectangle on each.
function anchor(mark, frame) {
  const place = mark.getClientRects()[0];
  return { x: place.left + place.width / 2 - frame.left, top: place.top - frame.top, bottom: place.bottom - frame.top };
}

function path(from, to) {
  const sameLine = Math.abs(from.top - to.top) < 8;
  const end = { x: to.x, y: to.top };
  const start = { x: from.x, y: from.top };
  if (sameLine) {
    const height = Math.min(30, 9 + Math.abs(start.x - end.x) / 14);
    return [`M${start.x},${start.y} C${start.x},${start.y - height} ${end.x},${end.y - height} ${end.x},${end.y}`,
      (start.x + end.x) / 2, start.y - 0.75 * height];
  }
  if (from.top < to.top) start.y = from.bottom;
  else end.y = to.bottom;
  const middle = (start.y + end.y) / 2;
  return [`M${start.x},${start.y} C${start.x},${middle} ${end.x},${middle} ${end.x},${end.y}`,
    (start.x + end.x) / 2, middle];
}

function drawPanel(panel, chosen) {
  const text = panel.querySelector(".text");
  const svg = text.querySelector("svg");
  const frame = text.getBoundingClientRect();
  const kinds = wanted();
  const wrong = panel.classList.contains("predicted") ? "wrong" : "lost";
  svg.replaceChildren();
  for (const item of panel.querySelectorAll(".relations li")) {
    const head = document.getElementById(item.dataset.head);
    const tail = document.getElementById(item.dataset.tail);
    const kind = item.dataset.kind || "";
    const touched = chosen && (chosen === head || chosen === tail);
    const dim = chosen ? !touched : kinds.size > 0 && !kinds.has(kind);
    item.classList.toggle("dim", dim);
    if (!kind && !withRight.checked && !touched) continue;
    const [line, x, y] = path(anchor(head, frame), anchor(tail, frame));
    const arc = element("path", { d: line, "marker-end": "url(#arrow)" });
    if (kind) arc.classList.add(wrong);
    if (dim) arc.classList.add("dim");
    svg.append(arc);
    if (touched || (kind && kinds.has(kind))) {
      const label = element("text", { x, y });
      label.textContent = item.querySelector("b").textContent;
      svg.append(label);
    }
  }
  for (const mark of panel.querySelectorAll("mark")) {
    mark.classList.toggle("dim", kinds.size > 0 && !chosen && !kinds.has(mark.dataset.kind || "") && !touches(panel, mark, kinds));
  }
}

function touches(panel, mark, kinds) {
  return [...panel.querySelectorAll(".relations li")].some((item) =>
    kinds.has(item.dataset.kind || "") && (item.dataset.head === mark.id || item.dataset.tail === mark.id));
}

function draw(article, chosen) {
  if (!article.open || article.hidden) return;
  for (const panel of article.querySelectorAll(".panel")) drawPanel(panel, panel.contains(chosen) ? chosen : null);
}

function choose() {
  const kinds = wanted();
  let shown = 0;
  for (const article of articles) {
    const own = article.dataset.kinds.split(" ");
    article.hidden = kinds.size > 0 && !own.some((kind) => kinds.has(kind));
    shown += article.hidden ? 0 : 1;
    draw(article, null);
  }
  document.getElementById("shown").textContent = `${shown} of ${articles.length} articles`;
}

const orders = {
  mistakes: (a, b) => b.dataset.mistakes - a.dataset.mistakes,
  f1: (a, b) => a.dataset.f1 - b.dataset.f1,
  id: (a, b) => a.dataset.id.localeCompare(b.dataset.id),
};

function sort() {
  articles.sort(orders[order.value]);
  box.append(...articles);
}

const arrow = element("svg", { width: 0, height: 0, style: "position:absolute" });
arrow.innerHTML = '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" ' +
  'orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#555"/></marker></defs>';
document.body.append(arrow);

for (const item of document.querySelectorAll(".relations li")) {
  item.querySelector(".head").textContent = document.getElementById(item.dataset.head).textContent;
  item.querySelector(".tail").textContent = document.getElementById(item.dataset.tail).textContent;
}
for (const article of articles) {
  article.addEventListener("toggle", () => draw(article, null));
  for (const event of ["mouseover", "focusin"]) {
    article.addEventListener(event, (found) => {
      const mark = found.target.closest("mark");
      draw(article, mark);
    });
  }
}
boxes.forEach((each) => each.addEventListener("change", choose));
withRight.addEventListener("change", choose);
order.addEventListener("change", sort);
window.addEventListener("resize", () => articles.forEach((article) => draw(article, null)));
articles.slice(0, 2).forEach((article) => { article.open = true; });
choose();
