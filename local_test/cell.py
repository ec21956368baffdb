"""A cell of CSV, as a header is told from records by it."""


def is_number(cell: str) -> bool:
    """Tell whether a cell is a number, and so surely no name."""
    try:
        float(cell)
    except ValueError:
        return False
    return True
