// A part with `data-refresh` (seconds) is replaced by what the server says now, unless somebody selects text in it.
// The page works without: it shows what was true when it was loaded.
"use strict";

async function refresh(id) {
  const part = document.getElementById(id);
  if (part === null || !("refresh" in part.dataset)) return;
  const seconds = Number(part.dataset.refresh);
  if (!document.hidden && document.getSelection().isCollapsed) {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
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

function replace(part, fresh) {
  const open = new Set([...part.querySelectorAll("details[open]")].map((each) => each.closest("[id]").id));
  const focused = document.activeElement?.closest("[id]")?.id;
  for (const each of fresh.querySelectorAll("details")) each.open = open.has(each.closest("[id]").id);
  part.replaceWith(document.adoptNode(fresh));
  if (focused && part.id !== focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

for (const part of document.querySelectorAll("[data-refresh]")) {
  setTimeout(refresh, 1000 * Number(part.dataset.refresh), part.id);
}
