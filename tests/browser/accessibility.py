"""What axe, the usual checker of accessibility, finds on a page."""

from importlib.resources import files

from playwright.async_api import Page

_SCRIPT = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
_RUN = """async (rules) => {
  // A page that has just got another size hears of it with the next frame.
  await new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const found = await axe.run(document, { runOnly: rules, resultTypes: ["violations"] });
  return found.violations.flatMap(each => each.nodes.map(
    node => `${each.id}: ${node.target.join(" ")}: ${node.failureSummary}`));
}"""


async def violations(page: Page) -> list[str]:
    """Return a line for each element that breaks a rule of WCAG 2.1, A or AA."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_SCRIPT)
    found: list[str] = await page.evaluate(_RUN, _RULES)
    return found
