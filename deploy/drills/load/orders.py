"""What the load is asked to publish, a line of JSON on its standard input for each change."""

import json
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Orders:
    """Records a second: of ordinary calls, of a provider with one key, of no events; and a burst of calls, at once."""

    steady: float = 200.0
    one_key: float = 0.0
    invalid: float = 0.0
    burst: int = 0

    def line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> Self:
        return cls(**json.loads(line))
