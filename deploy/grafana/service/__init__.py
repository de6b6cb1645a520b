"""The dashboard of the whole service: what comes, how soon it is readable, what is folded, what the API answers."""

from deploy.grafana.layout import Contents, Row
from deploy.grafana.service.api import api
from deploy.grafana.service.folding import folding
from deploy.grafana.service.ingest import ingest
from deploy.grafana.service.invalid import invalid
from deploy.grafana.service.objectives import objectives
from deploy.grafana.service.processes import processes


def service() -> Contents:
    return Contents(
        name="service",
        title="Service",
        description="Throughput and latency of the workers and of the API, invalid events, folds, memory and CPU.",
        rows=[
            Row("Are the objectives met?", objectives()),
            Row("Events", ingest()),
            Row("What is invalid or lost?", invalid()),
            Row("Calls and folds", folding()),
            Row("The API", api()),
            Row("Processes", processes()),
        ],
        span="now-6h",
        refresh="30s",
    )
