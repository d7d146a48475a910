"""What the last digits of a computation depend on beside its inputs: the processor, and the packages that compute."""

import os
import platform
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from textmill.config import Section

# The sets of instructions, as Linux calls them, by which libraries choose how they compute. Most of all first.
INSTRUCTIONS = ("amx_bf16", "amx_tile", "avx512_bf16", "avx512f", "avx2", "sve", "bf16", "asimd")
# Variables that forbid some of these, or let a library choose otherwise.
SETTINGS = (
    *("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ONEDNN_DEFAULT_FPMATH_MODE", "ATEN_CPU_CAPABILITY"),
    *("MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES"),
)
PACKAGES = {"torch": "torch", "numpy": "numpy", "scipy": "scipy", "sklearn": "scikit-learn", "polars": "polars"}
CPUINFO = Path("/proc/cpuinfo")


class Environment(Section):
    """Where something was computed. Threads are a param, and not told here."""

    processor: str
    instructions: list[str]  # of INSTRUCTIONS, those that the processor has
    settings: dict[str, str] = {}  # of SETTINGS, those that were set
    torch_uses: str | None = None  # the instructions that torch chose for itself; None where it was not loaded
    gpu: str | None = None
    python: str
    packages: dict[str, str]  # versions of those that were loaded


def here(gpu: str | None = None, packages: Iterable[str] | None = None) -> Environment:
    """That of this process, with the versions of these packages, or else of all that it has loaded.

    It imports none: what a computation did not load, it did not depend on.
    """
    loaded = [name for module, name in PACKAGES.items() if module in sys.modules]
    versions = {name: _version(name) for name in (loaded if packages is None else packages)}
    torch = sys.modules.get("torch")
    return Environment(
        processor=processor(),
        instructions=instructions(),
        settings={name: os.environ[name] for name in SETTINGS if os.environ.get(name)},
        torch_uses=torch.backends.cpu.get_cpu_capability() if torch else None,
        gpu=gpu,
        python=platform.python_version(),
        packages={name: version for name, version in versions.items() if version},
    )


def _version(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def processor() -> str:
    """What the processor is called."""
    names = re.findall(r"model name\s*:\s*(.+)", _cpuinfo())
    return names[0] if names else platform.processor() or platform.machine()


def instructions() -> list[str]:
    """Which of INSTRUCTIONS the processor has; none where the system does not tell."""
    flags = re.search(r"(?m)^(?:flags|Features)\s*:(.*)$", _cpuinfo())
    known = set(flags[1].split()) if flags else set()
    return [name for name in INSTRUCTIONS if name in known]


def differences(then: Environment, now: Environment) -> list[str]:
    """What differs, in words, each with its old and new value. A package that one of them lacks is no difference."""
    pairs: dict[str, tuple[str | None, str | None]] = {
        "processor": (then.processor, now.processor),
        "instructions": (" ".join(then.instructions), " ".join(now.instructions)),
    }
    names = dict.fromkeys([*then.settings, *now.settings])
    pairs |= {name: (then.settings.get(name), now.settings.get(name)) for name in names}
    if then.torch_uses and now.torch_uses:
        pairs["torch uses"] = then.torch_uses, now.torch_uses
    pairs |= {"GPU": (then.gpu, now.gpu), "Python": (then.python, now.python)}
    pairs |= {name: (then.packages[name], now.packages[name]) for name in then.packages if name in now.packages}
    return [f"{name} {a or 'none'} → {b or 'none'}" for name, (a, b) in pairs.items() if (a or None) != (b or None)]


def _cpuinfo() -> str:
    return CPUINFO.read_text(encoding="utf-8", errors="replace") if CPUINFO.exists() else ""
