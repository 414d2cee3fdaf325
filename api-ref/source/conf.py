"""How Sphinx builds the API reference."""

project = 'Ironic Inspector API'
copyright = 'the Ironic Inspector contributors'  # noqa: A001 - the name that Sphinx reads
extensions = ['os_api_ref']
html_theme = 'alabaster'
html_theme_options = {'page_width': '1100px'}
html_static_path = ['_static']
