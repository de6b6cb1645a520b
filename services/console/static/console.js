// A part with `data-refresh` (seconds) is replaced by what the server says now, unless somebody selects text in it.
// The page works without: it shows what was true when it was loaded.
"use strict";

async function refresh(id) {
  const part = document.getElementById(id);
  if (part === null || !("refresh" in part.dataset)) return;
  const seconds = Number(part.dataset.refresh);
  if (!document.hidden && document.getSelection().isCollapsed) {
    try {
      const answer = await fetch(location.href, { headers: { "X-Callfold-Refresh": "1" } });
      if (answer.redirected) return location.reload(); // the session has ended
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(id);
      if (answer.ok && fresh !== null) replace(part, fresh);
      document.body.classList.toggle("stale", !answer.ok);
    } catch {
      document.body.classList.add("stale"); // the server does not answer: what is shown may be old
    }
  }
  setTimeout(refresh, 1000 * seconds, id);
}

// What the reader has opened, ticked, focused and scrolled to stays.
function replace(part, fresh) {
  const kept = (each) => each.closest("[id]").id;
  const open = new Set([...part.querySelectorAll("details[open]")].map(kept));
  for (const each of fresh.querySelectorAll("details")) if (open.has(kept(each))) each.open = true;
  for (const box of part.querySelectorAll("input[type=checkbox][id]:checked")) {
    const same = fresh.querySelector(`#${CSS.escape(box.id)}`);
    if (same !== null) same.checked = true;
  }
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  const place = focused === null ? -1 : focusable(part).indexOf(focused);
  const scrolled = [...part.querySelectorAll(".wide")].map((each) => each.scrollLeft);
  part.replaceWith(document.adoptNode(fresh));
  fresh.querySelectorAll(".wide").forEach((each, n) => (each.scrollLeft = scrolled[n] ?? 0));
  makeScrollable();
  if (focused?.id) document.getElementById(focused.id)?.focus({ preventScroll: true });
  else if (place >= 0) focusable(fresh)[place]?.focus({ preventScroll: true });
}

function focusable(part) {
  return [...part.querySelectorAll("a[href], button, input, select, summary, [tabindex]")];
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
