"""Builds the library with cargo, the extension modules, and puts all of it into the package.

TENON_LIBRARY_DIR names a directory that holds libtenon.so already; then cargo is not called.
"""

import os
import shutil
import subprocess
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def library() -> Path:
    """The directory of libtenon.so, which is built first unless TENON_LIBRARY_DIR says where it is."""
    given = os.environ.get("TENON_LIBRARY_DIR")
    if given:
        return Path(given)
    if not (ROOT / "Cargo.toml").exists():
        raise SystemExit(f"{ROOT} is not a checkout of Tenon: set TENON_LIBRARY_DIR to where libtenon.so is")
    subprocess.run(["cargo", "build", "--release", "--lib", "--locked"], cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return (target if target.is_absolute() else ROOT / target) / "release"


class BuildWithLibrary(build_ext):
    """Adds the library, without its debug information, beside the extension module that is linked with it."""

    def build_extension(self, ext):
        if "tenon" not in ext.libraries:
            super().build_extension(ext)
            return
        directory = library()
        ext.library_dirs.insert(0, str(directory))
        super().build_extension(ext)
        target = Path(self.get_ext_fullpath(ext.name)).parent / "libtenon.so.0"
        shutil.copyfile(directory / "libtenon.so", target)
        strip = shutil.which("strip")
        if strip:
            subprocess.run([strip, "--strip-unneeded", str(target)], check=True)


os.chdir(HERE)
setup(ext_modules=[Extension("tenon._buffer", ["buffer.c"])], cffi_modules=["native_build.py:builder"], cmdclass={"build_ext": BuildWithLibrary})
