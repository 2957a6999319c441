"""What comes back to the river: opt-outs now; bounces, complaints and reports later."""
