"""Templates, read: values that stand in for what a program would give, made from the approved schema."""

from typing import Any

_VALUES: dict[str, Any] = {
    "url": "https://www.example.com/",
    "date": "2026-12-01",
    "datetime": "2026-12-01T09:30:00+00:00",
    "integer": 3,
    "number": 12.5,
    "boolean": True,
}


def sample(schema: dict[str, Any]) -> dict[str, Any]:
    """Every variable, in its schema's shape; text says its own name."""
    return {name: _one(name, one) for name, one in schema.items()}


def _one(name: str, one: dict[str, Any]) -> Any:
    if "enum" in one:
        return one["enum"][0]
    match one["type"]:
        case "object":
            return sample(one["properties"])
        case "list":
            return [_one(name, one["items"])] * min(2, one.get("max_items", 2))
        case "string":
            return name.replace("_", " ")[: one.get("max_length", 1000)]
    return _VALUES[one["type"]]
