"""Which house a student is counted with: the day students are one of their own."""

DAY_STUDENTS = "Day students"
HOUSE_UNKNOWN = "House unknown"


def house_name(house: str | None, *, is_boarder: bool) -> str:
    """The house as lists and pictures name it.

    Args:
        house: where a boarder lives; None where nobody knows.
        is_boarder: whether the student boards.
    """
    return (house or HOUSE_UNKNOWN) if is_boarder else DAY_STUDENTS


def house_order(name: str) -> tuple[int, str]:
    """The order of houses: by name; the day students, and those whose house nobody knows, last."""
    last = (DAY_STUDENTS, HOUSE_UNKNOWN)
    return (last.index(name) + 1 if name in last else 0), name
