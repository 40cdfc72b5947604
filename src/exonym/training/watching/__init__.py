"""Watching a run while it goes: sums of its losses, a view on the terminal, trackers."""

from exonym.training.watching.live import View, live
from exonym.training.watching.meter import Meter
from exonym.training.watching.trackers import Tracker, open_tracker, tracker_class

__all__ = ["Meter", "Tracker", "View", "live", "open_tracker", "tracker_class"]
