"""Checks messages in the format of prompt files before they become the messages of a framework.

The rules are those that any model's provider has, so a framework would pass on what the provider then refuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prompt_manager._native import address_kind, plain_base64, read_data_url, unpaired_calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from prompt_manager.integrations._framework_problems import MessagePosition, PlacedMessage, Problems

    Part = dict[str, Any]

__all__ = ["checked_messages"]


def checked_messages(
    messages: Sequence[dict[str, Any]], framework: str, problems: Problems, left_out: Sequence[str], *, has_calls: bool
) -> list[PlacedMessage]:
    """The messages that can be sent, each with its position. Base64 is in the standard alphabet, in one line.

    Args:
        messages: The messages.
        framework: Its name, for error messages.
        problems: Takes what cannot be sent.
        left_out: The keys of a file that the framework does not accept.
        has_calls: Whether the framework has calls and their results, which must be pairs.

    Raises:
        ConversionError: a message lacks what its role needs, or has half a surrogate pair. In strict mode also for
            content that cannot be sent.
    """
    checker = _Checker(framework, problems, left_out)
    placed = [((index, message["role"]), message) for index, message in enumerate(messages)]
    for at, message in placed:
        _check_encodable(message, at, problems)
    kept = [(at, checker.message(message, at)) for at, message in placed]
    sent = [(at, message) for at, message in kept if message is not None]
    if has_calls:
        _check_pairs(sent, problems)
    return sent


def _check_pairs(messages: Sequence[PlacedMessage], problems: Problems) -> None:
    """Check that every call has its result before the next turn, and every result its call."""
    roles = {index: role for (index, role), _ in messages}
    paired = [
        (
            index,
            role,
            [call["id"] for call in message.get("tool_calls") or ()],
            (message.get("function_call") or {}).get("name"),
            message.get("name" if role == "function" else "tool_call_id"),
        )
        for (index, role), message in messages
    ]
    for index, problem, hint in unpaired_calls(paired):
        problems.handle((index, roles[index]), problem, hint, "passed on")


def _check_encodable(message: Mapping[str, Any], at: MessagePosition, problems: Problems) -> None:
    path = _broken_text(message)
    if path is not None:
        where = path.removeprefix(".")
        problem = f"{f'`{where}`' if where else 'a key'} holds half a surrogate pair, which cannot be sent"
        hint = 'was the text cut in the middle of an emoji, or decoded with errors="surrogateescape"?'
        raise problems.error_at(at, problem, hint)


def _broken_text(value: object) -> str | None:
    """The path to the first text with half a surrogate pair. For a key it is that of the mapping."""
    if isinstance(value, str):
        return None if _is_encodable(value) else ""
    found: Iterable[tuple[str, str | None]] = ()
    if isinstance(value, dict):
        if not all(map(_is_encodable, value)):
            return ""
        found = ((f".{key}", _broken_text(each)) for key, each in value.items())
    elif isinstance(value, list):
        found = ((f"[{number}]", _broken_text(each)) for number, each in enumerate(value))
    return next((step + inner for step, inner in found if inner is not None), None)


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class _UnsendableError(Exception):
    """A part that cannot be sent: the problem, and what the caller can do."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.problem, self.hint = problem, hint


class _Checker:
    def __init__(self, framework: str, problems: Problems, left_out: Sequence[str]) -> None:
        self._framework = framework
        self._problems = problems
        self._left_out = left_out
        self._parts: Mapping[str, Callable[[Part, int], Part]] = {
            "text": self._text,
            "image": self._image,
            "image_url": self._linked_image,
            "input_audio": self._sound,
            "file": self._file,
        }

    def message(self, message: dict[str, Any], at: MessagePosition) -> dict[str, Any] | None:
        """The message, or ``None`` if it is dropped."""
        self._check_fields(message, at)
        content = message.get("content")
        if isinstance(content, list):
            parts = [self._part(part, number, at) for number, part in enumerate(content)]
            content = [part for part in parts if part is not None]
            message = {**message, "content": content}
        said = bool(content.strip() if isinstance(content, str) else content)
        is_empty = not said and not any(message.get(key) for key in ("tool_calls", "function_call", "refusal"))
        if is_empty and at[1] not in {"tool", "function"}:
            self._problems.drop_empty(at)
            return None
        return message

    def _check_fields(self, message: Mapping[str, Any], at: MessagePosition) -> None:
        role = at[1]
        if role == "tool" and not message.get("tool_call_id"):
            hint = "set `tool_call_id` to the id of the tool call that it answers"
            raise self._problems.error_at(at, "a tool message needs `tool_call_id`", hint)
        if role == "function" and not message.get("name"):
            hint = "set `name` to the name of the function that was called"
            raise self._problems.error_at(at, "a function message needs `name`", hint)
        calls = message.get("tool_calls") or []
        if (calls or message.get("function_call")) and role != "assistant":
            hint = "move the calls to an assistant message"
            raise self._problems.error_at(at, "calls are allowed only on an assistant message", hint)
        for number, call in enumerate(calls):
            if not call.get("id"):
                hint = "give it an `id` that its result refers to"
                raise self._problems.error_at(at, f"tool call {number} has no id", hint)
            if not call["function"].get("name"):
                hint = "set `name` to the function that is called"
                raise self._problems.error_at(at, f"tool call {number} has no name", hint)

    def _part(self, part: Part, number: int, at: MessagePosition) -> Part | None:
        """The part, or ``None`` if it is dropped."""
        check = self._parts.get(part["type"])
        try:
            made = part if check is None else check(part, number)
        except _UnsendableError as error:
            self._problems.handle(at, error.problem, error.hint, "dropped")
            return None
        for key in self._left_out:
            if made["type"] == "file" and made.get(key):
                problem = f"part {number} has `{key}`, which {self._framework} does not accept"
                self._problems.handle(at, problem, "remove the key", "left out")
        return made

    @staticmethod
    def _text(part: Part, number: int) -> Part:
        if not part["text"].strip():
            raise _UnsendableError(f"part {number} is a blank text", "remove the part, or give it text")
        return part

    @staticmethod
    def _image(part: Part, number: int) -> Part:
        if "data" not in part:
            return part
        if not part["data"] or not part["media_type"]:
            raise _lacks(number, "an image")
        return {**part, "data": _base64(part["data"], number)}

    def _linked_image(self, part: Part, number: int) -> Part:
        image = part["image_url"]
        if not image["url"]:
            raise _lacks(number, "an image")
        return {**part, "image_url": {**image, "url": self._address(image["url"], "image", number)}}

    @staticmethod
    def _sound(part: Part, number: int) -> Part:
        sound = part["input_audio"]
        if not sound["data"]:
            raise _lacks(number, "audio")
        return {**part, "input_audio": {**sound, "data": _base64(sound["data"], number)}}

    def _file(self, part: Part, number: int) -> Part:
        file = part.get("file", {})
        if not any((part.get("url"), part.get("text"), file.get("file_id"), file.get("file_data"))):
            problem = f"part {number} is a file without a file id, a URL, data or text"
            raise _UnsendableError(problem, "remove the part, or give it one of them")
        if part.get("url"):
            others = {key: value for key, value in part.items() if key != "url"}
            address = self._address(part["url"], "file", number)
            is_data = address_kind(address) == "data"
            return {**others, **({"file": {"file_data": address}} if is_data else {"url": address})}
        if file.get("file_data"):
            return {**part, "file": {**file, "file_data": _data_url(file["file_data"], number)}}
        return part

    def _address(self, url: str, what: str, number: int) -> str:
        kind = address_kind(url)
        if kind == "file":
            problem = f"the address of the {what} in part {number} is a path or a `file:` URL, "
            hint = "send the data in base64, or an `https://` URL"
            raise _UnsendableError(f"{problem}which {self._framework} cannot read", hint)
        return _data_url(url, number) if kind == "data" else url


def _lacks(number: int, what: str) -> _UnsendableError:
    problem = f"part {number} is {what} without a URL or data"
    return _UnsendableError(problem, "remove the part, or give it a URL or data")


def _base64(data: str, number: int) -> str:
    plain = plain_base64(data)
    if plain is None:
        raise _UnsendableError(f"the data of part {number} are not base64", "encode the data in base64")
    return plain


def _data_url(url: str, number: int) -> str:
    read = read_data_url(url)
    if read is None:
        problem = f"part {number} has no data in a base64 `data:` URL"
        raise _UnsendableError(problem, "write it as data:<MIME type>;base64,<data>")
    media_type, data = read
    return f"data:{media_type};base64,{data}"
