"""Fixtures for the tests of the database."""

from __future__ import annotations

from tests.databases import database_url
from tests.databases import mariadb_url
from tests.databases import server_database_url
from tests.databases import sqlite_url

__all__ = ['database_url', 'mariadb_url', 'server_database_url', 'sqlite_url']
