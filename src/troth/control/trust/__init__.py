"""Claims: what is promised, the controls that decide whether it holds, and what they last saw."""
