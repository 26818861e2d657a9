"""Fuzzes templates, prompt files, schemas, answers, histories and tables. ``make fuzz`` calls it.

Each target starts with the inputs of its corpus file and the cases of the tests. New inputs are minimised and saved in
``tests/fuzz/corpus``, up to a size. ``tests/rust/corpus.rs`` runs them in every test run. An input that fails is saved
in ``target/fuzz/artifacts``, and cargo-fuzz prints the command that repeats it.

A corpus file is a JSON list. Each input is a text with one character for each byte.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
WORK = ROOT / "target" / "fuzz"

#: For each target, the maximum length of an input in bytes.
TARGETS = {
    "answer": 400,
    "arrow": 600,
    "history": 1000,
    "parse": 400,
    "prompt_file": 800,
    "render": 600,
    "round_trip": 400,
    "schema": 600,
}

#: The maximum size of a corpus file, in bytes.
MAX_CORPUS_SIZE = 95_000

#: An input that takes ten seconds counts as a hang.
LIMITS = ["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]


def corpus_file(target: str) -> Path:
    """Return the corpus file of a target."""
    return HERE / "corpus" / f"{target}.json"


def encoded(value: object) -> bytes:
    """Encode JSON data for the target ``render``. Lengths are one byte, so longer data is cut."""
    if isinstance(value, bool):
        return bytes([1, value])
    if isinstance(value, int):
        return b"\x02" + value.to_bytes(1, signed=True) if -128 <= value < 128 else b"\x00"
    if isinstance(value, str):
        text = value.encode()[:255]
        return bytes([5, len(text)]) + text
    if isinstance(value, list):
        return bytes([6, len(value[:255])]) + b"".join(map(encoded, value[:255]))
    if isinstance(value, dict):
        members = [encoded(key)[1:] + encoded(member) for key, member in value.items()]
        return bytes([7, len(members[:255])]) + b"".join(members[:255])
    return b"\x00"


class Words:
    """Encodes values with the words of a target, as ``bodies/words.rs`` reads them."""

    def __init__(self, name: str) -> None:
        keys, texts = (HERE / "words" / f"{name}.txt").read_text(encoding="utf-8").split("\n\n")
        self.keys, self.texts = keys.splitlines(), texts.splitlines()

    def word(self, text: str, words: list[str]) -> bytes:
        """Encode a key or a text."""
        return bytes([words.index(text)]) if text in words else b"\xff" + encoded(text)[1:]

    def value(self, value: object) -> bytes:
        """Encode JSON data. Lengths are five bits, so longer data is cut."""
        data = b"\x00"
        match value:
            case bool():
                data = bytes([1 + 8 * value])
            case int() if -4 <= value < 28:
                data = bytes([2 + 8 * (value + 4)])
            case int() | float():
                data = b"\x03" + struct.pack("<d", value)
            case str():
                data = b"\x07" + self.word(value, self.texts)
            case dict():
                members = [self.word(key, self.keys) + self.value(member) for key, member in value.items()][:31]
                data = bytes([4 + 8 * len(members)]) + b"".join(members)
            case list():
                data = bytes([5 + 8 * len(value[:31])]) + b"".join(map(self.value, value[:31]))
        return data


def read_json(*path: str) -> Any:
    """Return the JSON of a file of ``tests/data``."""
    return json.loads(ROOT.joinpath("tests", "data", *path).read_text(encoding="utf-8"))


def answers() -> list[bytes]:
    """Return the cases of answers."""
    cases = read_json("schemas", "answers.json")["cases"] + read_json("schemas", "output.json")
    found = [b"\xff" + case["text"].encode() for case in cases]
    return found + [bytes([at % 16]) + encoded(case["data"]) for at, case in enumerate(cases) if "data" in case]


def histories() -> list[bytes]:
    """Return the recorded histories."""
    words = Words("history")
    return [words.value(entry["history"]) for entry in read_json("histories.json")]


def schemas() -> list[bytes]:
    """Return the schemas of the cases of validation, each with some of its data."""
    words = Words("schema")
    found = []
    for group in read_json("schemas", "validate.json"):
        by_field = "field" in group
        schema = {"name": "s", "fields": [{**group["field"], "name": "x"}]} if by_field else group["schemas"][0]
        for case in group["cases"][:4]:
            data = {"x": case[0]} if by_field else case[0]
            found.append(b"\x00" + words.value(schema) + words.value(data))
    return found


def prompt_files() -> list[bytes]:
    """Return the cases of prompt files, and the prompts of the examples."""
    found = []
    for name in ("good.txt", "bad.txt", "findings.txt", "check_findings.txt"):
        table = (ROOT / "tests" / "data" / "yaml" / name).read_text(encoding="utf-8")
        cases = re.split(r"^@@ .*\n", table, flags=re.MULTILINE)[1:]
        found += [re.sub(r"^@ .*\n", "", case, flags=re.MULTILINE).encode() for case in cases]
    return found + [path.read_bytes() for path in sorted((ROOT / "examples").rglob("*.yaml"))]


def templates(target: str) -> list[bytes]:
    """Return the template cases."""
    found = []
    for path in sorted((ROOT / "tests" / "data" / "templates").glob("*.json")):
        for at, case in enumerate(read_json("templates", path.name)["cases"]):
            javascript = case.get("options", {}).get("dialect") == "handlebars"
            texts = [case["template"], *case.get("partials", {}).values(), "", ""]
            if target == "round_trip":
                found += [text.encode() for text in texts if text]
            elif target == "parse":
                found += [bytes([javascript, 0]) + text.encode() for text in texts if text]
            elif target == "arrow":
                types = bytes((at + column * 5) % 16 for column in range(8))
                found.append(texts[0].encode() + bytes([255, javascript, 0]) + types + bytes(range(3, 40)))
            else:
                template, first, second = (text.encode() + b"\xff" for text in texts[:3])
                found.append(template + first + second + bytes([javascript, 0]) + encoded(case.get("data")))
    return found


def seeds(target: str) -> list[bytes]:
    """Return the cases of the tests, encoded for the target."""
    others = {"answer": answers, "history": histories, "schema": schemas, "prompt_file": prompt_files}
    found = others[target]() if target in others else templates(target)
    return [data for data in found if len(data) <= TARGETS[target]]


def unpack(target: str) -> Path:
    """Write the inputs and seeds of a target to files for libFuzzer."""
    folder = WORK / "corpus" / target
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    saved = corpus_file(target)
    inputs = json.loads(saved.read_text(encoding="utf-8")) if saved.exists() else []
    inputs = [text.encode("latin-1") for text in inputs]
    for number, data in enumerate([*inputs, *seeds(target)]):
        (folder / f"{number:05}").write_bytes(data)
    return folder


def pack(target: str, folder: Path) -> None:
    """Save the inputs of a minimised folder to the corpus file, shortest first, up to the maximum size."""
    inputs = sorted((path.read_bytes() for path in folder.iterdir()), key=lambda data: (len(data), data))
    chosen, size = [], 0
    for data in inputs:
        text = json.dumps(data.decode("latin-1"), ensure_ascii=False)
        size += len(text.encode()) + 2
        if size > MAX_CORPUS_SIZE:
            break
        chosen.append(text)
    corpus_file(target).write_text("[\n" + ",\n".join(chosen) + "\n]\n", encoding="utf-8")
    saved = corpus_file(target).relative_to(ROOT)
    print(f"{target}: saved {len(chosen)} of {len(inputs)} inputs in {saved}", flush=True)


def cargo_fuzz(command: str, target: str, folder: Path, *options: str) -> bool:
    """Run ``cargo fuzz``, and return whether it succeeded."""
    artifacts = WORK / "artifacts" / target
    artifacts.mkdir(parents=True, exist_ok=True)
    places = ["--fuzz-dir", str(HERE), "--target-dir", str(WORK / "build")]
    line = ["cargo", "+nightly", "fuzz", command, *places, target, str(folder), "--", *LIMITS]
    line += [f"-artifact_prefix={artifacts}/", *options]
    return subprocess.run(line, cwd=ROOT, check=False).returncode == 0


def fuzz(target: str, minutes: float) -> bool:
    """Fuzz a target, save new inputs, and return whether every input passed."""
    folder = unpack(target)
    words = f"-dict={HERE / 'handlebars.dict'}"
    if not cargo_fuzz(
        "run", target, folder, words, f"-max_total_time={minutes * 60:.0f}", f"-max_len={TARGETS[target]}"
    ):
        return False
    if not cargo_fuzz("cmin", target, folder):
        return False
    pack(target, folder)
    return True


def missing_tool() -> str | None:
    """Return the command that installs a missing tool, or None if nothing is missing."""
    toolchains = subprocess.run(["rustup", "toolchain", "list"], capture_output=True, text=True, check=False)
    if "nightly" not in toolchains.stdout:
        return "rustup toolchain install nightly"
    if subprocess.run(["cargo", "fuzz", "--version"], capture_output=True, check=False).returncode:
        return "cargo install cargo-fuzz --locked"
    return None


def main() -> int:
    """Fuzz the targets named on the command line, by default all."""
    parser = argparse.ArgumentParser(
        description="Fuzz templates, prompt files, schemas, answers, histories and tables."
    )
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help="the targets to fuzz (default: all)")
    parser.add_argument("--minutes", type=float, default=20, help="minutes to run each target (default: 20)")
    arguments = parser.parse_args()
    if tool := missing_tool():
        print(f"error: fuzzing needs a nightly Rust and cargo-fuzz\n  hint: run {tool}", file=sys.stderr)
        return 2
    failed = [target for target in arguments.targets or TARGETS if not fuzz(target, arguments.minutes)]
    print(f"failed: {', '.join(failed)}" if failed else "every input passed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
