"""The stubs say what is there: every public name, every public member, and the parameters of each."""

import ast
import enum
import inspect
from pathlib import Path

import tenon
from tenon import store as settings

STUBS = ast.parse((Path(tenon.__file__).with_name("__init__.pyi")).read_text(encoding="utf-8"))
CLASSES = {node.name: node for node in STUBS.body if isinstance(node, ast.ClassDef)}
# Special methods that say something about how an object is used; others are the same for everything.
SPECIAL = {"__init__", "__call__", "__getitem__", "__setitem__", "__len__", "__iter__", "__contains__", "__bool__", "__enter__",
           "__exit__", "__eq__", "__hash__", "__getattr__"}


def public():
    """The modules' names that are for everybody."""
    modules = [value for value in vars(tenon).values() if inspect.ismodule(value) and value.__name__.startswith("tenon.")]
    return {name for module in modules for name in getattr(module, "__all__", ())}


def declared(node):
    """The members that a class of the stubs declares, with those of its bases there."""
    members = {}
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id in CLASSES:
            members.update(declared(CLASSES[base.id]))
    for item in node.body:
        if isinstance(item, ast.FunctionDef):
            members[item.name] = item
        elif isinstance(item, ast.AnnAssign):
            members[item.target.id] = item
        elif isinstance(item, ast.Assign):
            members[item.targets[0].id] = item
    return members


def members(thing):
    """The public members of a class that the package defines."""
    found = {}
    for base in reversed(thing.__mro__):
        if not base.__module__.startswith("tenon") or base.__name__ == "Exporter":
            continue
        for name, member in vars(base).items():
            if name in SPECIAL and member is not None or not name.startswith("_"):
                found[name] = member
    return found


def parameters(function):
    return [name for name in inspect.signature(function).parameters if name not in ("self", "cls", "_")]


def stub_parameters(node):
    arguments = node.args
    rest = [arguments.vararg] if arguments.vararg else []
    named = [*arguments.posonlyargs, *arguments.args, *rest, *arguments.kwonlyargs]
    return [argument.arg for argument in named if argument.arg not in ("self", "cls")]


def test_every_public_name_has_a_stub():
    names = public()
    stubbed = set(CLASSES) | {node.name for node in STUBS.body if isinstance(node, ast.FunctionDef)}
    stubbed |= {node.target.id for node in STUBS.body if isinstance(node, ast.AnnAssign)}
    assert len(names) > 40
    assert names | {"build_info"} == {name for name in stubbed if not name.startswith("_")}
    assert all(hasattr(tenon, name) for name in names)


def test_every_member_has_a_stub_with_the_same_parameters():
    checked = 0
    for name, node in CLASSES.items():
        if name.startswith("_"):
            continue
        thing, stubs = getattr(tenon, name), declared(node)
        if issubclass(thing, enum.Enum):
            assert {member.name: member.value for member in thing} == {key: item.value.value for key, item in stubs.items()}
            continue
        if hasattr(thing, "_fields"):
            assert list(thing._fields) == list(stubs)
            continue
        there = members(thing)
        assert {member for member in there if member not in stubs} == set(), name
        for member, stub in stubs.items():
            if not isinstance(stub, ast.FunctionDef) or member in ("__buffer__", "__exit__") or name == "Config":
                continue
            assert member in there, f"{name} has no {member}"
            what = there[member]
            assert isinstance(what, property) == any(getattr(d, "id", "") == "property" or getattr(d, "attr", "") == "setter"
                                                     for d in stub.decorator_list), f"{name}.{member}"
            if not isinstance(what, property):
                what = getattr(what, "__func__", what)
                assert parameters(what) == stub_parameters(stub), f"{name}.{member}"
            checked += 1
    assert checked > 80


def test_every_setting_has_a_stub():
    stub = declared(CLASSES["Config"])["__init__"]
    assert stub_parameters(stub) == settings._NAMES
