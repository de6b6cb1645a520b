"""What Kafka does under the consumer: whether it answers, which topics and partitions there are."""
