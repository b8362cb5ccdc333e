"""The same as foreign.c, in Python: foreign.py PLUGIN CASE..."""

import ctypes
import sys

plugin = ctypes.CDLL(sys.argv[1])
plugin.plugin_run.argtypes = [ctypes.c_char_p]
for case in sys.argv[2:]:
    if plugin.plugin_run(case.encode()) != 0:
        sys.exit(f"{case}: failed")
    print(f"{case}: ok", flush=True)
