-- Looking for messages by what seldom happens to them. The rows of `event` never change and most kinds are not in the
-- predicate, so the hot path pays for the seldom ones alone; an index on message.state would end its HOT updates.
-- held 3, suppressed 5, cancelled 6, expired 7, deferred 9, bounced 11, uncertain 12, failed 13, complained 14,
-- unsubscribed 15
CREATE INDEX event_seldom ON event (tenant_id, kind, message_id) WHERE kind IN (3, 5, 6, 7, 9, 11, 12, 13, 14, 15);
