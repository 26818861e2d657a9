"""Pickling and copying of managers and registries: their state, and how it is restored.

The state of a manager from a directory or a storage is the place of its prompts, which are loaded again. That of a
manager in memory is the prompts. Observers, metrics and plugins belong to a process and are left out.
"""

from __future__ import annotations

import sys

from prompt_manager.exceptions import PromptPicklingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from prompt_manager._native import Engine, Registry

__all__ = ["check_engine_picklable", "check_picklable", "content_of", "core_state", "restore_core"]

#: Packages that pickle or copy functions by value. Datasets' fingerprints use dill.
_PICKLE_BY_VALUE = frozenset({"cloudpickle", "copy", "dill", "datasets"})


def _is_pickled_by_value() -> bool:
    """Whether a caller is a package that can also pickle functions without a name, such as lambdas."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] not in _PICKLE_BY_VALUE:
        frame = frame.f_back
    return frame is not None


def check_picklable(what: str, value: object, hint: str) -> None:
    """Check that another process can load a value.

    Raises:
        PromptPicklingError: it cannot. The message names the value.
    """
    if _is_pickled_by_value():
        return
    from pickle import dumps  # nosec B403 - it only writes

    try:
        dumps(value)
    except Exception as error:
        raise PromptPicklingError(f"{what} cannot be pickled\n  hint: {hint}") from error


def check_engine_picklable(engine: Engine) -> None:
    """Check that another process can load a template engine, with its helpers and registered types.

    Raises:
        PromptPicklingError: it cannot. The message names the class, helper or type.
    """
    kind = type(engine)
    check_picklable(f"the template engine {kind.__qualname__}", kind, "define its class at the top of a module")
    helpers, _, types = engine.__getstate__()
    for name, function, _ in helpers:
        check_picklable(f"the helper {name!r}", function, "use a function that is defined at the top of a module")
    for registered, _ in types:
        what = f"the registered type {registered.__qualname__}"
        check_picklable(what, registered, "define the class at the top of a module")


def core_state(core: Registry) -> dict[str, Any]:
    """The state of a registry of the core: its prompts, the moves of their labels, and its schemas."""
    from prompt_manager.validation.loader import SchemaLoader

    prompts = [compiled.to_dict() for compiled in core.all()]
    moves = {prompt_id: core.moves(prompt_id) for prompt_id in core.ids()}
    return {
        "prompts": prompts,
        "moves": {prompt_id: made for prompt_id, made in moves.items() if made},
        "schemas": SchemaLoader._of(core.schemas),
    }


def restore_core(core: Registry, engine: Engine, state: dict[str, Any]) -> None:
    """Fill an empty registry with what :func:`core_state` returned."""
    from prompt_manager._native import compile_prompt

    state["schemas"]._copy_to(core.schemas)
    core.upsert_all([compile_prompt(prompt, engine) for prompt in state["prompts"]], state["moves"])


def content_of(core: Registry) -> tuple[tuple[str, str, str, str, tuple[str, ...]], ...]:
    """What a fingerprint of a manager depends on, besides where its prompts came from."""
    held = core.all()
    return tuple((each.id, each.version, each.content_hash, each.status, tuple(each.labels)) for each in held)
