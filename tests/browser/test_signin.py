def test_signing_in_can_be_used_by_everyone(page, violations):
    page.goto("/")

    assert page.title()
    assert violations(page) == []


def test_signing_in_fits_a_small_screen(page):
    page.set_viewport_size({"width": 320, "height": 700})

    page.goto("/")

    assert page.evaluate("document.documentElement.scrollWidth") <= 320
