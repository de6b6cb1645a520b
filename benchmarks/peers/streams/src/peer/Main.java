package peer;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.Stores;

/**
 * Calls folded by Kafka Streams: the events of a call are gathered in a state store, and folded into one document when
 * the call has ended and gone quiet. Fault tolerance as it is by default: RocksDB with a changelog, at least once.
 *
 * <p>Writes the number of events processed on a line of its own, and "folds" with the number of folds.
 */
public final class Main {
  private static final Duration RETENTION = Duration.ofDays(1);
  private static final Duration WINDOW = Duration.ofHours(1);
  private static final int THREADS = 2;
  private static final long REPORT_MS = 50;
  private static final int REFRESH_EVERY = 5;

  public static void main(String[] arguments) throws ExecutionException, InterruptedException {
    Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> {
      failure.printStackTrace();
      Runtime.getRuntime().halt(1); // without the main thread the others would never learn where topics end
    });
    String bootstrap = arguments[0];
    String mongo = arguments[1];
    String name = arguments[2];
    Records records = new Records(mongo, name);
    Progress progress = new Progress();
    List<String> topics = List.of(arguments[3], arguments[4]);
    Ends ends = new Ends(bootstrap, name, topics);
    KafkaStreams streams = new KafkaStreams(topology(records, progress, ends, topics), settings(bootstrap, name));
    streams.setUncaughtExceptionHandler(failure -> StreamThreadExceptionResponse.SHUTDOWN_CLIENT);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(5))));
    streams.start();
    for (int turn = 0; streams.state() != KafkaStreams.State.ERROR; turn++) {
      progress.report();
      if (turn % REFRESH_EVERY == 0) {
        ends.refresh();
      }
      Thread.sleep(REPORT_MS);
    }
    System.exit(1);
  }

  private static Topology topology(Records records, Progress progress, Ends ends, List<String> topics) {
    var bytes = Serdes.ByteArray();
    var events =
        Stores.windowStoreBuilder(
            // The "window" of an event is its arrival; a segment is dropped as a whole, so nothing is deleted one by one.
            Stores.persistentWindowStore(CallProcessor.EVENTS, RETENTION, WINDOW, true), Serdes.String(), bytes);
    var calls =
        Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore(CallProcessor.CALLS), Serdes.String(), CallState.SERDE)
            .withCachingEnabled();
    return new Topology()
        .addSource("in", bytes.deserializer(), bytes.deserializer(), topics.toArray(String[]::new))
        .addProcessor("fold", () -> new CallProcessor(records, progress, ends, RETENTION), "in")
        .addStateStore(events, "fold")
        .addStateStore(calls, "fold");
  }

  private static Properties settings(String bootstrap, String name) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, name);
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, Path.of("state").toAbsolutePath().toString());
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, THREADS);
    settings.put("auto.offset.reset", "earliest");
    settings.put("max.poll.records", 5_000);
    settings.put("max.partition.fetch.bytes", 4 << 20); // as Callfold's worker
    settings.put("producer.batch.size", 262_144);
    return settings;
  }

  private Main() {}
}
