// Marks that are too close to tell apart are one cluster; from nearer by it comes apart, by the same distances. What is
// returned takes how many times wider than the whole `root` is drawn; `more` words how many marks are left unlisted.
function splitter(root, more) {
  "use strict";
  const LISTED_MAX = 12;
  const clusters = [...root.querySelectorAll(".mark[data-x]")].map((whole) => {
    const lines = whole.querySelector(":scope > title").textContent.split("\n");
    const rest = whole.dataset.rest ? whole.dataset.rest.split("\n") : [];
    if (rest.length) lines.pop();
    const span = whole.querySelector(".span");
    const [gapMax, spanMax] = span ? [0.75, 2.6] : [0.35, 1];
    const xs = whole.dataset.x.split(" ").map(Number);
    return { whole, xs, words: [...lines, ...rest], gapMax, spanMax, parts: [], count: 1 };
  });
  const groupsAt = ({ xs, gapMax, spanMax }, factor) => {
    const groups = [];
    for (let index = 0; index < xs.length; index += 1) {
      const group = groups[groups.length - 1];
      const isClose =
        group && (xs[index] - xs[group.end]) * factor <= gapMax && (xs[index] - xs[group.start]) * factor <= spanMax;
      if (isClose) group.end = index;
      else groups.push({ start: index, end: index });
    }
    return groups;
  };
  const titleOf = (listed) => {
    const title = document.createElementNS(root.querySelector("svg").namespaceURI, "title");
    const unlisted = listed.length - LISTED_MAX;
    title.textContent = (unlisted > 0 ? [...listed.slice(0, LISTED_MAX), more(unlisted)] : listed).join("\n");
    return title;
  };
  const partOf = ({ whole, xs, words }, { start, end }) => {
    const part = whole.cloneNode(true);
    const title = part.querySelector(":scope > title");
    if (title) title.remove();
    part.removeAttribute("aria-label");
    part.prepend(titleOf(words.slice(start, end + 1)));
    const [left, right] = [xs[start] + "%", xs[end] + "%"];
    part.querySelector(":scope > use").setAttribute("x", left);
    const span = part.querySelector(".span");
    const label = part.querySelector("svg");
    if (start === end) {
      if (span) span.remove();
      if (label) label.remove();
    } else if (span && label) {
      span.setAttribute("x1", left);
      span.setAttribute("x2", right);
      label.setAttribute("x", right);
      label.querySelector("text").textContent = end - start + 1;
    }
    part.removeAttribute("data-x");
    part.removeAttribute("data-rest");
    return part;
  };
  return (factor) => {
    for (const cluster of clusters) {
      const groups = groupsAt(cluster, factor);
      if (groups.length === cluster.count) continue;
      cluster.count = groups.length;
      for (const part of cluster.parts) part.remove();
      cluster.parts = groups.length > 1 ? groups.map((group) => partOf(cluster, group)) : [];
      cluster.whole.classList.toggle("apart", groups.length > 1);
      cluster.whole.after(...cluster.parts);
    }
  };
}
