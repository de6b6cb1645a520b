"""Serving one call's page: reads the call, here or in a process of the pool, and keeps what took long."""
