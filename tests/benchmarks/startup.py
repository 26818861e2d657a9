"""Measures the cost of a start: the time added to that of a bare interpreter, the modules, and the memory.

Each process is new, with cached bytecode. Processes alternate, and each figure is a median. As a program, it needs only
the package: ``make figures`` calls it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter_ns

from measure import Effort
from report import Row, table

__all__ = ["measure"]

ROOT = Path(__file__).resolve().parents[2]

BARE = "pass"
IMPORT = "import prompt_manager"
RENDER = """
from prompt_manager import PromptManager
manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
manager.render_sync("greeting", {"name": "Ada", "role": "engineer"})
"""
INTEGRATIONS = f"""{RENDER}
import pkgutil
from importlib import import_module
import prompt_manager.integrations
for module in pkgutil.iter_modules(prompt_manager.integrations.__path__):
    # Private modules need packages of providers. The modules that need them load them.
    if not module.name.startswith("_"):
        import_module("prompt_manager.integrations." + module.name)
"""

#: Code for the end of a process, which prints the resident memory in MB and the imported modules.
STATE = """
import sys
modules = sorted(set(sys.modules) - before)
try:
    with open("/proc/self/status") as status:
        memory = int(next(line.split()[1] for line in status if line.startswith("VmRSS"))) / 1024
except FileNotFoundError:
    # macOS: the maximum, in bytes.
    import resource
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
import json
print(json.dumps({"memory": memory, "modules": modules}))
"""

#: Modules that a program that only renders must not load.
HEAVY = ("pydantic", "asyncio", "logging", "structlog")


def run(code: str) -> str:
    """Run code in a new interpreter, and return its output."""
    finished = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    return finished.stdout


def milliseconds(code: str) -> float:
    start = perf_counter_ns()
    run(code)
    return (perf_counter_ns() - start) / 1e6


def over_bare(codes: dict[str, str], rounds: int) -> dict[str, float]:
    """Return the milliseconds added to a bare interpreter: the median of the differences in each round."""
    for code in codes.values():
        run(code)
    differences: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(rounds):
        bare = milliseconds(BARE)
        for name, code in codes.items():
            differences[name].append(milliseconds(code) - bare)
    return {name: median(times) for name, times in differences.items()}


def state(code: str) -> tuple[float, list[str]]:
    """Return the resident memory in MB after running code, and the modules that it imported."""
    found = json.loads(run(f"import sys; before = set(sys.modules)\n{code}\n{STATE}"))
    return found["memory"], found["modules"]


def measure(effort: Effort) -> list[Row]:
    """Measure time, modules and memory."""
    times = over_bare({"import": IMPORT, "render": RENDER}, effort.rounds)
    memory, modules = state(RENDER)
    heavy = [name for name in HEAVY if name in modules]
    all_memory, _ = state(INTEGRATIONS)
    bare_memory, _ = state(BARE)
    return [
        Row("import", "import prompt_manager, minus bare interpreter", times["import"], target=15.0, unit="ms"),
        Row("first", "import, load examples, render once, minus bare", times["render"], target=40.0, unit="ms"),
        Row("modules", "modules imported by that", len(modules), unit="modules"),
        Row("heavy", f"of these, {', '.join(HEAVY)}", len(heavy), target=0.0, unit="modules"),
        Row("bare", "resident, bare interpreter", bare_memory, unit="MB"),
        Row("memory", "resident after import and a render", memory, target=50.0, unit="MB"),
        Row("all", "with every integration loaded", all_memory, target=100.0, unit="MB"),
    ]


if __name__ == "__main__":
    print(table(measure(Effort.quick())))
