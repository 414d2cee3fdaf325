"""Calls one method of python-ironic-inspector-client's library; runs in the environment that has it.

Usage: client_library.py URL METHOD [JSON-OBJECT-OF-ARGUMENTS]; a method of the rules API is rules.METHOD. Prints
{"result": ...}, or, with the name of the library's exception, {"error": ..., "message": ...}.
"""

import json
import operator
import sys

import ironic_inspector_client  # type: ignore[import-not-found,import-untyped,unused-ignore]
from keystoneauth1 import noauth
from keystoneauth1 import session


def main() -> None:
    """Make the call that the command line asks for."""
    url, method, *arguments = sys.argv[1:]
    client = ironic_inspector_client.ClientV1(
        inspector_url=url, session=session.Session(auth=noauth.NoAuth(endpoint=url)), api_version=(1, 18)
    )
    try:
        result = operator.attrgetter(method)(client)(**json.loads(arguments[0] if arguments else '{}'))
    except ironic_inspector_client.ClientError as error:
        print(json.dumps({'error': type(error).__name__, 'message': str(error)}))
    else:
        # Some methods return the bare HTTP response.
        print(json.dumps({'result': result if isinstance(result, dict | list) else None}))


if __name__ == '__main__':
    main()
