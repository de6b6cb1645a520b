package peer;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.io.UncheckedIOException;

/** What gathering needs of an event; `data` is skipped, not built. */
@JsonIgnoreProperties(ignoreUnknown = true)
record Header(String organizationid, String subject, String type) {
  private static final ObjectReader READER = Event.JSON.readerFor(Header.class);

  static Header of(byte[] event) {
    try {
      return READER.readValue(event);
    } catch (IOException invalid) {
      throw new UncheckedIOException(invalid);
    }
  }

  String call() {
    return organizationid + "/" + subject;
  }

  boolean ends() {
    return Event.isEnd(type);
  }
}
