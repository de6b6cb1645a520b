package peer;

import java.nio.ByteBuffer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** What is known of a call next to its events: its last arrival (Unix ms), whether it ended, whether it is folded. */
record CallState(long arrival, boolean ended, boolean folded) {
  static final CallState NEW = new CallState(0, false, false);
  static final Serde<CallState> SERDE = Serdes.serdeFrom((topic, state) -> write(state), (topic, bytes) -> read(bytes));

  CallState arrived(long at, boolean ends) {
    return new CallState(Math.max(arrival, at), ended || ends, false);
  }

  CallState asFolded() {
    return new CallState(arrival, ended, true);
  }

  boolean isDue() {
    return ended && !folded;
  }

  private static byte[] write(CallState state) {
    if (state == null) {
      return null;
    }
    int flags = (state.ended ? 1 : 0) | (state.folded ? 2 : 0);
    return ByteBuffer.allocate(9).putLong(state.arrival).put((byte) flags).array();
  }

  private static CallState read(byte[] bytes) {
    if (bytes == null) {
      return null;
    }
    ByteBuffer from = ByteBuffer.wrap(bytes);
    long arrival = from.getLong();
    byte flags = from.get();
    return new CallState(arrival, (flags & 1) != 0, (flags & 2) != 0);
  }
}
