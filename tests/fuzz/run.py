"""Fuzzes the template engine and the reading of answers. ``make fuzz`` calls it.

Each target starts with the inputs of its corpus file and with the template cases. New inputs are minimised and saved in
``tests/fuzz/corpus``, up to a size. ``tests/rust/corpus.rs`` runs them in every test run. An input that fails is saved
in ``target/fuzz/artifacts``, and cargo-fuzz prints the command that repeats it.

A corpus file is a JSON list. Each input is a text with one character for each byte.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
WORK = ROOT / "target" / "fuzz"

#: For each target, the maximum length of an input in bytes.
TARGETS = {"answer": 400, "parse": 400, "render": 600, "round_trip": 400}

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


def seeds(target: str) -> list[bytes]:
    """Return the template cases, or the cases of answers, encoded for the target."""
    found = []
    if target == "answer":
        folder = ROOT / "tests" / "data" / "schemas"
        cases = json.loads((folder / "answers.json").read_text(encoding="utf-8"))["cases"]
        cases += json.loads((folder / "output.json").read_text(encoding="utf-8"))
        found += [b"\xff" + case["text"].encode() for case in cases]
        found += [bytes([at % 16]) + encoded(case["data"]) for at, case in enumerate(cases) if "data" in case]
        return found
    for path in sorted((ROOT / "tests" / "data" / "templates").glob("*.json")):
        for case in json.loads(path.read_text(encoding="utf-8"))["cases"]:
            javascript = case.get("options", {}).get("dialect") == "handlebars"
            texts = [case["template"], *case.get("partials", {}).values(), "", ""]
            if target == "round_trip":
                found += [text.encode() for text in texts if text]
            elif target == "parse":
                found += [bytes([javascript, 0]) + text.encode() for text in texts if text]
            else:
                template, first, second = (text.encode() + b"\xff" for text in texts[:3])
                found.append(template + first + second + bytes([javascript, 0]) + encoded(case.get("data")))
    return found


def unpack(target: str) -> Path:
    """Write the inputs and seeds of a target to files for libFuzzer."""
    folder = WORK / "corpus" / target
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    inputs = [text.encode("latin-1") for text in json.loads(corpus_file(target).read_text(encoding="utf-8"))]
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
    parser = argparse.ArgumentParser(description="Fuzz the template engine and the reading of answers.")
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
