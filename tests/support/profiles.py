"""Hypothesis profiles: 300 examples by default, 10,000 with `CI=true` or `HYPOTHESIS_PROFILE=ci`.

Import it in a test module that uses Hypothesis.
"""

import os

from hypothesis import HealthCheck, settings

# No deadline for one example: two cores are shared by all tests, so a pause says nothing of the code.
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("default", max_examples=300, **_COMMON)
settings.register_profile("ci", max_examples=10_000, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))
