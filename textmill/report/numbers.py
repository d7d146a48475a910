"""Numbers as people read them, on the page and in the terminal."""

NOTHING = "–"
SPACE = "\N{NO-BREAK SPACE}"


def percent(share: float | None, digits: int = 1) -> str:
    """Returns 0.7812 as '78.1 %'."""
    return NOTHING if share is None else f"{100 * share:.{digits}f}{SPACE}%"


def points(difference: float | None) -> str:
    """Returns a difference of shares in percentage points: 0.0212 as '+2.1'."""
    if difference is None:
        return NOTHING
    text = f"{100 * difference:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "\N{MINUS SIGN}")


def range_of_points(ends: tuple[float, float]) -> str:
    """Returns shares as points: (0.026, 0.0281) as '2.6 to 2.8', and ends that look equal as one number."""
    low, high = (f"{100 * end:.1f}" for end in ends)
    return low if low == high else f"{low} to {high}"


def decimals(value: float | None, digits: int = 3) -> str:
    """Returns 0.5 as '0.500'."""
    return NOTHING if value is None else f"{value:.{digits}f}"


def count(value: float | None) -> str:
    """Returns 12345 as '12,345'."""
    return NOTHING if value is None else f"{value:,.0f}"


def extent(ends: tuple[int, int]) -> str:
    """Returns (1, 12) as '1–12', and two equal numbers as one."""
    return count(ends[0]) if ends[0] == ends[1] else f"{count(ends[0])}–{count(ends[1])}"


def interval(low: float | None, high: float | None, between: str = " – ") -> str:
    """Returns an interval of shares: (0.7612, 0.801) as '76.1 – 80.1'."""
    return NOTHING if low is None or high is None else f"{100 * low:.1f}{between}{100 * high:.1f}"
