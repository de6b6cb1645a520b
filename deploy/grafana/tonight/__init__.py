"""The dashboard for the person who is paged: is it late, why, where, since when."""

from deploy.grafana.layout import Contents, Row
from deploy.grafana.tonight.canary import canary
from deploy.grafana.tonight.group import group
from deploy.grafana.tonight.history import history
from deploy.grafana.tonight.partitions import partitions


def tonight() -> Contents:
    return Contents(
        name="tonight",
        title="Tonight",
        description="For the person who is paged: is anything late, why, where, and since when.",
        rows=[
            Row("Is anything late, and why?", group()),
            Row("Where?", partitions()),
            Row("Since when?", history()),
            Row("Do the canary's calls come through?", canary()),
        ],
        span="now-1h",
        refresh="10s",
    )
