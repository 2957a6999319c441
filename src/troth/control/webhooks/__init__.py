"""Webhook endpoints: where a client's events go, the secrets that sign them, replay, and what became of deliveries."""
