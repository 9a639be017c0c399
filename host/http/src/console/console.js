// Comfort for the pages of the console, each of which is whole without it: parts that change by themselves are loaded again
// when something happens, a table can be ticked whole, and a part that takes longer comes after the page.
"use strict";

(() => {
  const live = () => document.querySelectorAll("[data-live]");

  // Takes the parts of a page that were loaded anew. What somebody is typing in or has ticked stays as it is.
  const take = (fresh) => {
    for (const part of live()) {
      const next = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
      const isBusy = part.contains(document.activeElement) || part.querySelector("input:checked");
      if (next && !isBusy && next.innerHTML !== part.innerHTML) {
        part.replaceWith(document.adoptNode(next));
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
      .then((fresh) => document.getElementById(part.dataset.instead).replaceWith(...fresh.body.childNodes))
      .catch(() => {});
  }

  // The zone of the browser is offered where none was chosen.
  for (const field of document.querySelectorAll("[data-own-zone]")) {
    if (!field.value) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  }
})();
