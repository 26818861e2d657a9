"""The mappings among the arguments of Gemini's and Bedrock's calls, which are merged with those of a prompt.

Gemini's ``config`` and its members can be objects of the package, and dicts in the spelling of Python or of REST.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prompt_manager._native import known_members, nearest, snake_case

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["as_mapping", "check_mapping", "gemini_config"]

#: The members of ``config`` that are merged, and so must be dicts. The members of these have names of the package too.
_MERGED = frozenset({"thinking_config", "tool_config", "http_options", "function_calling_config"})


#: The member of a tool that holds functions.
_FUNCTIONS = "function_declarations"


def as_mapping(argument: str, value: object) -> dict[str, Any]:
    """The members of a mapping, or those of an object of the package that are set.

    Raises:
        TypeError: it is neither.

    >>> as_mapping("config", {"seed": 1})
    {'seed': 1}
    """
    if isinstance(value, Mapping):
        return dict(value)
    fields = getattr(value, "model_fields_set", None)
    if fields is None or isinstance(value, type):
        raise TypeError(f"`{argument}` must be a mapping, such as {{'temperature': 0.5}}, not {type(value).__name__}")
    # The values as they are: tools can be functions and sessions.
    set_values = {name: getattr(value, name) for name in sorted(fields)}
    return {name: member for name, member in set_values.items() if member is not None}


def check_mapping(target: str, argument: str, value: object) -> None:
    """Check that an argument is a mapping and, if its members are known, that it has no other.

    Raises:
        TypeError: it is not a mapping, or has another member. The message has the nearest name.

    >>> check_mapping("bedrock", "inferenceConfig", {"max_tokens": 5})
    Traceback (most recent call last):
    TypeError: `inferenceConfig` has no member 'max_tokens'; did you mean 'maxTokens'?
    """
    if not isinstance(value, Mapping):
        known = known_members(target, argument)
        example = f"{{'{known[0]}': ...}}" if known else "{...}"
        raise TypeError(f"`{argument}` must be a mapping, such as {example}, not {type(value).__name__}")
    _check_names(argument, value, known_members(target, argument))


def gemini_config(config: object) -> dict[str, Any]:
    """Gemini's ``config`` as a dict with the names of Python's package.

    Raises:
        TypeError: it is neither a mapping nor a ``GenerateContentConfig``, or a dict with a member that there is not,
            or twice in two spellings.

    >>> gemini_config({"maxOutputTokens": 5, "thinkingConfig": {"thinkingBudget": 0}})
    {'max_output_tokens': 5, 'thinking_config': {'thinking_budget': 0}}
    """
    members = _spelled("config", as_mapping("config", config))
    # An object of the package was checked by the package, which can be newer than the list of names.
    if isinstance(config, Mapping):
        _check_names("config", members, known_members("gemini", "config"))
    tools = members.get("tools")
    if tools is not None and not isinstance(tools, list | tuple):
        raise TypeError(f"`config.tools` must be a list of tools, not {type(tools).__name__}")
    if tools:
        members["tools"] = [_tool(f"config.tools[{at}]", tool) for at, tool in enumerate(tools)]
    return members


def _tool(path: str, tool: object) -> object:
    """A tool that holds functions as a dict, so that these can replace those of a prompt. Any other tool as it is."""
    if isinstance(tool, Mapping):
        members = _spelled(path, tool)
    elif getattr(tool, _FUNCTIONS, None) and hasattr(tool, "model_fields_set"):
        members = as_mapping(path, tool)
    else:
        return tool
    functions = members.get(_FUNCTIONS)
    if functions is None:
        return tool
    if not isinstance(functions, list | tuple):
        raise TypeError(f"`{path}.{_FUNCTIONS}` must be a list of functions, not {type(functions).__name__}")
    return {**members, _FUNCTIONS: list(functions)}


def _spelled(path: str, members: Mapping[str, Any]) -> dict[str, Any]:
    spelled: dict[str, Any] = {}
    for name, value in members.items():
        word = snake_case(name) if isinstance(name, str) else name
        if word in spelled:
            raise TypeError(f"`{path}` has '{word}' twice, in two spellings; keep one of them")
        merged = word in _MERGED and value is not None
        spelled[word] = _spelled(f"{path}.{word}", as_mapping(f"{path}.{word}", value)) if merged else value
    return spelled


def _check_names(argument: str, names: Iterable[Any], known: list[str]) -> None:
    for name in names if known else ():
        if name in known:
            continue
        near = nearest(name, known) if isinstance(name, str) else None
        meant = _same_letters(name, known) or near
        remedy = f"did you mean '{meant}'?" if meant else f"its members are {', '.join(known)}"
        raise TypeError(f"`{argument}` has no member {name!r}; {remedy}")


def _same_letters(name: object, known: list[str]) -> str | None:
    """The name that differs only in its case and underscores."""
    plain = str(name).replace("_", "").lower()
    return next((each for each in known if each.replace("_", "").lower() == plain), None)
