"""Functions that only kernels call, made callable from Python."""

from numba import njit


def callable_from_python(function):
    """An `inner` function of igmc compiled by itself, with what Python needs to call it."""
    return njit(error_model="numpy")(function.py_func)
