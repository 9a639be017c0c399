// Comfort on top of the picture: tooltips, a filter, the keyboard, zoom. The picture is whole without it.
(() => {
  "use strict";
  const root = document.documentElement;
  const tip = document.getElementById("tip");
  const filter = document.getElementById("filter");
  const found = document.getElementById("found");
  const lanes = [...document.querySelectorAll(".lane")];
  root.classList.add("scripted");

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
  stop(lanes[0]);
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

  filter.addEventListener("input", () => {
    const looked = filter.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const lane of lanes) {
      const fits = looked.every((word) => lane.dataset.find.includes(word));
      lane.classList.toggle("without", !fits);
      if (fits) count += 1;
    }
    for (const bundle of document.querySelectorAll(".bundle")) {
      const left = bundle.querySelectorAll(".lane:not(.without)").length;
      bundle.classList.toggle("without", left === 0);
      bundle.style.setProperty("--lanes", left);
    }
    found.textContent = looked.length ? count + " of " + lanes.length : "";
    const first = lanes.find((lane) => !lane.classList.contains("without"));
    if (first) stop(first);
  });

  let zoom = 1;
  const zoomed = (factor) => {
    const share = scrollX / Math.max(1, root.scrollWidth);
    zoom = Math.min(16, Math.max(1, zoom * factor));
    root.style.setProperty("--zoom", zoom);
    scrollTo(share * root.scrollWidth, scrollY);
  };
  document.getElementById("wider").addEventListener("click", () => zoomed(2));
  document.getElementById("narrower").addEventListener("click", () => zoomed(0.5));
})();
