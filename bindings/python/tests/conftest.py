"""Each test runs with a collection of garbage before and after it, so that what dies too early or too late shows."""

import gc

import pytest

import tenon


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
