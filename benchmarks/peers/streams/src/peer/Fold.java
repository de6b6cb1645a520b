package peer;

import java.util.Collection;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bson.Document;

/** Folds the events of a call into its record; of an event that arrived twice one counts. */
final class Fold {
  private static final Set<String> DETAILS =
      Set.of("call.scheduled", "call.created", "call.ringing", "call.started", "call.updated");

  static Document of(String call, Collection<Event> arrived) {
    Map<String, Event> distinct = new LinkedHashMap<>();
    arrived.forEach(each -> distinct.putIfAbsent(each.source() + "\0" + each.id(), each));
    return record(call, distinct.values().stream().sorted().toList());
  }

  private static Document record(String call, List<Event> events) {
    Event end = events.stream().filter(each -> Event.isEnd(each.type())).reduce((first, last) -> last).orElseThrow();
    long began = sessionStart(events);
    long ended = end.moment("end_timestamp");
    long duration = end.data().path("duration_ms").asLong(Math.max(0, ended - began));
    String direction = upper(latest(events, "direction"));
    String type = upper(latest(events, "call_type"));
    String from = latest(events, "from_number");
    String to = latest(events, "to_number");
    int slash = call.indexOf('/');
    return new Document("_id", call)
        .append("agent_id", latest(events, "agent_id"))
        .append("call_id", call.substring(slash + 1))
        .append("organization_id", call.substring(0, slash))
        .append("call_status", end.is("call.failed") ? "ERROR" : "ENDED")
        .append("call_type", type)
        .append("direction", direction)
        .append("from_number", from)
        .append("to_number", to)
        .append("start_timestamp", began)
        .append("end_timestamp", ended)
        .append("call_duration", duration / 1000.0)
        .append("disconnection_reason", end.text("disconnection_reason"))
        .append("recording_url", latest(events, "recording_url"))
        .append("metadata", metadata(events))
        .append("events", Timeline.of(events, began, direction, from, to))
        .append("transcript", Conversation.transcript(events))
        .append("transcript_object", Conversation.turns(events))
        .append("transcript_with_tool_calls", Conversation.turnsWithTools(events))
        .append("latency", Latency.of(events))
        .append("call_cost", Cost.of(events, type, direction, duration))
        .append("event_count", events.size())
        .append("folded_at", new Date());
  }

  private static long sessionStart(List<Event> events) {
    return events.stream()
        .filter(each -> each.is("call.started"))
        .mapToLong(each -> each.moment("start_timestamp"))
        .min()
        .orElseGet(() -> events.stream().filter(Conversation::isTurn).mapToLong(Event::time).min().orElse(0));
  }

  private static String latest(List<Event> events, String field) {
    String found = null;
    for (Event each : events) {
      if ((DETAILS.contains(each.type()) || each.is("recording.available")) && each.text(field) != null) {
        found = each.text(field);
      }
    }
    return found;
  }

  private static Document metadata(List<Event> events) {
    Document merged = new Document();
    for (Event each : events) {
      if (DETAILS.contains(each.type())) {
        each.data().path("metadata").properties().forEach(field -> merged.append(field.getKey(), Plain.of(field.getValue())));
      }
    }
    return merged;
  }

  private static String upper(String word) {
    return word == null ? null : word.toUpperCase();
  }

  private Fold() {}
}
