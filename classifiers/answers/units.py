"""An answer without its unit: `split_unit("100 \\text{ square units}")` is `("100", None)`.

Units are dropped, because truths have them or not by chance. Where both answers name a unit of measure (or a half of
the day), the two must agree: 5 minutes is not 5 hours, and `cm^2` is not `cm^3`; a power left out is no contradiction.
"""

import re

_MEASURES = {
    "degree": "degree degrees deg",
    "inch": "inch inches in",
    "foot": "foot feet ft",
    "yard": "yard yards yd",
    "mile": "mile miles mi",
    "millimetre": "mm millimeter millimeters millimetre millimetres",
    "centimetre": "cm centimeter centimeters centimetre centimetres",
    "metre": "m meter meters metre metres",
    "kilometre": "km kilometer kilometers kilometre kilometres",
    "second": "s sec secs second seconds",
    "minute": "min mins minute minutes",
    "hour": "h hr hrs hour hours",
    "day": "day days",
    "week": "week weeks",
    "month": "month months",
    "year": "year years",
    "gram": "g gm gram grams",
    "kilogram": "kg kilogram kilograms",
    "pound": "lb lbs pound pounds",
    "ounce": "oz ounce ounces",
    "litre": "l L liter liters litre litres",
    "millilitre": "ml mL milliliter milliliters",
    "gallon": "gallon gallons gal",
    "dollar": "dollar dollars USD",
    "cent": "cent cents",
    "before noon": "am AM",
    "after noon": "pm PM",
}
_MEASURE_OF = {word: measure for measure, words in _MEASURES.items() for word in words.split()}
_COUNTS = "unit units square squared sq cubic cubed points point euros euro rupees acres acre mph edges ways degrees"
_BARE = sorted((word for word in [*_MEASURE_OF, *_COUNTS.split()] if len(word) > 1), key=len, reverse=True)
_POWER = r"(?:\^\{(?P<power>[-0-9]{1,2})\})?"
# Most are of two or three parts: `5 sq. cm`, `8 \text{ miles per hour}`, `60 \text{ cm}^{2}`.
_TAILS = [
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"(?P<head>.*\S)\s*\^\{\\circ\}\s*(?:\\text\{\s*)?[CF]?\s*\}?(?P<degree>)",
        rf"(?P<head>.*[0-9A-Za-z)\]}}%!]\s*)\\text\{{(?P<words>[^{{}}0-9]*)\}}{_POWER}",
        r"(?P<head>.*[0-9])\s*(?P<words>[apAP]\.?\s?[mM])\.?",
        rf"(?P<head>.*[0-9}}])\s*(?P<words>(?:(?:{'|'.join(_BARE)})[\s./]*)+){_POWER}",
        r"(?P<head>[-0-9][-0-9.,/\s]*)\s*\((?P<words>[a-z][a-z\s]+)\)",
        r"(?P<head>[-0-9][-0-9.,/]*)\s+(?P<words>[a-z]{3,}(?:\s+[a-z]{2,})*)",
        r"(?P<head>[0-9]+)\s*(?:st|nd|rd|th|\^\{\s*(?:\\text\{)?(?:st|nd|rd|th)\}?\s*\})(?P<words>)",
    )
]
_MONEY = re.compile(r"(?P<sign>-?)\s*(?:\\\$|€|£|\\text\{\s*(?:USD|Rs\.?|\\\$)\s*\})\s*(?P<head>.+)", re.DOTALL)
_POWERS = {"square": "2", "squared": "2", "sq": "2", "cubic": "3", "cubed": "3", "cu": "3"}
_MOST_TAILS = 3


def split_unit(text: str) -> tuple[str, str | None]:
    """A tidy answer without the unit around it, and which measure that is: None for none, for any that is not known,
    and for one made of several (miles per hour). A text that is nothing but words stays as it is."""
    measure = None
    for _ in range(_MOST_TAILS):
        found = _outermost(text)
        if found is None:
            break
        text, named = found
        measure = measure or named
    return text, measure


def _outermost(text: str) -> tuple[str, str | None] | None:
    money = _MONEY.fullmatch(text)
    if money:
        return money["sign"] + money["head"].strip(), "dollar"
    for pattern in _TAILS:
        match = pattern.fullmatch(text)
        if match and _can_stand_alone(match["head"]):
            part = match.groupdict()
            measure = "degree" if "degree" in part else _measure(part["words"], part.get("power"))
            return match["head"].strip().rstrip(",").strip(), measure
    return None


def _can_stand_alone(head: str) -> bool:
    """Not the beginning of a sum, nor the inside of a group or a function, whose end the unit only seems to follow."""
    head = head.strip()
    if re.search(r"\\(?:sin|cos|tan|cot|sec|csc)(?![a-z])", head):
        return False
    quantity = re.search(r"[0-9]|\\pi(?![a-z])", head) and not re.search(r"(?:[-+/=^_]|\\cdot)$", head)
    return bool(quantity) and head.count("{") == head.count("}")


def _measure(words: str, power: str | None) -> str | None:
    """`centimetre`, or `centimetre^2` of `sq. cm`, `square centimeters` and `cm^2`."""
    if re.search(r"\bper\b|/", words):
        return None
    letters = re.sub(r"(?<=\b[apAP])\.\s*(?=[mM]\b)", "", words)
    spoken = re.findall(r"[A-Za-z]+", letters)
    found = {_MEASURE_OF[word] for word in spoken if word in _MEASURE_OF}
    if len(found) != 1:
        return None
    powers = [_POWERS[word] for word in spoken if word in _POWERS] + ([power] if power else [])
    return found.pop() + (f"^{powers[0]}" if powers else "")


def measures_agree(first: str | None, second: str | None) -> bool:
    """Whether two measures can belong to one answer: they are the same, or something is not said."""
    if first is None or second is None:
        return True
    (one, power), (other, another) = first.partition("^")[::2], second.partition("^")[::2]
    return one == other and (power == another or not power or not another)
