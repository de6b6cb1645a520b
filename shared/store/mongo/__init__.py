"""The store on MongoDB; the driver is imported here alone."""
