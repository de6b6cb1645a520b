package peer;

import java.util.concurrent.atomic.AtomicLong;

/** What was done so far, for the one who measures. */
final class Progress {
  final AtomicLong events = new AtomicLong();
  final AtomicLong folds = new AtomicLong();
  private long reported;

  void report() {
    long now = events.get() + folds.get();
    if (now != reported) {
      reported = now;
      System.out.println("folds " + folds.get() + "\n" + events.get());
    }
  }
}
