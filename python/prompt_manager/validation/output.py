"""Parses and validates the answers of models."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prompt_manager._native import CompiledPrompt

__all__ = ["ParsedOutput", "Repair", "read_answer", "read_text", "read_text_as"]

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Repair:
    """A repair that was needed to parse an answer, and its position. Line and column count from 1.

    ``kind`` is one of ``code_fence``, ``prose``, ``trailing_comma``, ``single_quotes``, ``curly_quotes``,
    ``triple_quotes``, ``unescaped_quote``, ``unquoted_text``, ``needless_escape``, ``unknown_escape``, ``comment``,
    ``unquoted_key``, ``python_word``, ``not_finite``, ``control_character``, ``list_around``, ``json_in_text`` and
    ``cut_off``.
    """

    kind: str
    message: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class ParsedOutput(Generic[T_co]):
    """The validated data of an answer, and the repairs that were needed to parse it.

    The parameter is the type of the data: ``ParsedOutput[Ticket]`` for ``parse_output(id, text, Ticket)``.

    >>> ParsedOutput({"a": 1}).was_repaired
    False
    """

    data: T_co
    repairs: tuple[Repair, ...] = ()

    @property
    def was_repaired(self) -> bool:
        """Whether the answer was repaired."""
        return bool(self.repairs)

    @property
    def is_cut_off(self) -> bool:
        """Whether the end of the answer is missing. Incomplete parts are left out of the data."""
        return any(repair.kind == "cut_off" for repair in self.repairs)


def _parsed(data: Any, repairs: Sequence[Mapping[str, Any]]) -> ParsedOutput[Any]:
    return ParsedOutput(data, tuple(Repair(**repair) for repair in repairs))


def read_text(prompt: CompiledPrompt, text: str, *, strict: bool) -> ParsedOutput[Any]:
    """Parse and validate the JSON in an answer. See :meth:`PromptManager.parse_output`."""
    from prompt_manager._native import parse_answer

    data, repairs, unclosed = parse_answer(prompt, text, strict=strict)
    validated = prompt.validate_output(data)
    _remove_defaults(validated, data, unclosed)
    return _parsed(validated, repairs)


def read_text_as(prompt: CompiledPrompt, text: str, kind: Any, *, strict: bool) -> ParsedOutput[Any]:
    """Parse the JSON in an answer, validate it by the prompt's output schema, if it has one, and then by a type.

    See :meth:`PromptManager.parse_output`.
    """
    from pydantic import BaseModel

    from prompt_manager._native import parse_answer
    from prompt_manager.validation._pydantic import type_name, validate_json_as

    data, repairs, unclosed = parse_answer(prompt, text, strict=strict)
    validated = prompt.validate_output(data)
    _remove_defaults(validated, data, unclosed)
    if isinstance(kind, type) and issubclass(kind, BaseModel) and isinstance(validated, kind):
        return _parsed(validated, repairs)
    result, violations = validate_json_as(kind, data if isinstance(validated, BaseModel) else validated)
    if violations is not None:
        raise _model_error(prompt.id, type_name(kind), violations)
    _remove_defaults(result, data, unclosed)
    return _parsed(result, repairs)


def _model_error(prompt_id: str, name: str, violations: list[tuple[str, str, str]]) -> Exception:
    from prompt_manager.exceptions import SchemaValidationError

    path, _, message = violations[0]
    more = "" if len(violations) == 1 else f" (and {len(violations) - 1} more)"
    where = f"{path}: " if path else ""
    return SchemaValidationError(
        f"the output of prompt '{prompt_id}' does not fit {name}: {where}{message}{more}",
        errors=[{"path": path, "rule": rule, "message": message} for path, rule, message in violations],
        prompt_id=prompt_id,
    )


def _remove_defaults(validated: Any, data: Any, unclosed: int) -> None:
    """Remove the default values that validation added to lists and dicts that were cut off.

    The missing end of the answer could have contained other values.

    Args:
        validated: The result of validation, which is changed.
        data: The parsed answer.
        unclosed: How many lists and dicts lack their end. Each is the last item of the one around it.

    Raises:
        SchemaValidationError: a default is in an instance of a class, which must have all its fields.
    """
    path = ""
    for _ in range(unclosed):
        if getattr(type(validated), "__pydantic_root_model__", False):
            validated = validated.root
        if isinstance(data, list):
            # The items of a set have no order, so the last one is not known.
            if not data or not isinstance(validated, (list, tuple)):
                return
            path += f"[{len(data) - 1}]"
            validated, data = validated[-1], data[-1]
            continue
        if isinstance(validated, dict):
            for name in validated.keys() - data.keys():
                del validated[name]
        elif unset := sorted(_unset(validated, data)):
            raise _cut_off_error([f"{path}.{name}".removeprefix(".") for name in unset])
        if not data:
            return
        name = next(reversed(data))
        path += f".{name}"
        validated = validated.get(name) if isinstance(validated, dict) else _field(validated, name)
        data = data[name]


def _unset(instance: Any, data: Mapping[str, Any]) -> set[str]:
    """The fields of an instance that have their defaults because the data lacks them."""
    declared: Mapping[str, Any] | None = getattr(type(instance), "model_fields", None)
    if declared is not None:
        given: set[str] = instance.model_fields_set
        return {*declared} - given
    if is_dataclass(instance):
        return {
            field.name
            for field in fields(instance)
            if field.name not in data and (field.default is not MISSING or field.default_factory is not MISSING)
        }
    defaults = getattr(instance, "_field_defaults", None)  # of a named tuple
    return {*defaults} - {*data} if isinstance(defaults, dict) else set()


def _field(instance: Any, name: str) -> Any:
    """The field of an instance that a key of the data fills, by its name or its alias."""
    for own, field in getattr(type(instance), "model_fields", {}).items():
        if name in (field.alias, field.validation_alias):
            return getattr(instance, own)
    return getattr(instance, name, None)


def _cut_off_error(paths: list[str]) -> Exception:
    from prompt_manager.exceptions import SchemaValidationError

    message = "the answer ends before this value; its default is not used"
    errors = [{"path": path, "rule": "cut_off", "message": message} for path in paths]
    more = "" if len(paths) == 1 else f" (and {len(paths) - 1} more)"
    return SchemaValidationError(f"the answer is not complete: {paths[0]}: {message}{more}", errors=errors)


def read_answer(prompt: CompiledPrompt, answer: Any, *, strict: bool) -> Any:
    """Validate an answer, and return its data. A text is parsed first."""
    return read_text(prompt, answer, strict=strict).data if isinstance(answer, str) else prompt.validate_output(answer)
