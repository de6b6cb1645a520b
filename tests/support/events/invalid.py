"""An invalid record for each reason."""

from shared.contract.rejection import Reason
from tests.support.events.makers import event, raw

ONE_OF_EACH = {
    Reason.TOO_LARGE: b" " * (2**20 + 1),
    Reason.NOT_JSON: b"call ended",
    Reason.NOT_AN_OBJECT: b"[]",
    Reason.TOO_DEEP: b"[" * 65 + b"]" * 65,
    Reason.NOT_CLOUDEVENTS: b"{}",
    Reason.MISSING: raw(event("call.dtmf", digits=None)),
    Reason.NOT_BASE64: raw(event("call.dtmf") | {"data": None, "data_base64": "?"}),
    Reason.WRONG_TYPE: raw(event("call.dtmf", digits=[27])),
    Reason.OUT_OF_BOUNDS: raw(event("call.dtmf", digits="")),
}
