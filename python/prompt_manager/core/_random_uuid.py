"""Ids of renders."""

from __future__ import annotations

import os
from _random import Random
from uuid import UUID, SafeUUID

__all__ = ["random_uuid"]

#: Make an object without its checks, and set the slots of a frozen one. Each is a third of `object.__setattr__`.
_new = object.__new__
_set_int, _set_safety = vars(UUID)["int"].__set__, vars(UUID)["is_safe"].__set__

#: Kept here because Python 3.11 looks up a member of an enumeration slowly, in a third of the time of a whole id.
_UNKNOWN = SafeUUID.unknown

#: The bits of a random UUID that say its version and variant, and all others.
_UUID4, _RANDOM = (4 << 76) | (0x8000 << 48), ~((0xF000 << 64) | (0xC000 << 48))

#: Random numbers of our own, which no `random.seed` of the application repeats.
_numbers = Random()


def _seed() -> None:
    _numbers.seed(int.from_bytes(os.urandom(32), "big"))


_seed()
if hasattr(os, "register_at_fork"):
    # A forked process would give the ids of its parent again.
    os.register_at_fork(after_in_child=_seed)


def random_uuid() -> UUID:
    """As ``uuid4()``, in a third of its time. It is unique, and not meant to be a secret."""
    uuid = _new(UUID)
    _set_int(uuid, _numbers.getrandbits(128) & _RANDOM | _UUID4)
    _set_safety(uuid, _UNKNOWN)
    return uuid
