"""The problems of a call (docs/publishing.md, Problems), implemented a second time; see `fold.py`."""

from tests.support.reference.duration import duration_disagrees, end_timestamp
from tests.support.reference.ends import ends_before_start
from tests.support.reference.events import Json
from tests.support.reference.fold import Call
from tests.support.reference.reading import PROBLEM_KINDS


def problems_of(call: Call) -> list[Json]:
    """Return `{kind, event, field}` of each problem, one per event, kind and field, and one `conflict` per losing body.

    In the events' order, of one event by the kind's place in the closed set, then field; those that name no event last.
    """
    ours = [*_of_the_start(call), *_of_ends(call), *_of_talk(call), *call.cost.problems()]
    turns = [("turn_not_final", turn, None) for turn in call.unfinal_turns]
    found = [*call.read.problems, *(_problem(kind, event, field) for kind, event, field in [*ours, *turns])]
    places = {(event["source"], event["id"]): place for place, event in enumerate(call.events)}

    def place(problem: Json) -> tuple[int, int, str]:
        event = problem["event"]
        of_event = len(places) if event is None else places[event["source"], event["id"]]
        return (of_event, PROBLEM_KINDS.index(problem["kind"]), problem["field"] or "")

    conflicts = [problem for problem in found if problem["kind"] == "conflict"]
    distinct = {place(problem): problem for problem in found if problem["kind"] != "conflict"}
    return sorted([*conflicts, *distinct.values()], key=place)


Found = tuple[str, Json | None, str | None]


def _problem(kind: str, event: Json | None, field: str | None) -> Json:
    named = None if event is None else {name: event[name] for name in ("source", "id", "type")}
    return {"kind": kind, "event": named, "field": field}


def _of_the_start(call: Call) -> list[Found]:
    """What lies more than 30 days too early is left out, a stated start or time as its field."""
    found: list[Found] = []
    for event in call.session.left_out:
        field = "timestamp" if event["type"] == "transcript.turn" else "start_timestamp"
        found.append(("start_left_out", event, field if event["data"].get(field) is not None else None))
    return found


def _of_ends(call: Call) -> list[Found]:
    found: list[Found] = [("end_overruled", end.event, None) for end in call.ends.overruled]
    found += [("end_undone", end.event, None) for end in call.ends.undone]
    found += [("end_before_start", end, "end_timestamp") for end in ends_before_start(call.events, call.session)]
    disagreeing = duration_disagrees(call.ends)
    return [*found, ("duration_disagrees", disagreeing.event, "duration_ms")] if disagreeing else found


def _of_talk(call: Call) -> list[Found]:
    """Talk more than 60 s after the `end_timestamp` of an ended call."""
    end = end_timestamp(call.ends)
    late = [] if end is None else [talk for talk in call.ends.talk if talk.moment > end + 60_000]
    return [("talk_after_end", talk.event, None) for talk in late]
