"""Running one process and measuring the whole of it.

Time and peak memory come from `wait4`, so start-up and compilation count like
execution. A child that Python starts directly would report Python's own peak
memory as its own, because the kernel carries the peak of the address space
that called `exec` over to the new program. On Linux a shell of under 1 MB
therefore starts the program in the background and leaves; the program becomes
a child of this process, which has declared itself the reaper of orphans, and
the floor of what can be measured falls to the size of that shell.
"""

import ctypes
import os
import subprocess
import sys
import threading
import time
from collections import namedtuple

PR_SET_CHILD_SUBREAPER = 36

# $1 is a pipe that holds the program back until the shell is gone, which might
# otherwise collect its status; $2 takes the program's stderr. stdin and stdout
# are inherited, and the process id goes to the shell's own stderr.
LAUNCHER = 'gate=$1 err=$2; shift 2; (read -r _ <"$gate"; exec "$@") <&0 2>"$err" & echo $! >&2'

Sample = namedtuple("Sample", "cpu_ms wall_ms rss_kb code timed_out")


def can_reap():
    """Whether orphans of this process's children become its own children."""
    if not sys.platform.startswith("linux"):
        return False
    return ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


REAPS = can_reap()


class Running:
    """A started process; `finish` waits for it."""

    def __init__(
        self, command, stdout, timeout, stderr=os.devnull, stdin=subprocess.DEVNULL, cwd=None
    ):
        """Starts `command`, to be killed after `timeout` seconds.

        `stdout` is a file object or descriptor, `stderr` a path.
        """
        if REAPS:
            gate, opener = os.pipe()
            launcher = ["sh", "-c", LAUNCHER, "sh", f"/dev/fd/{gate}", stderr, *command]
            with subprocess.Popen(
                launcher,
                stdin=stdin,
                stdout=stdout,
                stderr=subprocess.PIPE,
                cwd=cwd,
                pass_fds=[gate],
            ) as shell:
                self.pid = int(shell.stderr.readline())
            os.close(gate)
            self.start = time.perf_counter()
            os.close(opener)
        else:
            self.start = time.perf_counter()
            with open(stderr, "wb") as err:
                child = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=err, cwd=cwd)
            self.pid = child.pid
            # Its status belongs to `finish`; Popen must not wait for it too.
            child.returncode = 0
        self.timed_out = False
        self.timer = threading.Timer(timeout, self.expire)
        self.timer.daemon = True
        self.timer.start()

    def expire(self):
        self.timed_out = True
        self.kill()

    def finish(self):
        """Waits for the end and gives what the process took."""
        try:
            _, status, usage = os.wait4(self.pid, 0)
        except BaseException:
            self.kill()
            raise
        finally:
            self.timer.cancel()
        wall = time.perf_counter() - self.start
        rss_unit = 1 if sys.platform.startswith("linux") else 1024
        return Sample(
            cpu_ms=(usage.ru_utime + usage.ru_stime) * 1000,
            wall_ms=wall * 1000,
            rss_kb=usage.ru_maxrss // rss_unit,
            code=os.waitstatus_to_exitcode(status),
            timed_out=self.timed_out,
        )

    def kill(self):
        """Ends the process if it is still there."""
        try:
            os.kill(self.pid, 9)
        except ProcessLookupError:
            pass
