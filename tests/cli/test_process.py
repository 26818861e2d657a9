"""Runs the command line as a process: its streams, its exit status, and the modules that it loads."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from terminal import on_a_terminal, widest

from helpers import EXAMPLES, ROOT, run_python
from prompt_manager import __version__
from prompt_manager._distribution import DISTRIBUTION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROMPTS = "examples/prompts"
GREETING = ("render", "greeting", "--dir", PROMPTS, "--var", "name=Ada", "--var", "role=engineer")
JAPANESE = (
    "render",
    "multilingual/support_ja",
    "--dir",
    PROMPTS,
    "--vars",
    "examples/inputs/multilingual/support_ja.json",
)

#: The environment of the tests, without the variable that changes how Python buffers its output.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}

#: Runs the command line with arguments, and prints which of these modules were loaded.
LOADED = """
import io, sys
sys.argv = ["prompt-manager", *{arguments!r}]
out, sys.stdout = sys.stdout, io.StringIO()
from prompt_manager.cli import main
status = main()
names = ("click", "pydantic", "asyncio", "structlog", "rich", "prompt_manager.core", "prompt_manager._native")
print(status, *(name for name in names if name in sys.modules), file=out)
"""


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "prompt_manager", *arguments],
        cwd=ROOT,
        env={**ENVIRONMENT, "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_results_errors_and_status_follow_shell_conventions() -> None:
    done = command(*GREETING)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Hello Ada! Your role is engineer.", "")
    done = command(*GREETING[:-2])
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: Missing variable 'role' for prompt 'greeting'\n"
        "  hint: on the command line, give a value with --var role=TEXT\n"
    )
    done = command("list", "--nope")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: No such option")


def test_the_script_is_installed() -> None:
    from importlib.metadata import entry_points

    from prompt_manager.cli import main

    (script,) = entry_points(group="console_scripts", name="prompt-manager")
    assert script.load() is main


@pytest.mark.parametrize("arguments", [("--version",), ("-V",), ("-V", "list")])
def test_version_prints_the_version_of_the_package(arguments: tuple[str, ...]) -> None:
    done = command(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"prompt-manager {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "loaded"),
    [
        (("--version",), "0 prompt_manager._native"),
        (("--help",), "0 click"),
        (("render", "--help"), "0 click"),
        (("render",), "2 click"),
        (GREETING, "0 click prompt_manager.core prompt_manager._native"),
        ((*JAPANESE, "--to", "anthropic"), "0 click prompt_manager.core prompt_manager._native"),
        (("list", "--dir", PROMPTS, "--json"), "0 click prompt_manager.core prompt_manager._native"),
        (("show", "greeting", "--dir", PROMPTS, "--json"), "0 click prompt_manager.core prompt_manager._native"),
        (("list", "--dir", PROMPTS), "0 click rich prompt_manager.core prompt_manager._native"),
    ],
)
def test_commands_load_only_the_modules_they_need(arguments: tuple[str, ...], loaded: str) -> None:
    assert run_python(LOADED.format(arguments=arguments)).strip() == loaded


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_a_missing_extra_has_an_install_hint(missing: str) -> None:
    code = f"""
import sys
sys.modules[{missing!r}] = None
sys.stderr, sys.argv = sys.stdout, ["prompt-manager", "list", "--dir", {PROMPTS!r}]
from prompt_manager.cli import main
print(main())
"""
    said, hint, status = run_python(code).splitlines()
    assert said == f"error: the command line needs {missing}, which is not installed"
    assert hint == f"  hint: pip install {DISTRIBUTION}[cli]"
    assert status == "1"


@pytest.mark.skipif(os.name == "nt", reason="closed pipes work differently on Windows")
@pytest.mark.parametrize("arguments", [JAPANESE, ("list", "--dir", PROMPTS), ("--help",)])
def test_a_closed_pipe_is_not_an_error(arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "prompt_manager", *arguments],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writer)
    assert done.stderr == b""


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (f"list --dir {PROMPTS} >&-", 0),
        (f"list --dir {PROMPTS} --json >&-", 0),
        ("list --nope 2>&-", 2),
        (f"render greeting --dir {PROMPTS} --vars - <&-", 1),
    ],
)
def test_a_closed_stream_does_not_crash(arguments: str, status: int) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$0" -m prompt_manager {arguments}', sys.executable],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (status, "")
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals work differently on Windows")
def test_an_interrupt_ends_the_command_without_a_traceback() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "prompt_manager", *GREETING, "--vars", "-"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=2)
    process.send_signal(signal.SIGINT)
    written, said = process.communicate(timeout=60)
    assert (process.returncode, written, said.strip()) == (130, b"", b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")  # noqa: PTH110 - no Path needed
def test_a_full_disk_is_an_error() -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - no Path needed
        done = subprocess.run(
            [sys.executable, "-m", "prompt_manager", *GREETING],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, b"error: cannot write the result: No space left on device\n")


def test_characters_that_cannot_be_encoded_are_escaped() -> None:
    done = command(*JAPANESE, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "\\u304a" in done.stdout
    assert done.stderr.startswith("warning: standard output is ascii: ")
    done = command(*JAPANESE, "--to", "openai", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert json.loads(done.stdout) == json.loads(command(*JAPANESE, "--to", "openai").stdout)
    for arguments in (("list",), ("show", "multilingual/support_ja"), ("show", "日本")):
        done = command(*arguments, "--dir", PROMPTS, PYTHONIOENCODING="ascii")
        assert "Traceback" not in done.stderr
        assert (done.stdout + done.stderr).isascii()


def test_a_lone_surrogate_in_a_value_does_not_crash(tmp_path: Path) -> None:
    file = tmp_path / "values.json"
    file.write_text('{"name": "\\ud83d", "role": "r"}', encoding="utf-8")
    done = command("render", "greeting", "--dir", PROMPTS, "--vars", str(file))
    assert (done.returncode, done.stdout) == (0, "Hello \\ud83d! Your role is r.")


def test_only_a_terminal_gets_a_final_newline() -> None:
    assert on_a_terminal(*GREETING, directory=ROOT) == "Hello Ada! Your role is engineer.\n"
    assert command(*GREETING).stdout == "Hello Ada! Your role is engineer."


@pytest.mark.parametrize("columns", [80, 200])
def test_a_list_fits_the_width_of_the_terminal(columns: int) -> None:
    shown = on_a_terminal("list", "--dir", PROMPTS, directory=ROOT, columns=columns, NO_COLOR="1")
    assert columns / 2 < widest(shown) <= columns
    # A narrower terminal wraps whole rows itself.
    assert widest(on_a_terminal("list", "--dir", PROMPTS, directory=ROOT, columns=60)) > 80


def test_a_long_id_is_whole_and_leaves_room_for_the_description(directory: Callable[[dict[str, str]], Path]) -> None:
    name, words = "long" * 50, "What it is for, in many words, " * 5
    text = f"id: {name}\nformat: text\ntemplate: x\nmetadata: {{description: '{words}'}}\n"
    shown = on_a_terminal("list", "--dir", str(directory({"long.yaml": text})), directory=ROOT, NO_COLOR="1")
    assert f"\n{name}\n" in shown
    assert widest(shown.replace(name, "")) <= 80
    assert " ".join(shown.split()).endswith(words.strip())


def test_the_demo_shows_three_prompts_in_80_columns() -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "demo.py")],
        env={**ENVIRONMENT, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert widest(done.stdout) <= 80
    assert "\x1b" not in done.stdout
    for prompt_id in ("customer_support", "assistant/orders", "retrieval/answer"):
        assert f"\n{prompt_id}  version " in done.stdout
    assert done.stdout.count("── OpenAI: ") == done.stdout.count("── Anthropic: ") == 3
    for shown in (
        "return_days    integer  default 30",
        "  calls call_get_order: get_order(",
        "[tool] (answers call_get_order)",
        '  {"role": "user", "content": "I have a question about order AC-204518."}',
        '          "type": "tool_use"',
        "more characters)",
    ):
        assert shown in done.stdout


def test_the_demo_works_on_a_terminal_without_unicode() -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "demo.py")],
        env={**ENVIRONMENT, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
