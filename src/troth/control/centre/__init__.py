"""The trust centre, for anybody: what a programme promises, whether it holds, and how that is known. It shows what is
recorded; it decides nothing.
"""
