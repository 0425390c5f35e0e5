"""A backend of PyNN that simulates nothing and keeps what a script builds; only the child process imports it.

It is made of the classes that PyNN offers to all backends, and stands under the name of whichever one a script asks
for (`pynn_io.importers.pynn_capture.modules`). PyNN itself is no part of pynn_io and is under its own licence (CeCILL).
"""
