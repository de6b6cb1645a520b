"""Calls that the tests publish."""

import json
import time
from typing import Any

from deploy.demo.story import Script

Json = dict[str, Any]

ORGANIZATION = "org-browser"
REFUND = "I would like a refund of $27."
SCRIPT = "<script>window.hit = 1</script>"
IMAGE = "<img src=x onerror=\"window.hit = 1; alert('hit')\">"
BREAKOUT = '"\'></textarea></title></style><svg onload="window.hit = 1">{{ 7 * 7 }}</svg>'
HOSTILE_ORGANIZATION = f"org {IMAGE}"
HOSTILE = (SCRIPT, IMAGE, BREAKOUT)


def begun(call: str) -> Script:
    """Return a call that began a minute ago."""
    script = Script(ORGANIZATION, call, time.time_ns() // 1_000_000 - 60_000)
    script.create()
    script.happen("call.ringing", "Call ringing")
    return script


def conversation(call: str) -> Script:
    """Return a call that is over: three turns, a tool, a cost."""
    script = begun(call)
    script.start()
    script.say("agent", "Thank you for calling. How can I help you today?")
    script.say("user", REFUND)
    script.use_tool(1)
    script.say("agent", "It is on its way.")
    script.use(20)
    script.end()
    return script


def hostile(call: str) -> list[Json]:
    """Return the events of a call whose every text is markup."""
    script = Script(HOSTILE_ORGANIZATION, call, time.time_ns() // 1_000_000 - 60_000)
    script.create(SCRIPT)
    script.start()
    for text in HOSTILE:
        script.say("user", text)
        script.say(f"speaker {text}", text)
        script.happen("call.note", text, event=text, data={text: text})
        script.happen(f"unknown {text}", text, **{text: text})
    data = {
        "agent_id": IMAGE,
        "metadata": {text: {text: text} for text in HOSTILE},
        "recording_url": "javascript:window.hit=1",
        "public_log_url": f"https://example.com/{IMAGE}",
    }
    script.happen("call.updated", "", **data)
    script.happen("tool.called", "", tool_call_id=IMAGE, name=IMAGE, arguments={IMAGE: SCRIPT})
    script.happen("tool.returned", "", tool_call_id=IMAGE, content=SCRIPT)
    script.happen("call.analyzed", "", analysis={IMAGE: BREAKOUT})
    script.happen("cost.reported", "", product=IMAGE, cost="0.01")
    script.end(IMAGE, "call.failed")
    return [{**event, "source": f"{event['source']}/{SCRIPT}"} for event in script.events]


def invalid() -> bytes:
    """Return the bytes of an event that is invalid, and whose every text is markup."""
    texts = {"id": IMAGE, "source": f"/{SCRIPT}", "type": "call.dtmf", "subject": IMAGE, "organizationid": SCRIPT}
    event = {"specversion": "1.0", **texts, "time": "2023-12-20T18:40:00Z", "data": {"digits": {IMAGE: BREAKOUT}}}
    return json.dumps(event).encode()
