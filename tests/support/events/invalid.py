"""An invalid record for each reason."""

from shared.contract.rejection import Reason
from tests.support.events.makers import event, raw

ONE_OF_EACH = {
    Reason.TOO_LARGE: b" " * (2**20 + 1),
    Reason.NOT_JSON: b"call ended",
    Reason.NOT_AN_OBJECT: b"[]",
    Reason.NUMBER_OUT_OF_RANGE: b'{"n": 9223372036854775808}',
    Reason.NUL_IN_KEY: rb'{"\u0000": 1}',
    Reason.TOO_DEEP: b"[" * 65 + b"]" * 65,
    Reason.NOT_CLOUDEVENTS: b"{}",
    Reason.MISSING: raw(event("call.dtmf", digits=None)),
    Reason.WRONG_TYPE: raw(event("call.dtmf", digits=27)),
    Reason.OUT_OF_BOUNDS: raw(event("call.dtmf", digits="")),
    Reason.INVALID_TIME: raw(event("call.dtmf") | {"time": "yesterday"}),
}
