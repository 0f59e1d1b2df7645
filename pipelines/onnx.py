"""ONNX Runtime, without its telemetry: import it from here.

Its builds for Linux, too (1.32, looked at), keep a device id and count events for Microsoft.
Nothing about a call leaves this machine that its operator did not ask for.
"""

from __future__ import annotations

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

ort.disable_telemetry_events()

__all__ = ["ort", "ort_errors"]
