// Comfort for the pages of the console, each of which is whole without it: parts that change by themselves are loaded again
// when something happens, a table can be ticked whole, a part that takes longer comes after the page, and pictures are looked
// at from nearer by.
"use strict";

(() => {
  const live = () => document.querySelectorAll("[data-live]");

  // Pictures: nearer and farther by buttons, by Ctrl and the wheel, and by the keys + - 0; marks by their kind. Positions are
  // shares of the width, so that a wider drawing is a nearer one.
  const ZOOM_MAX = 64;
  const drawn = new WeakMap();
  const button = (text, label, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "quiet";
    made.textContent = text;
    made.setAttribute("aria-label", label);
    made.addEventListener("click", act);
    return made;
  };
  const choose = (figure, item) => {
    const [label, box] = [document.createElement("label"), document.createElement("input")];
    label.className = "inline";
    box.type = "checkbox";
    box.checked = true;
    label.append(box, ...item.childNodes);
    item.replaceChildren(label);
    box.addEventListener("change", () => {
      for (const mark of figure.querySelectorAll(`.view .mark.${item.dataset.marks}`)) {
        mark.style.display = box.checked ? "" : "none";
      }
    });
  };
  const enliven = (figure) => {
    const view = figure.querySelector(".view");
    const drawing = view.querySelector(".drawing");
    const split = splitter(drawing, (count) => `+ ${count}`);
    let zoom = 1;
    const set = (next, x = view.clientWidth / 2) => {
      const kept = (view.scrollLeft + x) / (view.clientWidth * zoom);
      zoom = Math.min(ZOOM_MAX, Math.max(1, next));
      drawing.style.width = `${zoom * 100}%`;
      view.scrollLeft = kept * view.clientWidth * zoom - x;
      split(zoom);
      figure.dataset.zoom = String(zoom);
    };
    const bar = document.createElement("div");
    bar.className = "zoom";
    const { nearer, farther, whole } = figure.dataset;
    bar.append(
      button("−", farther, () => set(zoom / 2)),
      button("+", nearer, () => set(zoom * 2)),
      button("1:1", whole, () => set(1)),
    );
    figure.prepend(bar);
    view.tabIndex = 0;
    view.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "+") set(zoom * 2);
      else if (event.key === "-") set(zoom / 2);
      else if (event.key === "0") set(1);
    });
    view.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && !event.metaKey) return;
        event.preventDefault();
        set(zoom * Math.exp(-event.deltaY * 0.0025), event.clientX - view.getBoundingClientRect().left);
      },
      { passive: false },
    );
    for (const item of figure.querySelectorAll("[data-marks]")) choose(figure, item);
  };
  const enlivenAll = (part) => {
    const figures = [...part.querySelectorAll("figure[data-nearer]")];
    if (part.matches?.("figure[data-nearer]")) figures.push(part);
    for (const figure of figures) {
      const live = figure.closest("[data-live]");
      if (live && !drawn.has(live)) drawn.set(live, live.innerHTML);
      enliven(figure);
    }
  };

  // Takes the parts of a page that were loaded anew. What somebody is typing in, has ticked or looks at from nearer by stays.
  const take = (fresh) => {
    for (const part of live()) {
      const next = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
      const isTicked = part.querySelector("input:checked:not([data-marks] input)");
      const isChosen = part.querySelector("[data-marks] input:not(:checked), figure[data-zoom]:not([data-zoom='1'])");
      const isBusy = part.contains(document.activeElement) || isTicked || isChosen;
      if (next && !isBusy && next.innerHTML !== (drawn.get(part) ?? part.innerHTML)) {
        part.replaceWith(document.adoptNode(next));
        enlivenAll(next);
      }
    }
  };

  const load = async (address) => {
    const response = await fetch(address, { credentials: "same-origin", redirect: "error" });
    if (!response.ok) throw new Error(response.statusText);
    return new DOMParser().parseFromString(await response.text(), "text/html");
  };

  // However many events come at once, the page is loaded once, and at most once a second.
  let isWaiting = false;
  const refresh = () => {
    if (isWaiting) return;
    isWaiting = true;
    setTimeout(async () => {
      isWaiting = false;
      try {
        take(await load(location.href));
      } catch {
        // The next event tries again; a session that is over shows when somebody clicks.
      }
    }, 1000);
  };

  if (document.querySelector("[data-live]:not([data-live='now'])")) {
    let stream;
    const follow = () => {
      stream = new EventSource("/events/stream");
      stream.onmessage = refresh;
      for (const kind of (document.body.dataset.kinds || "").split(" ").filter(Boolean)) {
        stream.addEventListener(kind, refresh);
      }
    };
    // A hidden page follows nothing, and catches up when it is looked at.
    document.addEventListener("visibilitychange", () => {
      stream?.close();
      if (!document.hidden) {
        refresh();
        follow();
      }
    });
    if (!document.hidden) follow();
    addEventListener("pagehide", () => stream?.close());
  }

  // A job that runs changes without events.
  if (document.querySelector("progress")) {
    const timer = setInterval(() => {
      if (document.querySelector("progress")) refresh();
      else clearInterval(timer);
    }, 2000);
  }

  // The heading of a column of boxes ticks them all.
  for (const table of document.querySelectorAll("table")) {
    const boxes = () => table.querySelectorAll("td.controls input[type=checkbox]");
    const head = table.querySelector("th.controls");
    if (!head || boxes().length === 0) continue;
    const all = document.createElement("input");
    all.type = "checkbox";
    all.setAttribute("aria-label", head.textContent);
    all.addEventListener("change", () => {
      for (const box of boxes()) box.checked = all.checked;
    });
    head.replaceChildren(all);
  }

  // What takes longer comes after the page, instead of what stood in for it.
  for (const part of document.querySelectorAll("[data-load]")) {
    load(part.dataset.load)
      .then((fresh) => {
        const parts = [...fresh.body.childNodes];
        document.getElementById(part.dataset.instead).replaceWith(...parts);
        for (const part of parts) if (part instanceof Element) enlivenAll(part);
      })
      .catch(() => {});
  }

  enlivenAll(document);

  // The zone of the browser is offered where none was chosen.
  for (const field of document.querySelectorAll("[data-own-zone]")) {
    if (!field.value) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  }
})();
