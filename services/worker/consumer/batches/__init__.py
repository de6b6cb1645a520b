"""From the bytes of a fetch to records, in bounded memory."""
