"""A project's own defaults: every agent of these tests has this description."""

import pytest


@pytest.fixture
def letta_agent_args():
    return {"description": "made by a test of this project"}
