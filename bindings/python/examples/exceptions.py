"""Exceptions across the boundary, in both directions: raised by the host and caught by the guest, and the other way round."""

import sys
from pathlib import Path

from tenon import I32, Instance, Module, Store, Tag, WasmException

BALANCE, TOO_MUCH = 100, 7


def main(directory: Path) -> None:
    with Store() as store:
        # A tag of the host: exceptions of it carry an i32.
        refused = Tag(store, [I32])

        def withdraw(amount: int) -> int:
            if amount <= BALANCE:
                return BALANCE - amount
            print("  the host throws")
            raise WasmException(refused, TOO_MUCH)

        module = Module.from_file(store, directory / "exceptions.wat")
        exports = Instance(store, module, {"bank": {"refused": refused, "withdraw": withdraw}}).exports
        print(f"nothing is thrown: {exports.try_to_withdraw(30)}")
        print(f"the guest caught it: {exports.try_to_withdraw(300)}")

        # What no guest catches comes out of the call.
        try:
            exports.withdraw(300)
        except WasmException as exception:
            assert exception.tag == refused
            print(f"it came through the guest: {exception.values[0]}")
        try:
            exports.deposit(-5)
        except WasmException as exception:
            assert exception.tag == exports.negative
            print("the host caught the guest's: {}, {}".format(*exception.values))


main(Path(sys.argv[1]))
