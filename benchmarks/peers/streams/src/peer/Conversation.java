package peer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bson.Document;

/** Turns and tool calls by their timestamps; of a turn its highest revision counts. */
final class Conversation {
  private static final Comparator<Event> BY_TIMESTAMP =
      Comparator.<Event>comparingLong(each -> each.moment("timestamp")).thenComparing(Comparator.naturalOrder());

  static boolean isTurn(Event event) {
    return event.is("transcript.turn");
  }

  static String transcript(List<Event> events) {
    return standing(events)
        .map(each -> each.data().path("content").asText())
        .filter(said -> !said.isEmpty())
        .collect(Collectors.joining("\n"));
  }

  static List<Document> turns(List<Event> events) {
    return standing(events).map(Conversation::turn).toList();
  }

  static List<Document> turnsWithTools(List<Event> events) {
    List<Event> all = new ArrayList<>(events.stream().filter(Conversation::isTool).toList());
    if (all.isEmpty()) {
      return List.of();
    }
    standing(events).forEach(all::add);
    return all.stream().sorted(BY_TIMESTAMP).map(each -> isTurn(each) ? turn(each) : tool(each)).toList();
  }

  private static boolean isTool(Event event) {
    return event.is("tool.called") || event.is("tool.returned");
  }

  private static Stream<Event> standing(List<Event> events) {
    Map<String, Event> highest = new HashMap<>();
    for (Event each : events) {
      if (isTurn(each)) {
        String turn = each.text("turn_id") == null ? each.id() : each.text("turn_id");
        highest.merge(each.source() + "\0" + turn, each, (one, other) -> revision(other) >= revision(one) ? other : one);
      }
    }
    return highest.values().stream().sorted(BY_TIMESTAMP);
  }

  private static long revision(Event event) {
    return event.data().path("revision").asLong(0);
  }

  private static Document turn(Event event) {
    return new Document("role", event.text("role"))
        .append("content", event.data().path("content").asText())
        .append("timestamp", event.moment("timestamp"))
        .append("words", event.data().has("words") ? Plain.of(event.data().get("words")) : List.of());
  }

  private static Document tool(Event event) {
    Document entry = event.is("tool.called") ? invocation(event) : result(event);
    return entry.append("timestamp", event.moment("timestamp"));
  }

  private static Document invocation(Event event) {
    return new Document("role", "tool_call_invocation")
        .append("tool_call_id", event.text("tool_call_id"))
        .append("name", event.text("name"))
        .append("arguments", asText(event.data().path("arguments"), "{}"));
  }

  private static Document result(Event event) {
    return new Document("role", "tool_call_result")
        .append("tool_call_id", event.text("tool_call_id"))
        .append("content", asText(event.data().path("content"), ""))
        .append("successful", Plain.of(event.data().path("successful")));
  }

  private static String asText(JsonNode value, String missing) {
    if (value.isTextual() || value.isMissingNode()) {
      return value.asText(missing);
    }
    try {
      return Event.JSON.writeValueAsString(Event.JSON.treeToValue(value, Object.class));
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private Conversation() {}
}
