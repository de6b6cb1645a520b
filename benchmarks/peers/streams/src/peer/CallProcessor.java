package peer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;

/**
 * Gathers the events of calls, and folds a call when it has ended and nothing of it arrived for a while, by stream time.
 *
 * <p>A task has the same partition of both topics, and Kafka Streams takes their records by timestamp: it does not go on
 * with one topic while the broker still has older records of the other (max.task.idle.ms, by default 0). So stream time
 * is that of both. At the end of both topics stream time stands still: there the clock counts, and a shorter while does.
 * A late event folds its call again, with all of its events.
 */
final class CallProcessor implements Processor<byte[], byte[], Void, Void> {
  static final String EVENTS = "events";
  static final String CALLS = "calls";

  private static final Duration QUIET = Duration.ofSeconds(5);
  private static final Duration QUIET_AT_THE_END = Duration.ofMillis(500);
  private static final int FOLDED_AT_ONCE = 100;
  private static final Duration PURGE_EVERY = Duration.ofHours(1);

  private final Records records;
  private final Progress progress;
  private final Ends ends;
  private final long retentionMs;
  private final Map<String, Long> due = new HashMap<>(); // the last arrival of each call that ended, until it is folded
  private WindowStore<String, byte[]> events;
  private KeyValueStore<String, CallState> calls;
  private ProcessorContext<Void, Void> context;

  CallProcessor(Records records, Progress progress, Ends ends, Duration retention) {
    this.records = records;
    this.progress = progress;
    this.ends = ends;
    this.retentionMs = retention.toMillis();
  }

  @Override
  public void init(ProcessorContext<Void, Void> context) {
    this.context = context;
    events = context.getStateStore(EVENTS);
    calls = context.getStateStore(CALLS);
    try (var known = calls.all()) {
      known.forEachRemaining(each -> schedule(each.key, each.value));
    }
    context.schedule(QUIET.dividedBy(5), PunctuationType.STREAM_TIME, now -> foldUntil(now - QUIET.toMillis()));
    context.schedule(QUIET_AT_THE_END, PunctuationType.WALL_CLOCK_TIME, this::foldAtTheEnd);
    context.schedule(PURGE_EVERY, PunctuationType.STREAM_TIME, now -> purge(now - retentionMs));
  }

  @Override
  public void process(Record<byte[], byte[]> record) {
    Header header = Header.of(record.value());
    String call = header.call();
    events.put(call, record.value(), record.timestamp());
    CallState known = calls.get(call);
    CallState state = (known == null ? CallState.NEW : known).arrived(record.timestamp(), header.ends());
    calls.put(call, state);
    schedule(call, state);
    context.recordMetadata().ifPresent(ends::processed);
    progress.events.incrementAndGet();
  }

  private void schedule(String call, CallState state) {
    if (state.isDue()) {
      due.put(call, state.arrival());
    }
  }

  private void foldAtTheEnd(long now) {
    if (ends.reached(context.taskId().partition())) {
      foldUntil(now - QUIET_AT_THE_END.toMillis());
    }
  }

  private void foldUntil(long arrival) {
    List<String> quiet = new ArrayList<>();
    due.forEach((call, last) -> {
      if (last <= arrival) {
        quiet.add(call);
      }
    });
    for (int first = 0; first < quiet.size(); first += FOLDED_AT_ONCE) {
      fold(quiet.subList(first, Math.min(first + FOLDED_AT_ONCE, quiet.size())));
    }
  }

  private void fold(List<String> quiet) {
    records.write(quiet.stream().map(call -> Fold.of(call, eventsOf(call))).toList());
    for (String call : quiet) { // only once they are written: a crash before folds them again
      calls.put(call, calls.get(call).asFolded());
      due.remove(call);
    }
    progress.folds.addAndGet(quiet.size());
  }

  private List<Event> eventsOf(String call) {
    List<Event> found = new ArrayList<>();
    try (var stored = events.fetch(call, 0, Long.MAX_VALUE)) {
      stored.forEachRemaining(each -> found.add(Event.of(each.value)));
    }
    return found;
  }

  private void purge(long before) {
    try (var known = calls.all()) {
      known.forEachRemaining(each -> {
        if (each.value.arrival() < before) {
          calls.delete(each.key);
          due.remove(each.key);
        }
      });
    }
  }
}
