"""The JSON files of the dashboards, and which of them are out of date."""

import json
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.layout import dashboard
from deploy.grafana.service import service
from deploy.grafana.tonight import tonight

FOLDER = Path(__file__).parent / "dashboards"


def generated() -> dict[str, str]:
    """Return the text of each file by its name."""
    return {f"{contents.name}.json": _text(dashboard(contents)) for contents in (tonight(), service())}


def out_of_date(folder: Path = FOLDER) -> list[str]:
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    texts = generated()
    return sorted(name for name in {*present, *texts} if present.get(name) != texts.get(name))


def write(folder: Path = FOLDER) -> None:
    """Write the files, and remove those of dashboards that are no more."""
    texts = generated()
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def _text(value: object) -> str:
    return json.dumps(value, cls=JSONEncoder, indent=2, ensure_ascii=False) + "\n"
