"""What calls cost: usage, providers' own lines, credits, and what comes long after the call."""

from typing import Any

from tests.support.events.makers import Json
from tests.support.events.stories import Story, agent, carrier, ended, ending, moment, ongoing, turn

DAY = 86_400
CALL = carrier("call.started", 0, direction="inbound")
COMPLETED = ending(60, "completed")
INBOUND = {"product": "inbound_call", "cost": 0.02, "unit_price": 0.02}


def usage(seconds: float, quantity: float, product: str = "llm_usage", **data: Any) -> Json:
    return agent("usage.reported", seconds, product=product, quantity=quantity, **data)


def cost(seconds: float, amount: float | str, product: str, **data: Any) -> Json:
    return carrier("cost.reported", seconds, source="/billing", product=product, cost=amount, **data)


def line(product: str, amount: float, unit_price: float | None = None) -> Json:
    return {"product": product, "cost": amount, "unit_price": unit_price}


def minute(total: float) -> Json:
    """Return what the record of a call of one minute has."""
    return ended("completed", end=60, seconds=60, cost=total)


def metered(call_id: str | None) -> list[Json]:
    named = {} if call_id is None else {"usage_id": call_id}
    return [CALL, *(usage(seconds, n, **named) for seconds, n in ((10, 100), (20, 250), (30, 450))), COMPLETED]


USAGE = [
    Story(
        "usage that is sent twice under one name counts once",
        [CALL, *(usage(10, 105, usage_id="request-1") for _ in range(2)), COMPLETED],
        minute(0.125) | {"call_cost.product_costs": [INBOUND, line("llm_usage", 0.105, 0.001)]},
    ),
    Story(
        "usage that is sent twice without a name counts twice",
        [CALL, *(usage(10, 105, request_id="request-1") for _ in range(2)), COMPLETED],
        minute(0.23),
    ),
    Story(
        "a running total under one name is worth its latest value",
        metered("session"),
        minute(0.47),
        details={
            "usage": [
                {"source": "/agent", "usage_id": "session", "product": "llm_usage", "quantity": 450, "unit": None}
            ]
        },
    ),
    Story("a running total without a name adds up", metered(None), minute(0.82)),
]

LINES = [
    Story(
        "amounts with many places are rounded to twelve and count",
        [
            carrier("call.started", 0, direction="web", call_type="web_call"),
            ending(29.893, "completed"),
            usage(30, 29.893555879592896, "stt_usage", unit="second"),
            cost(31, 0.0026999999999999997, "llm"),
            cost(31, 1e-07, "tts"),
            cost(31, "1.5e-3", "stt"),
        ],
        # 30 s are billed. 29.893555879593 * 0.0001 = 0.0029893555879593
        ended("completed", end=29.893, seconds=29.893, cost=0.012189)
        | {
            "call_type": "WEB_CALL",
            "direction": "WEB",
            "call_cost.product_costs": [
                line("web_call", 0.005, 0.01),
                line("llm", 0.0027),
                line("stt", 0.0015),
                line("stt_usage", 0.002989, 0.0001),
                line("tts", 0),
            ],
            "call_cost.total_duration_seconds": 30,
            "call_cost.total_one_time_price": 0.007189,
        },
    ),
    Story(
        "a credit is taken from the price of the call",
        [
            CALL,
            ending(600, "completed"),
            cost(900, "-0.05", "inbound_call", kind="adjustment", line_id="credit-1"),
        ],
        ended("completed", end=600, seconds=600, cost=0.15)
        | {
            "call_cost.product_costs": [line("inbound_call", 0.15, 0.02)],
            "call_cost.total_one_time_price": -0.05,
            "call_cost.total_duration_unit_price": 0.02,
        },
    ),
    Story(
        "an amount in a currency without a rate is left out",
        [CALL, COMPLETED, cost(90, "0.03", "carrier", currency="eur", line_id="L1")],
        minute(0.02) | {"call_cost.product_costs": [INBOUND]},
        {"currency_without_rate": 1},
        details={
            "costs": [
                {
                    "source": "/billing",
                    "line_id": "L1",
                    "kind": "charge",
                    "product": "carrier",
                    "cost": 0.03,
                    "currency": "EUR",
                    "quantity": None,
                    "unit": None,
                    "unit_price": None,
                    "leg_id": None,
                    "counted": False,
                }
            ]
        },
    ),
    Story(
        "usage of a product without a price keeps its line",
        [
            CALL,
            turn(3, "I was cut", role="agent"),
            usage(4, 1834, "a-model", unit="input_token"),
            cost(6, "0.01", "carrier", line_id="L1", quantity=2, billable_seconds=60),
        ],
        # 3 s of talk: 0.001
        ongoing(cost=0.011)
        | {
            "call_cost.product_costs": [
                line("inbound_call", 0.001, 0.02),
                line("a-model", 0),
                line("carrier", 0.01),
            ]
        },
        {"unrated_product": 1},
        details={
            "usage": [
                {
                    "source": "/agent",
                    "usage_id": None,
                    "product": "a-model",
                    "quantity": 1834,
                    "unit": "input_token",
                }
            ]
        },
    ),
]

SPOKEN = turn(100, "My number is private.")
HANG_UP = ending(300, "user_hangup")
PARTIES = carrier("call.started", 0, direction="inbound", from_number="+1555", to_number="+1800")
INVOICE = [
    cost(30 * DAY, "0.03", "carrier", line_id="L1"),
    cost(31 * DAY, "0.025", "carrier", line_id="L1"),
    cost(31 * DAY, "-0.05", "inbound_call", kind="adjustment", line_id="credit"),
]
OPT_OUT = carrier("call.updated", 32 * DAY, opt_out_sensitive_data_storage=True)
# 0.1 for the call less 0.05, and 0.025 of the corrected invoice
INVOICED = ended("user_hangup", end=300, seconds=300, cost=0.075) | {
    "call_cost.product_costs": [line("inbound_call", 0.05, 0.02), line("carrier", 0.025)],
    "call_cost.total_duration_seconds": 300,
    "call_cost.total_one_time_price": -0.025,
}
A_MONTH_LATER = [
    Story(
        "an invoice and its correction a month later",
        [PARTIES, SPOKEN, HANG_UP, *INVOICE],
        INVOICED | {"transcript": "My number is private.", "from_number": "+1555", "to_number": "+1800"},
    ),
    Story(
        "an invoice, its correction and an opt-out a month later",
        [PARTIES, SPOKEN, HANG_UP, *INVOICE, OPT_OUT],
        INVOICED
        | {
            "transcript": "",
            "transcript_object": [],
            "from_number": None,
            "to_number": None,
            "opt_out_sensitive_data_storage": True,
            "events": [
                {
                    "event": "Call started - INBOUND",
                    "timestamp": moment(0),
                    "session_time": 0,
                    "data": {"direction": "INBOUND"},
                },
                {"event": "Call ended - user_hangup", "timestamp": moment(300), "session_time": 300, "data": {}},
            ],
        },
        details={"turns": [], "tool_calls": []},
    ),
    Story(
        "an invoice a month later for a call that goes on is no talk",
        [PARTIES, SPOKEN, INVOICE[0]],
        ongoing(cost=0.063333),  # 100 s and 0.03
    ),
]

STORIES = (*USAGE, *LINES, *A_MONTH_LATER)
