"""Cells that a hoc template makes (SONATA ``hoc:Name``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pynn_io.errors import RunError
from pynn_io.report import Report
from pynn_io.runners.neuron.lowered import CellGroup, TemplateModel

if TYPE_CHECKING:
    from pynn_io.runners.neuron.model import Cell, Model


def maker(model: Model, group: CellGroup, report: Report) -> Callable[[int], Cell]:
    """A function that makes the cell in one row of the group."""
    name = group.model.template if isinstance(group.model, TemplateModel) else ""
    raise RunError(f"cells of the hoc template {name!r} are not built yet", where=f"cells/{group.cell}")
