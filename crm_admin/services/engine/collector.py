"""Keeps the cycle collector out of the way while a slice of records is in memory."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Final

SLICES: Final = 32
_slices = count(1)


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Collect nothing inside the block: a slice makes tens of thousands of objects without cycles,
    and each look through all of them costs more than the slice. What is left afterwards, the next
    slice above all, is set aside, and looked through once in many slices.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        _set_aside()
        gc.enable()


def _set_aside() -> None:
    if next(_slices) % SLICES:
        gc.freeze()
    else:
        gc.unfreeze()
