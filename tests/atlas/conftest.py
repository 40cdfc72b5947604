"""A small world, written once."""

from __future__ import annotations

from pathlib import Path

import pytest
from world_reading import World

from exonym.atlas import write_atlas

TINY_TABLE = Path(__file__).resolve().parents[1] / "data" / "tiny_table.jsonl"


@pytest.fixture(scope="session")
def tiny_table() -> Path:
    return TINY_TABLE


@pytest.fixture(scope="session")
def tiny_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    out = tmp_path_factory.mktemp("atlas") / "world"
    write_atlas(out, table=TINY_TABLE, seed=3)
    return World.read(out, TINY_TABLE)
