"""Cells with extent: sections, membranes, synapses, inputs and reports of cable cells, before any simulator."""
