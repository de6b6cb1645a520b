"""Where what was measured goes: into a folder, and into the documents."""

from pathlib import Path

from benchmarks.document import performance, readme, tables
from benchmarks.drawing import svg
from benchmarks.plots import plots
from benchmarks.samples import Samples

ROOT = Path(__file__).parents[1]
RECORDED = Path("docs/performance/samples.json")
DOCUMENT = Path("docs/performance.md")
README = Path("README.md")


class Kept(Samples):
    """Samples that are on disk as soon as they are taken."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def add(self, part: str, case: str, subject: str, round_: int, **measured: float) -> None:
        """Take in and write."""
        super().add(part, case, subject, round_, **measured)
        self.write(self._path)


def write(samples: Samples, folder: Path) -> None:
    """Write values, tables and plots into the folder."""
    samples.write(folder / "samples.json")
    (folder / "table.md").write_text(tables(samples), encoding="utf-8")
    draw(samples, folder)


def record(samples: Samples, root: Path = ROOT) -> None:
    """Put the parts that were measured as a whole in place of what is recorded, and render it."""
    recorded = Samples.read(root / RECORDED)
    for part, run in samples.runs.items():
        if not run.failed:
            recorded.take(part, samples)
    recorded.write(root / RECORDED)
    render(root)


def render(root: Path = ROOT) -> None:
    """Write documents and plots anew from what is recorded."""
    recorded = Samples.read(root / RECORDED)
    for path, text in rendered(root, recorded).items():
        (root / path).write_text(text, encoding="utf-8")
    draw(recorded, (root / RECORDED).parent)


def rendered(root: Path, recorded: Samples) -> dict[Path, str]:
    """Return the documents as they are with these figures."""
    document, front = ((root / path).read_text(encoding="utf-8") for path in (DOCUMENT, README))
    return {DOCUMENT: performance(document, recorded, RECORDED.parent.name), README: readme(front, recorded)}


def draw(samples: Samples, folder: Path) -> None:
    """Write the plots into the folder."""
    for part, plot in plots(samples).items():
        (folder / f"{part}.svg").write_bytes(svg(plot))
