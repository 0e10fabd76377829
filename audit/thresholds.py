"""Every threshold of the detections, with where it comes from. Owns numbers, and no rule.

Counts are of calls (responses), not of log lines; seconds unless a name says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """The defaults are what `benchmarks/audit_detections.py` measures."""

    # New-terms rule of Elastic's detection rules for GetSecretValue: five days of history. Seven
    # cover a whole week, so that a weekend's first job is not new.
    warm_up_days: int = 7
    # A weekday and a weekend must each have been seen twice before their hours mean anything.
    hours_warm_up_days: int = 14
    # Below ten active hours, or where hours seldom repeat, there is no rhythm to leave (measured
    # on the replay: ad-hoc training jobs start at any hour).
    hours_least_active: int = 10
    hours_most_scattered: float = 0.5
    # Nearer than this to an hour known for that kind of day is a long evening (measured).
    hours_away: int = 3

    # Four standard deviations of the logarithm, since hourly counts are skewed; the deviation is
    # taken as at least 0.35 (a factor of 1.4), or a metronome would be accused of one call more.
    frequency_deviations: float = 4.0
    frequency_least_deviation: float = 0.35
    # Fewer calls in an hour are no flood, whatever the baseline (measured).
    frequency_least: int = 50
    frequency_warm_up_hours: int = 24

    # A subject that is seen from more networks moves about, and one more says nothing (measured).
    address_most_networks: int = 8

    # A subject that met more new paths within four weeks is one that meets new paths.
    path_most_new: int = 3
    path_new_days: int = 28
    # Whoever made fewer calls has not shown yet what all it reads (measured).
    path_warm_up_calls: int = 200
    # A secret written less than this before it was first read is new, not somebody else's; a
    # policy written less than this before a read that it allowed is a new grant.
    path_young_days: int = 7
    # What so many subjects read before is no team's own (measured: teams have some ten subjects).
    path_shared_by: int = 20

    # Elastic's rule: 20 distinct secrets of one identity within six minutes.
    sweep_paths: int = 20
    sweep_seconds: int = 360
    # Three times what the subject read in its widest hour before. A subject without a baseline may
    # be a new operator that reads all it was granted; where the log itself is younger than the
    # warm-up, everybody is such a subject and none is judged.
    sweep_times_usual: int = 3
    sweep_paths_unknown: int = 60
    # Half as many when the subject never read any of them before.
    sweep_new_paths: int = 10

    # Two new stores within ten minutes (Elastic has: two clouds from one address). A pod on a new
    # node uses some three mounts at once, so that who was never seen before needs four.
    stores_new: int = 2
    stores_unknown: int = 4
    stores_seconds: int = 600
    # Who reads secrets of another system does so seldom (measured: once in 200 calls).
    stores_warm_up_days: int = 14

    # Panther's rule for Kubernetes: 20 denials within 15 minutes.
    denied_calls: int = 20
    denied_seconds: int = 900

    # A busy log is never quiet for a quarter of an hour, and a log's rotation takes seconds. A log
    # that is quiet every night, or every weekend (2 days of 7), is so on more than a fifth of days.
    gap_least: int = 900
    gap_most_of_days: float = 0.2
    gap_warm_up_days: int = 14

    # Calls of one key with less than this between them are one finding.
    quiet_seconds: int = 3600


DEFAULT = Thresholds()
EVIDENCE_LINES = 10  # kept for a finding; the count tells the rest
