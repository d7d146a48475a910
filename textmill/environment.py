"""What the last digits of a computation depend on besides its inputs: the processor and the numeric packages."""

import os
import platform
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from textmill.config import Section

# Instruction sets, as Linux names them, that libraries choose between. The best ones first.
INSTRUCTIONS = ("amx_bf16", "amx_tile", "avx512_bf16", "avx512f", "avx2", "sve", "bf16", "asimd")
# Environment variables that forbid some of these or change a library's choice.
SETTINGS = (
    *("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ONEDNN_DEFAULT_FPMATH_MODE", "ATEN_CPU_CAPABILITY"),
    *("MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES"),
)
PACKAGES = {"torch": "torch", "numpy": "numpy", "scipy": "scipy", "sklearn": "scikit-learn", "polars": "polars"}
CPUINFO = Path("/proc/cpuinfo")


class Environment(Section):
    """Where something was computed. The number of threads is in params, not here."""

    processor: str
    instructions: list[str]  # those of INSTRUCTIONS that the processor has
    settings: dict[str, str] = {}  # those of SETTINGS that were set
    torch_uses: str | None = None  # the instructions that torch chose; None if it was not loaded
    gpu: str | None = None
    python: str
    packages: dict[str, str]  # of the packages that were loaded, their versions


def here(gpu: str | None = None, packages: Iterable[str] | None = None) -> Environment:
    """Returns the environment of this process, with the versions of `packages`, or of those already loaded.

    Imports nothing: a computation does not depend on what it did not load.
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
    """Returns the processor's name."""
    names = re.findall(r"model name\s*:\s*(.+)", _cpuinfo())
    return names[0] if names else platform.processor() or platform.machine()


def instructions() -> list[str]:
    """Returns those of INSTRUCTIONS that the processor has; none if the system does not say."""
    flags = re.search(r"(?m)^(?:flags|Features)\s*:(.*)$", _cpuinfo())
    known = set(flags[1].split()) if flags else set()
    return [name for name in INSTRUCTIONS if name in known]


def differences(then: Environment, now: Environment) -> list[str]:
    """Returns what differs, each with its old and new value. A package that only one of them has does not count."""
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
