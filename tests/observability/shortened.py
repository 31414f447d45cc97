"""The shipped rules with every duration divided by one factor, and nothing else changed."""

from __future__ import annotations

import re

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
RANGE = re.compile(r"\[(\d+)([smhd])(?::(\d+)([smhd]))?\]")
OFFSET = re.compile(r"\boffset (\d+)([smhd])")
HOLD = re.compile(r"^(\s*for: )(\d+)([smhd])$", re.MULTILINE)
# A number times 60, 3600 or 86400, or compared with 3600 alone, is a duration: the head of the rule file says so.
TIMES = re.compile(r"([*>] )(60|3600|86400)\b")


def shortened(text: str, factor: int) -> str:
    def duration(number: str, unit: str) -> str:
        milliseconds = int(number) * SECONDS[unit] * 1000 // factor
        assert milliseconds or not int(number), f"{number}{unit} shortened {factor} times is nothing"
        return f"{milliseconds}ms" if milliseconds % 1000 else f"{milliseconds // 1000}s"

    def window(match: re.Match[str]) -> str:
        step = f":{duration(match[3], match[4])}" if match[3] else ""
        return f"[{duration(match[1], match[2])}{step}]"

    text = RANGE.sub(window, text)
    text = OFFSET.sub(lambda match: f"offset {duration(match[1], match[2])}", text)
    text = HOLD.sub(lambda match: f"{match[1]}{duration(match[2], match[3])}", text)
    return TIMES.sub(lambda match: f"{match[1]}{int(match[2]) / factor:g}", text)
