"""NIR's linear primitives as sparse matrices over flattened signals: rows are outputs, columns inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from scipy import sparse

from pynn_io.errors import ReadError, UnsupportedInput
from pynn_io.formats.nir import Matrix, Node

Shape: TypeAlias = tuple[int, ...]


class Linear(NamedTuple):
    """``y = matrix x + bias``. shape: of y; its neurons are numbered row by row. bias: float64, or None."""

    matrix: sparse.csr_array
    shape: Shape
    bias: np.ndarray | None = None


def linear(node: Node, shape: Shape) -> Linear:
    """What a node makes of signals of one shape. Raises ReadError where they do not fit, UnsupportedInput for a
    primitive that is not linear."""
    if node.type in ("Linear", "Affine"):
        return _dense(node, shape)
    if node.type == "Scale":
        scale = np.asarray(node.values["scale"], dtype=np.float64)
        _fits(node, shape, scale.shape)
        return Linear(sparse.diags_array(scale.ravel()).tocsr(), shape)
    if node.type == "Flatten":
        size = int(np.prod(shape))
        return Linear(sparse.eye_array(size, format="csr"), _flattened(node, shape))
    if node.type in ("Conv1d", "Conv2d"):
        return _convolution(node, shape)
    if node.type in ("SumPool2d", "AvgPool2d"):
        return _pooling(node, shape)
    raise UnsupportedInput(f"{node.type} acts on a signal that is not one of neurons", where=node.where)


def _fits(node: Node, shape: Shape, wanted: Sequence[int]) -> None:
    if tuple(shape) != tuple(wanted):
        raise ReadError(
            f"this {node.type} takes signals of the shape {tuple(wanted)}, and gets {shape}", where=node.where
        )


def _dense(node: Node, shape: Shape) -> Linear:
    weight = node.values["weight"]
    if not isinstance(weight, Matrix):
        raise UnsupportedInput(
            f"a weight of {np.ndim(weight)} dimensions", where=f"{node.where}/weight", hint="two are read: (out, in)"
        )
    _fits(node, shape, (weight.shape[1],))
    matrix = sparse.csr_array((weight.value, (weight.row, weight.column)), shape=weight.shape)
    bias = node.values.get("bias")
    return Linear(matrix, (weight.shape[0],), None if bias is None else np.asarray(bias, dtype=np.float64))


def _flattened(node: Node, shape: Shape) -> Shape:
    start, end = (int(node.values[name]) for name in ("start_dim", "end_dim"))
    end = end % len(shape)
    if not 0 <= start <= end:
        raise ReadError(f"dimensions {start} to {end} of signals of the shape {shape}", where=node.where)
    return (*shape[:start], int(np.prod(shape[start : end + 1])), *shape[end + 1 :])


# --- kernels ------------------------------------------------------------------------------------------------------


def _convolution(node: Node, shape: Shape) -> Linear:
    """Cross-correlation, as PyTorch defines ``Conv1d`` and ``Conv2d``: weight (out, in of a group, *kernel)."""
    weight = np.asarray(node.values["weight"], dtype=np.float64)
    axes = weight.ndim - 2
    if axes != int(node.type[4]):
        raise ReadError(f"the weight of a {node.type} has {weight.ndim} dimensions", where=f"{node.where}/weight")
    groups = int(node.values["groups"])
    if len(shape) != axes + 1 or groups < 1 or shape[0] != weight.shape[1] * groups or weight.shape[0] % groups:
        raise ReadError(
            f"weights of the shape {weight.shape} in {groups} groups, and signals of the shape {shape}",
            where=node.where,
        )
    kernel = weight.shape[2:]
    stride, dilation = (_per_axis(node, name, axes) for name in ("stride", "dilation"))
    matrix, size = _correlation(weight, shape, groups, stride, dilation, _padding(node, kernel, dilation))
    bias = np.broadcast_to(np.asarray(node.values["bias"], dtype=np.float64), (weight.shape[0],))
    return Linear(matrix, (weight.shape[0], *size), np.repeat(bias, int(np.prod(size))))


def _pooling(node: Node, shape: Shape) -> Linear:
    """Each channel summed, or averaged with what is padded counted, over a window."""
    if len(shape) != 3:
        raise ReadError(f"a {node.type} takes signals (channels, rows, columns), and gets {shape}", where=node.where)
    kernel, stride, padding = (_per_axis(node, name, 2) for name in ("kernel_size", "stride", "padding"))
    ones = np.ones((shape[0], 1, *kernel))
    weight = ones / np.prod(kernel) if node.type == "AvgPool2d" else ones
    matrix, size = _correlation(weight, shape, shape[0], stride, (1, 1), [(pad, pad) for pad in padding])
    return Linear(matrix, (shape[0], *size))


def _per_axis(node: Node, name: str, axes: int) -> tuple[int, ...]:
    values = np.atleast_1d(np.asarray(node.values[name]))
    least = 0 if name == "padding" else 1
    if values.dtype.kind not in "iuf" or len(values) not in (1, axes) or (values < least).any():
        raise ReadError(f"{name} is {node.values[name]!r}", where=f"{node.where}/{name}")
    return tuple(int(value) for value in np.broadcast_to(values, axes))


def _padding(node: Node, kernel: Shape, dilation: Shape) -> list[tuple[int, int]]:
    stated: Any = node.values["padding"]
    if isinstance(stated, str):
        if stated == "valid":
            return [(0, 0)] * len(kernel)
        if stated != "same":
            raise ReadError(f"padding is {stated!r}", where=f"{node.where}/padding", hint="a number, 'same' or 'valid'")
        whole = [step * (size - 1) for size, step in zip(kernel, dilation, strict=True)]
        return [(total // 2, total - total // 2) for total in whole]
    return [(pad, pad) for pad in _per_axis(node, "padding", len(kernel))]


def _correlation(
    weight: np.ndarray,
    shape: Shape,
    groups: int,
    stride: Sequence[int],
    dilation: Sequence[int],
    padding: Sequence[tuple[int, int]],
) -> tuple[sparse.csr_array, Shape]:
    """The matrix of a kernel that moves over a signal (channels, *axes), and the size of the axes of what it gives."""
    kernel, axes = weight.shape[2:], shape[1:]
    size = tuple(
        (axes[i] + sum(padding[i]) - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1 for i in range(len(axes))
    )
    out, within = weight.shape[:2]
    place = np.indices((out, within, *kernel, *size), sparse=True)
    group = place[0] // (out // groups)
    inside: Any = np.True_
    column = group * within + place[1]
    for i, length in enumerate(axes):
        at = place[2 + len(kernel) + i] * stride[i] + place[2 + i] * dilation[i] - padding[i][0]
        inside = inside & (at >= 0) & (at < length)
        column = column * length + at
    row = place[0]
    for i, length in enumerate(size):
        row = row * length + place[2 + len(kernel) + i]
    whole = (out, within, *kernel, *size)
    value = np.broadcast_to(weight.reshape(*weight.shape, *[1] * len(size)), whole)
    chosen = np.broadcast_to(inside, whole) & (value != 0)
    entries = (value[chosen], (np.broadcast_to(row, whole)[chosen], np.broadcast_to(column, whole)[chosen]))
    return sparse.csr_array(entries, shape=(out * int(np.prod(size)), int(np.prod(shape)))), size
