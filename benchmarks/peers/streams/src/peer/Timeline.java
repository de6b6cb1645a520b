package peer;

import java.util.List;
import java.util.Set;
import org.bson.Document;

/** The entries of the timeline: of the lifecycle of a call, and of events of unknown types. */
final class Timeline {
  private static final Set<String> WITHOUT_ENTRY =
      Set.of(
          "call.updated",
          "transcript.turn",
          "tool.called",
          "tool.returned",
          "latency.sampled",
          "usage.reported",
          "call.analyzed");

  static List<Document> of(List<Event> events, long began, String direction, String from, String to) {
    Document parties = new Document();
    putIfKnown(parties, "direction", direction);
    putIfKnown(parties, "from", from);
    putIfKnown(parties, "to", to);
    return events.stream()
        .filter(each -> !WITHOUT_ENTRY.contains(each.type()))
        .map(each ->
            new Document("timestamp", each.time())
                .append("event", label(each, direction))
                .append("session_time", Math.max(0, each.time() - began) / 1000.0)
                .append("data", data(each, parties)))
        .toList();
  }

  private static String label(Event event, String direction) {
    return switch (event.type()) {
      case "call.scheduled", "call.created", "call.ringing" -> "Call " + event.type().substring("call.".length());
      case "call.started" -> direction == null ? "Call started" : "Call started - " + direction;
      case "call.ended", "call.failed" ->
          "Call " + event.type().substring("call.".length()) + " - " + event.text("disconnection_reason");
      case "call.note" -> event.text("event");
      case "recording.available" -> "Recording available";
      default -> event.type();
    };
  }

  private static Document data(Event event, Document parties) {
    Document data = new Document();
    switch (event.type()) {
      case "call.scheduled", "call.created", "call.ringing" -> {}
      case "call.started" -> data.putAll(parties);
      case "call.ended", "call.failed" -> putIfKnown(data, "ended_by", event.text("ended_by"));
      case "call.note" -> data.putAll(Plain.document(event.data().path("data")));
      default -> data.putAll(Plain.document(event.data()));
    }
    return data;
  }

  private static void putIfKnown(Document document, String name, String value) {
    if (value != null) {
      document.append(name, value);
    }
  }

  private Timeline() {}
}
