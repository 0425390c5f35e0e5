"""Rotations of cells: the Allen dialect's three angles and the OBI dialect's quaternion.

Angles are applied in the extrinsic order z, y, x (SONATA specification, "rotation_angle_zaxis"), so the matrix is
``Rx @ Ry @ Rz`` and the quaternion ``qx * qy * qz``.
"""

from __future__ import annotations

import numpy as np

#: Columns of the two forms.
ANGLES = ("rotation_angle_xaxis", "rotation_angle_yaxis", "rotation_angle_zaxis")
QUATERNION = ("orientation_w", "orientation_x", "orientation_y", "orientation_z")
#: |sin(y angle)| above which the x and z axes are one, and the z angle is set to 0.
_LOCKED = 1 - 1e-12


def quaternion(angles: np.ndarray) -> np.ndarray:
    """``angles[n, 3]`` about x, y and z (rad) as unit quaternions ``[n, 4]`` (w, x, y, z), w not negative."""
    half = np.asarray(angles, dtype=np.float64) / 2
    (cx, cy, cz), (sx, sy, sz) = np.cos(half).T, np.sin(half).T
    out = np.stack(
        [
            cx * cy * cz - sx * sy * sz,
            sx * cy * cz + cx * sy * sz,
            cx * sy * cz - sx * cy * sz,
            cx * cy * sz + sx * sy * cz,
        ],
        axis=1,
    )
    return np.where(out[:, :1] < 0, -out, out)


def angles(quaternions: np.ndarray) -> np.ndarray:
    """``quaternions[n, 4]`` (any length but zero; zero turns nothing) as angles ``[n, 3]`` about x, y and z, rad."""
    q = np.asarray(quaternions, dtype=np.float64)
    length = np.linalg.norm(q, axis=1, keepdims=True)
    q = np.where(length > 0, q / np.where(length > 0, length, 1), [1.0, 0.0, 0.0, 0.0])
    w, x, y, z = q.T
    sine = np.clip(2 * (x * z + w * y), -1, 1)
    locked = np.abs(sine) > _LOCKED
    side, front = 2 * (w * x - y * z), 1 - 2 * (x * x + y * y)
    about_x, about_y = np.arctan2(side, front), np.arctan2(sine, np.hypot(side, front))
    about_z = np.arctan2(-2 * (x * y - w * z), 1 - 2 * (y * y + z * z))
    only = np.arctan2(2 * (y * z + w * x), 1 - 2 * (x * x + z * z))
    return np.stack([np.where(locked, only, about_x), about_y, np.where(locked, 0.0, about_z)], axis=1)
