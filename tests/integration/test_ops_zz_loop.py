import pytest
from tests.integration.test_ops_dead_letters import test_with_several_partitions_a_number_names_one as t
from tests.support.fixtures import *
@pytest.mark.parametrize("i", range(25))
async def test_x(i, kafka_bootstrap, topics):
    await t(kafka_bootstrap, topics)
