package peer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.OffsetDateTime;
import java.util.Comparator;

/** An event; `time` in Unix milliseconds. Events are in the order in which they happened. */
record Event(long time, String sequence, String source, String id, String type, JsonNode data)
    implements Comparable<Event> {
  static final ObjectMapper JSON =
      new ObjectMapper().configure(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS, true);
  private static final Comparator<Event> ORDER =
      Comparator.comparingLong(Event::time)
          .thenComparingInt(event -> event.sequence.length())
          .thenComparing(Event::sequence)
          .thenComparing(Event::source)
          .thenComparingInt(event -> event.id.length())
          .thenComparing(Event::id);

  static Event of(byte[] value) {
    try {
      JsonNode body = JSON.readTree(value);
      return new Event(
          OffsetDateTime.parse(body.get("time").textValue()).toInstant().toEpochMilli(),
          body.path("sequence").asText(),
          body.get("source").textValue(),
          body.get("id").textValue(),
          body.get("type").textValue(),
          body.path("data"));
    } catch (IOException invalid) {
      throw new UncheckedIOException(invalid);
    }
  }

  static boolean isEnd(String type) {
    return type.equals("call.ended") || type.equals("call.failed");
  }

  boolean is(String other) {
    return type.equals(other);
  }

  /** The text of a field, null without one. */
  String text(String field) {
    JsonNode value = data.path(field);
    return value.isNull() || value.isMissingNode() || value.asText().isEmpty() ? null : value.asText();
  }

  /** A time that `data` states, by default the event's own. */
  long moment(String field) {
    return data.path(field).asLong(time);
  }

  @Override
  public int compareTo(Event other) {
    return ORDER.compare(this, other);
  }
}
