"""What a neuromorphic chip can hold of a network: one checker over capability profiles, without any chip's software."""

from pynn_io.lowering.hardware.check import check_hardware
from pynn_io.lowering.hardware.findings import Check, Finding, Needs

__all__ = ["Check", "Finding", "Needs", "check_hardware"]
