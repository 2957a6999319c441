"""Policies for people: the numbers in force level by level, and a form in words that what is promised bounds."""
