"""A stack under load, and the queries of Grafana's dashboards to the Prometheus that scrapes it."""
