"""Takes out of a TorchScript file what only error messages need: it names the files of the machine that made it.

python3 strip_debug.py FILE...
What is left is stored as it was, in its order, each entry's bytes from a multiple of 64 on, as PyTorch has them; neither
compressed nor dated, so that the same network gives the same file.
"""
import os
import struct
import sys
import zipfile


def strip(source, target):
    """source: a file's path, or an open file."""
    with zipfile.ZipFile(source) as z:
        kept = [(name, z.read(name)) for name in z.namelist() if not name.endswith(".debug_pkl")]
    with zipfile.ZipFile(target + ".new", "w", zipfile.ZIP_STORED) as z:
        for name, data in kept:
            info = zipfile.ZipInfo(name)  # of 1980
            gap = -(z.fp.tell() + 30 + len(name) + 4) % 64  # behind the entry's header, its name and the padding's header
            info.extra = b"FB" + struct.pack("<H", gap) + b"Z" * gap
            z.writestr(info, data)
    os.replace(target + ".new", target)


if __name__ == "__main__":
    for file in sys.argv[1:]:
        strip(file, file)
