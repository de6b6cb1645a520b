"""What can be read of a call: its record or its details."""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum

from shared.calls.read_call import Reading, read_call
from shared.calls.read_details import read_details
from shared.fold.prices import PriceBook
from shared.store.ports import Store


class View(StrEnum):
    """What a reader asks for."""

    RECORD = "record"
    DETAILS = "details"


Read = Callable[[Store, str, PriceBook], Awaitable[Reading | None]]

READ: Mapping[View, Read] = {View.RECORD: read_call, View.DETAILS: read_details}
