"""Spelling: the many texts that mean the same number."""

from decimal import Decimal
from random import Random

# Beyond these exponents, the exact decimal expansion of a number has hundreds of digits.
MIN_PLAIN, MAX_PLAIN = 1e-12, 1e24


def spell_number(number: float, random: Random) -> str:
    """Return a decimal text of a finite number as CSV and libsvm allow it."""
    text = spell_json_number(number, random)
    match random.randrange(8):
        case 0 if not text.startswith("-"):
            return f"+{text}"
        case 1 if text.startswith("0."):
            return text[1:]
        case 2 if text.startswith("-0."):
            return f"-{text[2:]}"
        case 3 if text.isdecimal():
            return f"{text}."
        case 4 if text.isdecimal():
            return f"00{text}"
    return text


def spell_json_number(number: float, random: Random) -> str:
    """Return a text of a finite number as JSON allows it."""
    match random.randrange(8):
        case 0:
            return f"{number:.17g}" if "e" not in f"{number:.17g}" else repr(number)
        case 1:
            return f"{number:.17e}"
        case 2:
            return f"{number:.19E}"
        case 3 | 4 if number == 0 or MIN_PLAIN < abs(number) < MAX_PLAIN:
            return _spell_exactly(number, random)
        case 5 if number.is_integer() and abs(number) < MAX_PLAIN and number:
            return str(int(number))
    return repr(number)


def spell_plainly(number: float) -> str:
    """Return the shortest text; a whole number has no decimal point."""
    if number.is_integer() and abs(number) < 1e15 and number:
        return str(int(number))
    return repr(number)


def _spell_exactly(number: float, random: Random) -> str:
    """Return all digits of a number, with up to three zeros behind them."""
    text = format(Decimal(number), "f")
    zeros = "0" * random.randrange(4)
    if "." in text:
        return text + zeros
    return f"{text}.0{zeros}" if zeros else text
