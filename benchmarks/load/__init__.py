"""What the pipelines are given: generated calls, and clients that publish, read and measure."""
