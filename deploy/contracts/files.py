"""The generated files, and how they differ from the present ones."""

import difflib
import functools
import json
import re
from pathlib import Path

import yaml

from deploy.contracts import metrics, settings
from deploy.contracts.asyncapi import document
from deploy.contracts.schemas import event_schema
from shared.contract.payloads import TYPES

FOLDER = Path(__file__).parents[2] / "docs"

_CONTRACTS = Path("contracts")
_EVENTS = _CONTRACTS / "events"
_WIDTH = 120


class _Plain(yaml.SafeDumper):
    """Repeats a value that is used twice, instead of writing an anchor and an alias."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


# YAML 1.2, 10.3.2: PyYAML, which follows 1.1, writes `1e5` and `0o7` without quotes.
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+")


def _text(dumper: _Plain, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else "'" if _NUMBER.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Plain.add_representer(str, _text)


@functools.cache
def generated() -> dict[Path, str]:
    """Return the text of each file by its path within the folder."""
    schemas = {_EVENTS / f"{kind}.json": _json(event_schema(kind)) for kind in TYPES}
    pages = {Path("settings.md"): settings.page(), Path("metrics.md"): metrics.page()}
    return {_CONTRACTS / "asyncapi.yaml": as_yaml(document()), **schemas, **pages}


def differences(folder: Path = FOLDER) -> list[str]:
    """Return a line for each file that differs from the generated one."""
    texts = generated()
    stale = [f"{path}: belongs to no event type" for path in _present(folder) if path not in texts]
    changed = [(path, _difference(folder / path, text)) for path, text in texts.items()]
    return [f"{path}: {how}" for path, how in changed if how] + stale


def write(folder: Path = FOLDER) -> None:
    """Write the files, and remove the schemas of types that no longer exist."""
    texts = generated()
    for path in _present(folder):
        if path not in texts:
            (folder / path).unlink()
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def _present(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.glob(f"{_EVENTS.as_posix()}/*.json"))


def _difference(path: Path, text: str) -> str:
    """Return how the file differs from the text, an empty string if it does not."""
    if not path.exists():
        return "is missing"
    present = path.read_text(encoding="utf-8")
    if present == text:
        return ""
    lines = list(difflib.unified_diff(present.splitlines(), text.splitlines(), n=0))[2:]
    return f"{sum(line[0] == '+' for line in lines)} lines more, {sum(line[0] == '-' for line in lines)} fewer"


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def as_yaml(value: object) -> str:
    """Return the value as YAML, with every text that looks like a number quoted."""
    text: str = yaml.dump(value, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return text
