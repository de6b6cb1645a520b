package peer;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.processor.api.RecordMetadata;

/** How far each partition is processed, and where it ends: stream time stands still at the end. */
final class Ends {
  private final List<String> topics;
  private final Admin admin;
  private final Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
  private final Map<TopicPartition, Long> positions = new ConcurrentHashMap<>();
  private final Map<TopicPartition, Long> ends = new ConcurrentHashMap<>();

  Ends(String bootstrap, String group, List<String> topics) throws ExecutionException, InterruptedException {
    this.topics = topics;
    admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
    admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().forEach((partition, committed) -> {
      if (committed != null) {
        positions.put(partition, committed.offset());
      }
    });
    admin.describeTopics(topics).allTopicNames().get().values().forEach(topic ->
        topic.partitions().forEach(each ->
            latest.put(new TopicPartition(topic.name(), each.partition()), OffsetSpec.latest())));
  }

  void processed(RecordMetadata record) {
    positions.put(new TopicPartition(record.topic(), record.partition()), record.offset() + 1);
  }

  void refresh() throws ExecutionException, InterruptedException {
    admin.listOffsets(latest).all().get().forEach((partition, end) -> ends.put(partition, end.offset()));
  }

  /** Whether a partition of all topics was processed to its end, as it was at the last refresh. */
  boolean reached(int partition) {
    return topics.stream().map(topic -> new TopicPartition(topic, partition)).allMatch(each ->
        ends.containsKey(each) && positions.getOrDefault(each, 0L) >= ends.get(each));
  }
}
