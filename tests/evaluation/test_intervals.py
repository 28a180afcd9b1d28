import math

import pytest

from stvae_lib.evaluation import intervals


def test_interval_of_three_seeds():
    mean, half = intervals.mean_interval([1.0, 2.0, 3.0])
    assert mean == 2 and half == pytest.approx(4.3027 / math.sqrt(3), rel=1e-3)
    assert intervals.mean_interval([5.0]) == (5.0, None)
    assert intervals.plus_minus([1.0, 2.0, 3.0], 1) == "2.0 ± 2.5" and intervals.plus_minus([5.0]) == "5.00"
