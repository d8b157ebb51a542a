"""How much of the machine other processes take: they spoil figures, so it is waited for, measured and recorded."""

import os
import resource
import time

TICKS = os.sysconf("SC_CLK_TCK")
CALM = 0.25  # cores


def busy_seconds():
    """Of all cores since boot; what the hypervisor took for others is among it."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, *interrupts = map(int, file.readline().split()[1:9])
    return (user + nice + system + sum(interrupts)) / TICKS


def own_seconds():
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


class Watch:
    """From its making on; processes of ours count once they have ended."""

    def __init__(self):
        self.busy, self.own, self.start = busy_seconds(), own_seconds(), time.monotonic()

    def others(self):
        """The cores that others had, on average."""
        busy, own = busy_seconds() - self.busy, own_seconds() - self.own
        return max(0.0, (busy - own) / max(time.monotonic() - self.start, 1e-3))


def wait_for_calm(most):
    """Returns when the machine is idle, or after `most` seconds."""
    end = time.monotonic() + most
    while time.monotonic() < end:
        watch = Watch()
        time.sleep(0.5)
        if watch.others() < CALM:
            return
