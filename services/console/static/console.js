// A part with `data-refresh` (seconds) is replaced by what the server says now, unless somebody selects text in it.
// The page works without: it shows what was true when it was loaded.
"use strict";

const LONGEST_MS = 10_000;

async function refresh(id) {
  const part = document.getElementById(id);
  if (part === null || !("refresh" in part.dataset)) return;
  const seconds = Number(part.dataset.refresh);
  if (!document.hidden && document.getSelection().isCollapsed) {
    try {
      const headers = { "X-Callfold-Refresh": "1" };
      const answer = await fetch(location.href, { headers, signal: AbortSignal.timeout(LONGEST_MS) });
      if (answer.redirected) return location.reload(); // the session has ended
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(id);
      if (answer.ok && fresh !== null) {
        replace(part, document.adoptNode(fresh));
        makeScrollable();
      }
      mayBeOld(!answer.ok);
    } catch {
      mayBeOld(true);
    }
  }
  setTimeout(refresh, 1000 * seconds, id);
}

function mayBeOld(isSo) {
  document.getElementById("may-be-old").hidden = !isSo;
}

// What the reader opens, and what this script sets.
const KEPT = new Set(["open", "tabindex"]);

// Only what differs is replaced: what the reader has opened, ticked, focused and scrolled to stays.
function replace(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (!(old instanceof Element) || old.nodeName !== fresh.nodeName || old.id !== fresh.id) {
    old.replaceWith(fresh);
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!KEPT.has(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (!KEPT.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  replaceChildren(old, fresh);
}

// Children are the same by their id, those without one by their place.
function replaceChildren(old, fresh) {
  const named = new Map([...old.children].filter((each) => each.id).map((each) => [each.id, each]));
  let next = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const same = child.id ? named.get(child.id) : next?.nodeName === child.nodeName && !next.id ? next : undefined;
    if (same === undefined || same.nodeName !== child.nodeName) {
      old.insertBefore(child, next);
    } else {
      if (same === next) next = next.nextSibling;
      else old.insertBefore(same, next);
      replace(same, child);
    }
  }
  while (next !== null) {
    const after = next.nextSibling;
    next.remove();
    next = after;
  }
}

// What does not fit its place can be scrolled by keyboard.
function makeScrollable() {
  for (const each of document.querySelectorAll(".wide, pre")) {
    if (each.scrollWidth > each.clientWidth || each.scrollHeight > each.clientHeight) each.tabIndex = 0;
    else each.removeAttribute("tabindex");
  }
}

makeScrollable();
addEventListener("resize", makeScrollable);
for (const part of document.querySelectorAll("[data-refresh]")) {
  setTimeout(refresh, 1000 * Number(part.dataset.refresh), part.id);
}

// Paper has nothing to click: what can be opened is printed open.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("main details:not([open])")];
  for (const each of opened) each.open = true;
});
addEventListener("afterprint", () => {
  for (const each of opened) each.open = false;
});
