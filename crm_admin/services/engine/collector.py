"""Keeps the cycle collector out of the way while a slice of records is in memory."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Collect nothing inside the block: a slice makes tens of thousands of objects without cycles,
    and each look through all of them costs more than the slice. What it leaves goes afterwards.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
