"""What the environment has and lacks: `ivcr doctor`."""

from harness.doctor.diagnosis import Diagnosis, diagnose

__all__ = ["Diagnosis", "diagnose"]
