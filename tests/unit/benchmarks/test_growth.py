"""The arithmetic of growth, and its Markdown."""

from __future__ import annotations

import pytest

from benchmarks.growth import bend, cell, marginal, markdown


def test_what_a_run_costs_anyway_is_not_growth() -> None:
    linear = {size: 5 + 0.02 * size for size in (10, 100, 1000)}
    assert marginal(linear) == pytest.approx([20, 20])
    assert bend(linear) == pytest.approx(1)


def test_growth_with_the_square_is_seen() -> None:
    quadratic = {size: 1 + 0.001 * size**2 for size in (1000, 10, 100)}
    assert marginal(quadratic) == pytest.approx([110, 1100])
    assert bend(quadratic) == pytest.approx(10)


@pytest.mark.parametrize("seconds", [{}, {10: 1.0}, {10: 1.0, 100: 2.0}, {1: 2.0, 2: 1.0, 3: 9.0}])
def test_there_is_no_bend_with_too_few_sizes_or_in_noise(seconds: dict[int, float]) -> None:
    assert bend(seconds) is None


def test_a_cell_has_the_ratio_only_where_both_were_measured() -> None:
    assert cell(3.0, 2.0) == "3.00 s (×1.50)"
    assert cell(3.0, None) == "3.00 s"
    assert cell(None, 2.0) == "–"


def test_a_table_is_markdown() -> None:
    assert markdown(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
