"""How well one colour can be read on another (WCAG 2.2, 1.4.3), and a paler one for dark pages."""

LEAST = 4.5
_STEPS = 20


def contrast(one: str, other: str) -> float:
    """The contrast of two colours such as #1f5578, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def paler(colour: str, *, on: str) -> str:
    """The colour with as little white as lets it be read on a dark one."""
    mixed = (_with_white(colour, step / _STEPS) for step in range(_STEPS + 1))
    return next((one for one in mixed if contrast(one, on) >= LEAST), "#ffffff")


def _with_white(colour: str, share: float) -> str:
    return "#" + "".join(f"{round(part + (255 - part) * share):02x}" for part in _parts(colour))


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
