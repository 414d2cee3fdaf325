"""An in-memory Ironic with nodes for hooks to work on."""

from collections.abc import Iterator

import pytest

from ironic_inspector.fixtures.ironic import InMemoryIronic
from tests.unit.plugins.nodes import Nodes


@pytest.fixture(scope='session')
def running_ironic() -> Iterator[InMemoryIronic]:
    with InMemoryIronic(threads=4) as ironic:
        yield ironic


@pytest.fixture
def nodes(running_ironic: InMemoryIronic) -> Iterator[Nodes]:
    """Nodes in an Ironic that has none yet."""
    running_ironic.reset()
    made = Nodes(running_ironic)
    yield made
    made.close()
