"""Passwords: what is refused, and that hashes are strong, renewed, and as slow for strangers."""

import pytest
from argon2 import extract_parameters

from crm_admin.security.passwords import FOR_TESTS, STRONG, Passwords, Profile, check_rules

CHEAP = Passwords(FOR_TESTS)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "Tr0ub4dor & three more words",
        "плохая погода осенью",
        "vuz-kel-lom-42-ritz",
        "x" * 4 + "many different letters",
    ],
)
def test_long_unrelated_words_are_taken(password: str) -> None:
    assert check_rules(password) is None


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("", "at least 12"),
        ("elevenchars", "at least 12"),
        ("a" * 129, "at most 128"),
        ("aaaaaaaaaaaa", "repeats"),
        ("abababababab", "repeats"),
        ("password1234", "guessed"),
        ("P@ssw0rd12345", "guessed"),
        ("qwertyuiop123", "guessed"),
        ("1234567890ab", "guessed"),
        ("letmeinletmein", "guessed"),
        ("Welcome2026!!", "guessed"),
        ("administrator1", "guessed"),
        ("abcdefghijklm", "guessed"),
        ("summer-winter-2024", "guessed"),
    ],
)
def test_short_long_and_common_passwords_are_refused(password: str, sentence: str) -> None:
    refusal = check_rules(password)

    assert refusal is not None
    assert sentence in refusal


def test_a_name_of_the_person_is_no_password() -> None:
    assert check_rules("silva.ana.2026", avoid=("Ana Silva", "ana@silva.example")) is not None


def test_a_hash_fits_its_password_only() -> None:
    stored = CHEAP.hash("correct horse battery staple")

    assert CHEAP.verify(stored, "correct horse battery staple")
    assert not CHEAP.verify(stored, "correct horse battery stapler")


def test_accents_may_be_composed_either_way() -> None:
    stored = CHEAP.hash("caf\u00e9 au lait, encore")

    assert CHEAP.verify(stored, "cafe\u0301 au lait, encore")


@pytest.mark.parametrize("stored", [None, "", "plain", "$argon2id$v=19$damaged"])
def test_unknown_people_and_damaged_hashes_never_match(stored: str | None) -> None:
    assert not CHEAP.verify(stored, "nobody has this password")


def test_a_password_longer_than_allowed_is_not_even_hashed() -> None:
    assert not CHEAP.verify(CHEAP.hash("a" * 4), "a" * 1_000_000)


def test_a_hash_of_another_profile_is_due_for_renewal() -> None:
    dearer = Passwords(Profile(memory=128, passes=1, lanes=1))

    stored = CHEAP.hash("correct horse battery staple")

    assert dearer.needs_rehash(stored)
    assert not CHEAP.needs_rehash(stored)


def test_the_usual_profile_is_argon2id_of_at_least_19_mib() -> None:
    found = extract_parameters(Passwords().hash("correct horse battery staple"))

    assert found.type.name == "ID"
    assert found.memory_cost == STRONG.memory >= 19 * 1024
    assert found.time_cost >= 2
    assert found.parallelism == 1
