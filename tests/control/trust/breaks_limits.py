"""What an intruder might do to what the volume claim stands on: counts, pauses, orders, the functions that make them."""

from tests.control.trust.breaking import Break, fences, function, loud, quiet, secured

_RAISE = "anomaly_raise_v1(uuid, text, text, integer, bigint, bigint, integer, bigint, text)"
_LOOSER = """
UPDATE snapshot SET artefact = replace(artefact, '"percent":150', '"percent":900') WHERE kind = 'policy'
"""

VOLUMES: list[Break] = [
    *fences("LIM-3", "volume_slot"),
    *secured("LIM-3", "volume_gauge"),
    *fences("LIM-3", "anomaly", "insert_only"),
    *function("LIM-3", "anomaly_raise_v1", _RAISE),
    *function("LIM-3", "apply_release", "apply_release(change)"),
    *function("LIM-3", "held_release_v1", "held_release_v1(uuid, uuid[])"),
    loud(
        "LIM-3",
        "a role may insert its own releases",
        "GRANT INSERT ON release_order TO troth_flow",
        "REVOKE INSERT ON release_order FROM troth_flow",
    ),
    quiet("LIM-3", "hours are forgotten", "volume_slot", "DELETE FROM volume_slot"),
    quiet("LIM-3", "a past is invented", "volume_slot", "UPDATE volume_slot SET n = n * 100"),
    quiet("LIM-3", "a policy acts later", "snapshot", _LOOSER),
]
