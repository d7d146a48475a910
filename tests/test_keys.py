import polars as pl

from textmill.rows.hashing import hexadecimal, keys


def test_keys_are_these():
    """Splits and ids depend on keys."""
    found = keys(pl.Series(["", "Ñandú", None, "a"]))
    assert found.to_list() == [16476032584258269876, 11560550766714617491, None, 4681665781835383343]
    assert found.dtype == pl.UInt64


def test_a_key_in_digits_sorts_as_the_key():
    found = keys(pl.Series([f"text {number}" for number in range(1000)])).sort()
    assert hexadecimal(found).is_sorted()
    assert [int(digits, 16) for digits in hexadecimal(found)] == found.to_list()
    assert set(hexadecimal(pl.Series([0, 1], dtype=pl.UInt64))) == {"0" * 16, "0" * 15 + "1"}
