from collections import Counter

import numpy as np
import pytest
from PIL import Image

from stvae_lib.errors import InputError
from stvae_lib.report.study import design


def test_every_pair_of_methods_on_every_picture_once(key):
    pairs = [trial for trial in key.trials if not trial.is_check]
    assert len(pairs) == 6 * 3 == len({(trial.picture, frozenset(trial.methods)) for trial in pairs})
    assert {tuple(sorted(trial.methods)) for trial in pairs} != {trial.methods for trial in pairs}, "no method is always first"
    checks = [trial for trial in key.trials if trial.is_check]
    assert Counter(trial.methods[0] for trial in checks) == {"content": 2, "style": 2}
    assert all(trial.methods[1] in {"adain", "wct", "vgg19-slim"} for trial in checks)


def test_a_plan_has_pairs_checks_and_repeats_with_sides_swapped(key):
    for plan in key.plans:
        shown = Counter(trial for trial, _ in plan)
        checks = [(trial, side) for trial, side in plan if key.trials[trial].is_check]
        pairs = [trial for trial in shown if not key.trials[trial].is_check]
        repeated = [trial for trial in pairs if shown[trial] == 2]
        assert len(pairs) == 12 and len(repeated) == 6 and len(checks) == 4 and len(plan) == 22
        assert sum(side for _, side in checks) == 2, "who always presses left fails half of the checks"
        assert not key.trials[plan[0][0]].is_check
        for trial in repeated:
            (first, one), (second, other) = [(step, side) for step, (shown, side) in enumerate(plan) if shown == trial]
            assert one != other and first < second
    assert len({str(plan) for plan in key.plans}) == len(key.plans) == design.PLANS


def test_over_the_plans_every_pair_is_used_equally(key):
    used = Counter(trial for plan in key.plans for trial in {trial for trial, _ in plan} if not key.trials[trial].is_check)
    assert len(used) == 18 and max(used.values()) - min(used.values()) <= 1
    left = np.mean([side for plan in key.plans for _, side in plan])
    assert 0.45 < left < 0.55


def test_more_votes_than_pairs_are_all_pairs_and_one_vote_is_enough(key):
    rng = np.random.default_rng(0)
    whole, single = (design.make_plans(list(key.trials), votes, rng)[0] for votes in (500, 1))
    assert len(whole) == 18 + 6 + 4 and len(single) == 1 + 4


def test_a_seed_gives_its_own_order(material):
    def drawn(seed):
        return design.make_trials(design.find_material(material), np.random.default_rng(seed))

    assert drawn(1) == drawn(1) != drawn(2)


def picture(file):
    Image.new("RGB", (64, 64)).save(file)


def test_material_that_does_not_fit_together_is_refused(tmp_path):
    for folder in ("content", "style", "one"):
        (tmp_path / folder).mkdir()
    picture(tmp_path / "content" / "cat.png")
    picture(tmp_path / "style" / "wood.png")
    picture(tmp_path / "one" / "cat--wood.png")

    def refused() -> str:
        with pytest.raises(InputError) as error:
            design.find_material(tmp_path)
        return str(error.value)

    assert "holds 1 folders of results" in refused()
    (tmp_path / "two").mkdir()
    picture(tmp_path / "two" / "cat-wood.png")
    assert "is the result of no content and style" in refused()
    (tmp_path / "two" / "cat-wood.png").rename(tmp_path / "two" / "cat--wood.jpg")
    assert set(design.find_material(tmp_path).results) == {"one", "two"}
    picture(tmp_path / "style" / "glass.png")
    picture(tmp_path / "one" / "cat--glass.png")
    assert "two: has no result cat--glass" in refused()
    picture(tmp_path / "content" / "cat.webp")
    assert "has the name of cat.png" in refused()


def test_a_key_is_read_back_and_nothing_else_is_taken_for_one(key, tmp_path):
    (tmp_path / "key.json").write_text(key.to_json())
    assert design.read_key(tmp_path / "key.json") == key
    for text in ("", "[]", "{}", '{"format": "stvae-study-key-1"}', '{"format": "stvae-study-key-1", "trials": 3}',
                 "[" * 100_000):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(InputError, match="is no key of a study"):
            design.read_key(tmp_path / "bad.json")
    with pytest.raises(InputError, match="no such file"):
        design.read_key(tmp_path / "missing.json")
