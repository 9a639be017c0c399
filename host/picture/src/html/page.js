// Comfort on top of the picture: tooltips, filters, folding, the keyboard, zoom. The picture is whole without it.
(() => {
  "use strict";
  const root = document.documentElement;
  const tip = document.getElementById("tip");
  const byId = (id) => document.getElementById(id);
  const filter = byId("filter");
  const found = byId("found");
  const main = document.querySelector("main");
  const lanes = [...document.querySelectorAll(".lane")];
  const accounts = [...document.querySelectorAll(".account")];
  root.classList.add("scripted");
  const says = document.querySelector(".tools").dataset;
  const fill = (text, ...parts) => text.replace(/\{(\d)\}/g, (_, place) => parts[place]);

  // A browser's own tooltip would show beside ours, so a title is taken out when it is first needed.
  const words = (part) => {
    const title = part.querySelector(":scope > title");
    if (title) {
      part.setAttribute("aria-label", title.textContent);
      title.remove();
    }
    return part.getAttribute("aria-label");
  };
  const headed = (part) => {
    const lane = part.closest(".lane");
    const text = words(part) || "";
    const id = lane && lane.querySelector(".id").textContent;
    return lane && !text.startsWith(id + "\n") ? id + "\n" + text : text;
  };
  let lit = null;
  const hide = () => {
    if (lit) lit.classList.remove("lit");
    lit = null;
    tip.hidden = true;
  };
  const show = (part, x, y) => {
    if (lit !== part) {
      hide();
      lit = part;
      part.classList.add("lit");
      tip.textContent = headed(part);
      tip.hidden = false;
    }
    const box = tip.getBoundingClientRect();
    const left = Math.min(x + 14, innerWidth - box.width - 8);
    const below = y + 18 + box.height < innerHeight;
    tip.style.left = Math.max(8, left) + "px";
    tip.style.top = Math.max(8, below ? y + 18 : y - box.height - 10) + "px";
  };
  const parts = ".mark, .bar, .cap, .hover";
  document.addEventListener("pointermove", (event) => {
    const part = event.target.closest && event.target.closest("main :is(" + parts + ")");
    if (part) show(part, event.clientX, event.clientY);
    else hide();
  });
  document.addEventListener("scroll", hide, { passive: true });

  // One stop for the tab key; up and down go from lane to lane, left and right through what is in one.
  const stop = (lane) => {
    for (const other of lanes) other.tabIndex = other === lane ? 0 : -1;
  };
  if (lanes.length) stop(lanes[0]);
  const middle = (part) => {
    const box = part.getBoundingClientRect();
    return box.left + Math.min(box.width / 2, 40);
  };
  const within = (lane) =>
    [...lane.querySelectorAll(".mark, .bar, .cap")]
      .filter((part) => part.getClientRects().length)
      .sort((one, other) => one.getBoundingClientRect().left - other.getBoundingClientRect().left);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
    const lane = document.activeElement;
    if (!lane || !lane.classList.contains("lane")) return;
    const down = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const right = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (down) {
      const seen = lanes.filter((other) => !other.classList.contains("without"));
      const next = seen[seen.indexOf(lane) + down];
      if (next) {
        stop(next);
        hide();
        next.focus();
      }
      event.preventDefault();
    } else if (right) {
      const all = within(lane);
      const here = all.indexOf(lit);
      const next = here < 0 ? all[right > 0 ? 0 : all.length - 1] : all[here + right];
      if (next) {
        const box = next.getBoundingClientRect();
        show(next, middle(next), box.bottom);
      }
      event.preventDefault();
    }
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.classList.contains("lane")) stop(event.target);
  });

  // Filters: a lane is shown when it passes all of them, a bundle or an account when one of its lanes is.
  const isSet = () => filter.value.trim() || byId("stage").value || byId("outcome").value || byId("trouble").checked;
  const applyFilters = () => {
    const looked = filter.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const stage = byId("stage").value;
    const outcome = byId("outcome").value;
    const onlyTrouble = byId("trouble").checked;
    const fits = (lane) =>
      looked.every((word) => lane.dataset.find.includes(word)) &&
      (!stage || lane.dataset.stage === stage) &&
      (!outcome || lane.dataset.met.split(" ").includes(outcome)) &&
      (!onlyTrouble || "trouble" in lane.dataset);
    let count = 0;
    for (const lane of lanes) {
      const shown = fits(lane);
      lane.classList.toggle("without", !shown);
      if (shown) count += 1;
    }
    for (const bundle of document.querySelectorAll(".bundle")) {
      const left = bundle.querySelectorAll(".lane:not(.without)").length;
      bundle.classList.toggle("without", left === 0);
      bundle.style.setProperty("--lanes", left);
    }
    for (const account of accounts) {
      account.classList.toggle("without", Boolean(isSet()) && !account.querySelector(".lane:not(.without)"));
    }
    found.textContent = isSet() ? fill(says.found, count, lanes.length) : "";
    const first = lanes.find((lane) => !lane.classList.contains("without"));
    if (first) stop(first);
  };
  for (const id of ["filter", "stage", "outcome", "trouble"]) byId(id).addEventListener("input", applyFilters);
  document.querySelector(".tools").addEventListener("submit", (event) => event.preventDefault());

  const folds = accounts.map((account) => account.querySelector("details"));
  const fold = byId("fold");
  const sayFold = () => {
    const isOpen = folds.some((details) => details.open);
    fold.textContent = isOpen ? says.fold : says.unfold;
    fold.setAttribute("aria-pressed", String(!isOpen));
  };
  fold.addEventListener("click", () => {
    const open = !folds.some((details) => details.open);
    for (const details of folds) details.open = open;
  });
  for (const details of folds) details.addEventListener("toggle", sayFold);
  sayFold();
  if (innerWidth <= 640) byId("legend").open = false;

  // Zoom: the page is made wider, and scrolled so that what was looked at stays where it is.
  const ZOOM_MAX = 64;
  const axis = document.querySelector(".axis .chart");
  const from = Number(main.dataset.from);
  const until = Math.max(Number(main.dataset.until), from + 1);
  let zoom = 1;
  const setZoom = (factor) => {
    zoom = Math.min(ZOOM_MAX, Math.max(1, factor));
    root.style.setProperty("--zoom", zoom);
    splitSoon();
  };

  const split = splitter(main, (count) => fill(says.more, count));
  let willSplit = false;
  const splitSoon = () => {
    if (willSplit) return;
    willSplit = true;
    requestAnimationFrame(() => {
      willSplit = false;
      hide();
      split(zoom);
    });
  };
  // Paper shows the whole.
  addEventListener("beforeprint", () => split(1));
  addEventListener("afterprint", () => split(zoom));
  const share = (x) => {
    const box = axis.getBoundingClientRect();
    return Math.min(1, Math.max(0, (x - box.left) / box.width));
  };
  const zoomAt = (x, factor) => {
    const kept = share(x);
    setZoom(zoom * factor);
    const box = axis.getBoundingClientRect();
    scrollBy(box.left + kept * box.width - x, 0);
  };
  // What is not covered by the labels, which stay at the left.
  const view = () => {
    const label = document.querySelector(".axis .label").getBoundingClientRect().width;
    return { left: label, width: Math.max(1, root.clientWidth - label) };
  };
  const zoomTo = (start, end) => {
    if (!(end > start)) return;
    const { left, width } = view();
    const edges = main.getBoundingClientRect().width - axis.getBoundingClientRect().width;
    const base = main.getBoundingClientRect().width / zoom;
    setZoom((width / (end - start) + edges) / base);
    const box = axis.getBoundingClientRect();
    scrollBy(box.left + start * box.width - left, 0);
  };
  const center = () => {
    const { left, width } = view();
    return left + width / 2;
  };
  byId("wider").addEventListener("click", () => zoomAt(center(), 2));
  byId("narrower").addEventListener("click", () => zoomAt(center(), 0.5));
  byId("whole").addEventListener("click", () => setZoom(1));
  main.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey && !event.altKey) return;
      event.preventDefault();
      zoomAt(event.clientX, Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0025)));
    },
    { passive: false },
  );
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+") zoomAt(center(), 2);
    else if (event.key === "-") zoomAt(center(), 0.5);
    else if (event.key === "0") setZoom(1);
  });

  // A range: drawn over the axis, or two days.
  const range = document.createElement("div");
  range.className = "range";
  range.hidden = true;
  axis.parentNode.append(range);
  let drawn = null;
  const outline = (one, other) => {
    const row = axis.parentNode.getBoundingClientRect();
    range.style.left = Math.min(one, other) - row.left + "px";
    range.style.width = Math.abs(one - other) + "px";
  };
  axis.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    drawn = event.clientX;
    axis.setPointerCapture(event.pointerId);
    outline(drawn, drawn);
    range.hidden = false;
  });
  axis.addEventListener("pointermove", (event) => {
    if (drawn !== null) outline(drawn, event.clientX);
  });
  const drop = (event) => {
    if (drawn === null) return;
    const [start, end] = [share(Math.min(drawn, event.clientX)), share(Math.max(drawn, event.clientX))];
    const isRange = event.type === "pointerup" && Math.abs(event.clientX - drawn) > 6;
    drawn = null;
    range.hidden = true;
    if (isRange) zoomTo(start, end);
  };
  axis.addEventListener("pointerup", drop);
  axis.addEventListener("pointercancel", drop);
  axis.addEventListener("dblclick", () => setZoom(1));

  const [since, last] = [byId("since"), byId("until")];
  const day = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);
  const at = (input) => (Date.parse(input.value) / 1000 - from) / (until - from);
  const sayRange = () => {
    if ([since, last].includes(document.activeElement)) return;
    const { left, width } = view();
    const seconds = (x) => from + share(x) * (until - from);
    // A pixel is hours wide: what only touches the edge is not in view.
    const edge = zoom > 1 ? 2 : 0;
    since.value = day(seconds(left + edge));
    last.value = day(seconds(left + width - edge));
  };
  const oneDay = 86400 / (until - from);
  for (const input of [since, last]) {
    input.min = day(from);
    input.max = day(until);
    input.addEventListener("change", () => zoomTo(Math.max(0, at(since)), Math.min(1, at(last) + oneDay)));
    input.addEventListener("blur", sayRange);
  }
  let waits = false;
  const sayRangeSoon = () => {
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => {
      waits = false;
      sayRange();
    });
  };
  document.addEventListener("scroll", sayRangeSoon, { passive: true });
  new ResizeObserver(sayRangeSoon).observe(axis);
  sayRange();
})();
