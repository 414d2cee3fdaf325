"""The WSGI application: importing this module starts the service. See ironic_inspector.cmd.wsgi."""

from __future__ import annotations

from ironic_inspector.cmd import wsgi

application = wsgi.initialize_wsgi_app()
