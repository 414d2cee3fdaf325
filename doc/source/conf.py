"""How Sphinx builds the documentation."""

project = 'Ironic Inspector'
copyright = 'the Ironic Inspector contributors'  # noqa: A001 - the name that Sphinx reads
html_theme = 'alabaster'
html_theme_options = {'description': 'Hardware introspection for bare metal', 'page_width': '1100px'}
exclude_patterns = ['releasenotes']
nitpicky = True
