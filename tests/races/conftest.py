"""The staff's browsers, as at the desk."""

from tests.desk.conftest import ann, at_desk, carla

__all__ = ["ann", "at_desk", "carla"]
