"""The river itself: submission -> gate -> spool -> delivery -> events. Stages meet in tables, not in imports."""
