"""Domains: what a sending domain's DNS must show, what it shows, and since when; read."""
