"""What a stretch of work cost this process: time, processor, memory."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Meter:
    """Seconds by the clock and of the processor, children included; the peak is the process's so
    far.
    """

    seconds: float = 0.0
    cpu: float = 0.0
    peak_mb: float = 0.0


@contextmanager
def metered() -> Iterator[Meter]:
    """Fill in the meter when the block is left."""
    meter = Meter()
    started, spent = time.perf_counter(), _cpu()
    yield meter
    meter.seconds = time.perf_counter() - started
    meter.cpu = _cpu() - spent
    meter.peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _cpu() -> float:
    mine, others = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return mine.ru_utime + mine.ru_stime + others.ru_utime + others.ru_stime


def figures(meter: Meter, records: int) -> dict[str, float]:
    """Return what every peer reports."""
    return {
        "records": records,
        "seconds": round(meter.seconds, 3),
        "records_per_s": round(records / meter.seconds),
        "peak_mb": round(meter.peak_mb, 1),
        "cpu_s_per_1000": round(1000 * meter.cpu / records, 4),
    }
