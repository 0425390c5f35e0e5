"""SONATA results as Neo Blocks, under the name and with the arguments of PyNN's ``SonataIO``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pynn_io.report import Report
from pynn_io.results.files import write_results
from pynn_io.results.neo import from_blocks, to_block
from pynn_io.results.sonata import read


class SonataIO:
    """Reads and writes a folder of SONATA results, in any layout of `results.sonata.read`, as Neo objects.

    base_dir: the folder. spikes_file: the file of spikes in it; None for all that hold spikes. spikes_sort_order: how
    `write` sorts them, ``none``, ``by_id`` or ``by_time``. Every cell that spiked has a spike train with its node id as
    ``channel_id`` (see `results.neo.to_block`), and reports are AnalogSignals; PyNN's class reads spikes only.
    """

    def __init__(
        self, base_dir: str | Path, spikes_file: str | None = "spikes.h5", spikes_sort_order: str | None = None
    ) -> None:
        self.base_dir = Path(base_dir)
        self.spikes_file = spikes_file
        self.spikes_sort_order = spikes_sort_order

    def read(self, report: Report | None = None) -> list[Any]:
        """One `neo.Block`, as a list. Raises ReadError, BackendUnavailable without neo."""
        report = Report() if report is None else report
        results = read(self.base_dir, report, spikes_file=self.spikes_file)
        block = to_block(results, name=self.base_dir.name)
        origin = str(self.base_dir / (self.spikes_file or ""))
        block.file_origin = block.segments[0].file_origin = origin
        return [block]

    read_all_blocks = read

    def read_block(self, report: Report | None = None) -> Any:
        """The `neo.Block`."""
        return self.read(report)[0]

    def write(self, blocks: Sequence[Any], report: Report | None = None, *, overwrite: bool = True) -> None:
        """Write the first Segment of every Block: spikes, and its regularly sampled signals as reports.

        Raises WriteError.
        """
        report = Report() if report is None else report
        write_results(
            from_blocks(blocks, report),
            self.base_dir,
            "sonata",
            report=report,
            overwrite=overwrite,
            spikes_file=self.spikes_file or "spikes.h5",
            spikes_sort_order=self.spikes_sort_order or "by_time",
        )
