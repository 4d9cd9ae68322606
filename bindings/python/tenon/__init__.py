"""Tenon, a WebAssembly engine.

    from tenon import Instance, Module, Store

    with Store() as store:
        module = Module(store, '(module (func (export "add") (param i32 i32) (result i32) '
                               "(i32.add (local.get 0) (local.get 1))))")
        print(Instance(store, module).exports.add(1, 2))
"""

from ._native import ffi, lib
from ._values import *  # noqa: F403
from .atomic import *  # noqa: F403
from .creator import *  # noqa: F403
from .contents import *  # noqa: F403
from .errors import *  # noqa: F403
from .func import *  # noqa: F403
from .limits import *  # noqa: F403
from .memory import *  # noqa: F403
from .module import *  # noqa: F403
from .objects import *  # noqa: F403
from .shared import *  # noqa: F403
from .store import *  # noqa: F403
from .tag import *  # noqa: F403
from .types import *  # noqa: F403

__version__ = ffi.string(lib.tenon_version()).decode()
#: What the library was built from and for, in a line for people.
build_info = ffi.string(lib.tenon_build_info()).decode()
del ffi, lib
