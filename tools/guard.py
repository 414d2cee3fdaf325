"""Runs one command for exactly as long as the process that asked for it lives.

Usage: guard.py GRACE COMMAND [ARGUMENT ...]

Standard input is the lifeline: a pipe whose other end only the asking process holds. When it closes, because
that process wanted the end or because it was killed, the command gets SIGTERM, GRACE seconds to obey it, and then
SIGKILL. Whatever it has started and left behind gets SIGKILL in any case. The guard's exit status is the
command's (128 + N after signal N).
"""

import ctypes
import os
from pathlib import Path
import signal
import subprocess
import sys
import threading

_PR_SET_CHILD_SUBREAPER = 36


def _end_with_lifeline(child: 'subprocess.Popen[bytes]', grace: float) -> None:
    while os.read(0, 4096):
        pass
    child.terminate()
    try:
        child.wait(grace)
    except subprocess.TimeoutExpired:
        child.kill()


def _end_orphans() -> None:
    """Kill and reap our children until there are none: as a subreaper, we inherit those of each that ends."""
    children = Path(f'/proc/self/task/{os.getpid()}/children')
    while pids := children.read_text().split():
        for pid in pids:
            os.kill(int(pid), signal.SIGKILL)
            os.waitpid(int(pid), 0)


def main() -> int:
    """Run the command given in sys.argv; returns its exit status."""
    grace, command = float(sys.argv[1]), sys.argv[2:]
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_lifeline, args=(child, grace), daemon=True).start()
    status = child.wait()
    _end_orphans()
    return status if status >= 0 else 128 - status


if __name__ == '__main__':
    sys.exit(main())
