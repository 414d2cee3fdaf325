"""How Sphinx builds the documentation."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / '_ext'))

project = 'Ironic Inspector'
copyright = 'the Ironic Inspector contributors'  # noqa: A001 - the name that Sphinx reads
html_theme = 'alabaster'
html_theme_options = {'description': 'Hardware introspection for bare metal', 'page_width': '1100px'}
exclude_patterns = ['releasenotes']
nitpicky = True
extensions = ['state_machine']
# What the service says, word for word but for <parts> that differ and … for what is left out; a test looks for it in
# the code.
rst_prolog = """
.. role:: message(literal)
"""
