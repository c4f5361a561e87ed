"""What the simulator has to know of a condition and of a clinic; the numbers are in ``parameters``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assets.simulation.course import Course


@dataclass(frozen=True, slots=True)
class ConditionModel:
    """What the simulator assumes about one condition.

    ``mix`` is its share of episodes; ``chronicity`` the shares of acute, subacute and chronic; ``care_points`` what
    active care of any kind adds to the natural course (negative = less pain; assumption, set so that between a third
    and two thirds recover); ``needling_points`` the planted effect of dry needling against active care; ``motions``
    lists (measure_id, share of motion lost at baseline, how often it is measured).
    """

    mix: float
    baseline_mean: float
    acute: Course
    chronicity: tuple[float, float, float]
    care_points: float
    needling_points: float
    athlete_share: float
    function: tuple[str, ...]
    motions: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True)
class Clinic:
    """How one clinic works and records: all assumptions within the ranges of the domain reference.

    ``missing`` is the share of discharge scores that are missing for a patient whose last pain is
    ``MISSING_CENTRE``; ``missing_slope`` the log odds per point of last pain (0 = completely at random, positive =
    those in pain disappear, negative = those who are well do). ``event_recording`` is the share of needling sessions
    with a minor event on record where events are asked for; ``asked`` how often they are. ``needling`` is the log
    odds of needling a patient who is not chronic and not afraid.
    """

    key: str
    weight: float
    therapists: int
    missing: float
    missing_slope: float
    motion_missing_last: float
    twitch_recorded: float
    event_recording: float
    asked: float
    needling: float
