"""What users of Kafka catch."""


class KafkaUnavailable(Exception):
    """Kafka does not answer as it should: retry, or report; the message says what was tried where."""
