"""Dead letters as order-export lists them, and their replay."""

from __future__ import annotations


def letters(flow, key: str) -> list[dict]:
    answer = flow.admin("/admin/dead-letters")
    found = answer if isinstance(answer, list) else next(value for value in answer.values() if isinstance(value, list))
    return [letter for letter in found if letter["key"] == key and letter.get("state", "dead") == "dead"]


def replay(flow, letter: dict, replay_id: str) -> None:
    flow.admin(f"/admin/dead-letters/{letter['id']}/replay", "POST", {"replay_id": replay_id, "reason": "mended"})
