"""How far the workers are behind, partition by partition: what Kafka says, how it moves, and why."""
