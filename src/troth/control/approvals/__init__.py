"""Four eyes: changes, immutable snapshots and approve_v1; the gate reads what this room made."""
