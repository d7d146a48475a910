"""How long an epoch takes, and for what part of it the GPU works."""

import time
from typing import Any

import numpy as np
import torch
from parts import Data, fit, peak_share, synchronized
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

MOST = 3  # epochs behind a median
FEW = 500  # documents that an epoch is validated on


def epoch(data: Data, case: str, precision: str, batch_tokens: int, documents: int, seconds: float) -> dict[str, Any]:
    """Median seconds of up to MOST epochs after a first one, in about so many seconds.

    Validation on FEW documents is in them. The products' TFLOPS are those of ids that are no padding.
    """
    changes = {"precision": precision, "batch_tokens": batch_tokens}
    once = fit(case, data, documents, FEW, **changes).history[0]["seconds"]
    if data.device != "cpu":
        torch.cuda.reset_peak_memory_stats()
    epochs = min(MOST, max(1, int(seconds / once)))
    fitted = fit(case, data, documents, FEW, epochs=epochs, **changes)
    median = float(np.median([row["seconds"] for row in fitted.history]))
    found: dict[str, Any] = {"documents": documents, "epochs": epochs, "first": once, "seconds": median}
    found |= {"documents_a_second": round(documents / median), "seconds_of_25000": median * 25_000 / documents}
    start = time.perf_counter()
    probabilities = fitted.model.predict_proba(data.test.docs)
    found["predicted_a_second"] = round(len(data.test.docs) / (time.perf_counter() - start))
    found["accuracy"] = float(np.mean(probabilities.argmax(1) == data.test.labels))
    if data.device != "cpu":
        found |= peak_share(case, data.train.docs, median * len(data.train.docs) / documents)
        found["peak_mib"] = torch.cuda.max_memory_allocated() >> 20
    return found


def busy(data: Data, case: str, precision: str, batch_tokens: int, documents: int) -> dict[str, Any]:
    """Share of an epoch's time in which a kernel runs: of the profiler's kernels, but the time without a profiler."""
    changes = {"precision": precision, "batch_tokens": batch_tokens}
    fit(case, data, documents, 1, **changes)
    wall = fit(case, data, documents, 1, **changes).history[0]["seconds"]
    gpu = data.device != "cpu"
    with profile(activities=[ProfilerActivity.CUDA if gpu else ProfilerActivity.CPU]) as measured:
        fit(case, data, documents, 1, **changes)
        synchronized(data.device)
    kind = DeviceType.CUDA if gpu else DeviceType.CPU
    events = [event for event in measured.events() if event.device_type == kind and not event.is_user_annotation]
    spans = sorted((event.time_range.start, event.time_range.end) for event in events)
    total, end = 0.0, 0.0
    for start, stop in spans:
        total += max(0.0, stop - max(start, end))
        end = max(end, stop)
    by_name: dict[str, float] = {}
    for event in events:
        by_name[event.name] = by_name.get(event.name, 0.0) + event.time_range.elapsed_us()
    longest = sorted(by_name, key=by_name.__getitem__, reverse=True)[:6]
    return {
        "seconds": wall,
        "kernels": len(events),
        "kernel_seconds": total / 1e6,
        "busy": total / 1e6 / wall,
        "copies_to_device": sum("HtoD" in event.name for event in events),
        "copies_to_host": sum("DtoH" in event.name for event in events),
        "longest": {name[:80]: by_name[name] / sum(by_name.values()) for name in longest},
    }
