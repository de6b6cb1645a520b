"""What every process needs: clock, logs, metrics, sockets."""
