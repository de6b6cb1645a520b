"""What Kafka says of a group and its partitions, asked of the brokers themselves."""
