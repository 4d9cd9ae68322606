"""Each test runs with a collection of garbage before and after it, so that what dies too early or too late shows. With
TENON_TEST_COLLECT set, garbage is collected all the time."""

import gc
import os

import pytest

import tenon

if os.environ.get("TENON_TEST_COLLECT"):
    gc.set_threshold(5, 1, 1)


@pytest.fixture(autouse=True)
def collections():
    gc.collect()
    yield
    gc.collect()
    gc.collect()


@pytest.fixture
def store():
    with tenon.Store() as store:
        yield store


@pytest.fixture
def load(store):
    """Makes an instance from text and answers its exports."""

    def load(text, imports=()):
        return tenon.Instance(store, tenon.Module(store, text), imports).exports

    return load
