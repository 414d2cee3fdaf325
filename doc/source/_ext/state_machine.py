"""The directive `state-machine`: the picture of the service's own table of states and events."""

from __future__ import annotations

import importlib.util
import pathlib
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
import state_picture

TABLE = pathlib.Path(__file__).parents[3] / 'ironic_inspector' / 'introspection_state.py'


def _load() -> Any:
    # By its path: it imports nothing else of the service, which need not be installed where documentation is built.
    spec = importlib.util.spec_from_file_location('introspection_state', TABLE)
    if spec is None or spec.loader is None:
        raise ImportError(f'{TABLE} is no Python module')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class StateMachine(SphinxDirective):
    """Puts the picture into HTML pages."""

    def run(self) -> list[nodes.Node]:
        """Draw the picture, and once more when the table changes."""
        self.env.note_dependency(str(TABLE))
        self.env.note_dependency(str(pathlib.Path(state_picture.__file__)))
        table = _load()
        svg = state_picture.draw(table.TRANSITIONS, ended=table.States.ENDED, working=table.States.WORKING)
        return [nodes.raw('', svg, format='html')]


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the directive known to Sphinx."""
    app.add_directive('state-machine', StateMachine)
    return {'version': '1', 'parallel_read_safe': True, 'parallel_write_safe': True}
