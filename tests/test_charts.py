"""Bars of small charts."""

from crm_admin.charts import bars


def test_the_largest_bar_fills_the_height_and_stands_on_the_base_line() -> None:
    made = bars([1, 4, 0], width=300, height=100, gap=0)

    assert [(bar.x, bar.width) for bar in made] == [(0, 100), (100, 100), (200, 100)]
    assert [(bar.y, bar.height) for bar in made] == [(75, 25), (0, 100), (100, 0)]


def test_a_small_amount_beside_a_large_one_stays_visible() -> None:
    made = bars([1, 100_000], height=100)

    assert made[0].height == 2


def test_two_rows_of_bars_share_a_scale() -> None:
    made = bars([5], height=100, top=10)

    assert made[0].height == 50


def test_nothing_is_drawn_of_nothing() -> None:
    assert bars([]) == ()
    assert bars([0, 0])[0].height == 0
