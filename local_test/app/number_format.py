"""Format numbers for the pages."""


def format_amount(value: float) -> str:
    """Return a number without decimals from 100 up, otherwise with four significant digits."""
    return f"{value:,.0f}" if 100 <= abs(value) < 1e15 else f"{value:.4g}"


def format_fixed(value: float, decimals: int) -> str:
    """Return a number with a fixed number of decimals."""
    return f"{value:,.{decimals}f}".replace("-", "−")


def format_signed(value: float, decimals: int) -> str:
    """Return a number with a fixed number of decimals and always with its sign."""
    return f"{value:+,.{decimals}f}".replace("-", "−")


def format_percent(value: float) -> str:
    """Return a probability as a percentage; only exactly 0 and 1 are shown as 0 and 100."""
    text = f"{100 * value:.1f}"
    if 0 < value < 1:
        text = {"100.0": "over 99.9", "0.0": "under 0.1"}.get(text, text)
    return f"{text}%"


def format_input(value: float) -> str:
    """Return a number as a person would type it."""
    return f"{value:.12g}"
