-- What a receipt is made of, for the door (an API key's client) and for the pages alike. All but one of the functions run with
-- their caller's rights, so that row-level security decides what a page's reader sees; each is a few index look-ups.

-- An email's messages, or one of them; with what opens them.
CREATE FUNCTION receipt_messages_v1(p_tenant uuid, p_email uuid, p_message uuid)
RETURNS TABLE (email_id uuid, created_at timestamptz, recipients smallint, category_snapshot uuid, template_snapshot uuid,
               api_key_id uuid, policy_digest bytea, keyset bytea, message_id uuid, person_id uuid, field smallint,
               state smallint, decision_ct bytea, data_key bytea, address_ct bytea, erased boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT e.id, e.created_at, e.recipients, e.category_snapshot, e.template_snapshot, e.api_key_id, e.policy_digest, t.keyset,
           m.id, m.person_id, m.field, coalesce(s.state, m.state), m.decision_ct, p.data_key, p.address_ct,
           p.erased_at IS NOT NULL
    FROM troth.message m
    JOIN troth.email e ON e.id = m.email_id AND e.tenant_id = m.tenant_id
    JOIN troth.tenant t ON t.id = m.tenant_id
    JOIN troth.person p ON p.id = m.person_id AND p.tenant_id = m.tenant_id
    LEFT JOIN troth.spool s ON s.message_id = m.id
    WHERE m.tenant_id = p_tenant AND (p_email IS NULL OR m.email_id = p_email) AND (p_message IS NULL OR m.id = p_message)
      AND (p_email IS NOT NULL OR p_message IS NOT NULL)
    ORDER BY m.id LIMIT 50
$$;

-- Their events in order, each with where it was sealed: in the order of their times, the batch that holds it is among the
-- first that end after it. `batch` NULL: it waits in the line.
CREATE FUNCTION receipt_events_v1(p_tenant uuid, p_messages uuid[])
RETURNS TABLE (message_id uuid, kind smallint, source_key text, at timestamptz, leaf_hash bytea, detail_ct bytea,
               batch bigint, octet integer)
LANGUAGE sql STABLE SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT e.message_id, e.kind, e.source_key, e.at, e.leaf_hash, e.detail_ct, b.index, b.octet
    FROM troth.event e
    LEFT JOIN LATERAL (
        SELECT l.index, position(e.leaf_hash IN l.hashes) AS octet FROM troth.ledger_batch l
        WHERE l.log_id = 1 AND l.last_at >= e.at AND l.first_at <= e.at AND position(e.leaf_hash IN l.hashes) > 0
        ORDER BY l.last_at LIMIT 1
    ) b ON true
    WHERE e.tenant_id = p_tenant AND e.message_id = ANY (p_messages)
    ORDER BY e.message_id, e.at, e.kind, e.source_key
$$;

-- Sealing entries with the hashes that they seal.
CREATE FUNCTION receipt_batches_v1(p_indexes bigint[]) RETURNS TABLE (index bigint, leaf text, hashes bytea)
LANGUAGE sql STABLE SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT b.index, l.leaf, b.hashes FROM troth.ledger_batch b
    JOIN troth.ledger_leaf l ON l.log_id = b.log_id AND l.index = b.index
    WHERE b.log_id = 1 AND b.index = ANY (p_indexes) ORDER BY b.index
$$;

-- The newest checkpoint, with the clock.
CREATE FUNCTION receipt_head_v1() RETURNS TABLE (size bigint, note text, vkey text, now timestamptz)
LANGUAGE sql STABLE SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT c.size, c.note, k.vkey, troth.now_v1() FROM troth.ledger_checkpoint c JOIN troth.ledger_key k USING (log_id)
    WHERE c.log_id = 1 ORDER BY c.size DESC LIMIT 1
$$;

-- The entry of a change's approval: the client's own, or the house's. Reading JSON is no leakproof operator, so under row-level
-- security its index serves nobody, and every entry would be read.
CREATE FUNCTION receipt_entry_v1(p_tenant uuid, p_change uuid) RETURNS TABLE (index bigint, leaf text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT l.index, l.leaf FROM troth.ledger_leaf l
    WHERE l.log_id = 1 AND l.kind LIKE 'governance:change:%' AND l.leaf::jsonb ->> 'change' = p_change::text
      AND l.kind = 'governance:change:approve' AND (l.tenant_id IS NULL OR l.tenant_id = p_tenant)
      AND coalesce(nullif(current_setting('troth.tenant', true), '')::uuid, p_tenant) = p_tenant
    ORDER BY l.index LIMIT 1
$$;

-- The versions that an email was accepted by: the category's and the template's as its row names them; of the policy's
-- levels and of the key, the newest that was approved when it was accepted. Each with its approvals and the ledger's entry.
CREATE FUNCTION receipt_versions_v1(p_tenant uuid, p_email uuid)
RETURNS TABLE (role text, snapshot_id uuid, tenant_id uuid, kind text, subject uuid, code text, version integer,
               digest bytea, change_id uuid, proposer uuid, approved_at timestamptz, humans uuid[], ats timestamptz[],
               digests bytea[], index bigint, leaf text)
LANGUAGE sql STABLE SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH e AS (
        SELECT e.*, 'programme:' || g.code AS promise FROM troth.email e
        JOIN troth.tenant t ON t.id = e.tenant_id JOIN troth.programme g ON g.id = t.programme_id
        WHERE e.id = p_email AND e.tenant_id = p_tenant
    ), levels AS (
        SELECT l.place, l.role, g.subject, e.created_at FROM e
        CROSS JOIN LATERAL (VALUES (3, 'promise', NULL::uuid, e.promise), (4, 'operator', NULL, 'operator'),
                                   (5, 'client', p_tenant, 'tenant')) AS l(place, role, tenant, code)
        JOIN troth.governed g ON g.tenant_id IS NOT DISTINCT FROM l.tenant AND g.kind = 'policy' AND g.code = l.code
        UNION ALL
        SELECT 6, 'key', e.api_key_id, e.created_at FROM e WHERE e.api_key_id IS NOT NULL
    ), chosen AS (
        SELECT 1 AS place, 'category' AS role, e.category_snapshot AS id FROM e
        UNION ALL SELECT 2, 'template', e.template_snapshot FROM e WHERE e.template_snapshot IS NOT NULL
        UNION ALL
        SELECT l.place, l.role, s.id FROM levels l CROSS JOIN LATERAL (
            SELECT s.id FROM troth.snapshot s
            WHERE s.kind = CASE l.role WHEN 'key' THEN 'api-key' ELSE 'policy' END AND s.subject = l.subject
              AND s.approved_at <= l.created_at ORDER BY s.version DESC LIMIT 1) s
    )
    SELECT c.role, s.id, s.tenant_id, s.kind, s.subject, s.code, s.version, s.digest, s.change_id, s.proposer_human,
           s.approved_at, a.humans, a.ats, a.digests, l.index, l.leaf
    FROM chosen c
    JOIN troth.snapshot s ON s.id = c.id
    LEFT JOIN LATERAL (
        SELECT array_agg(a.human_id ORDER BY a.at, a.human_id) AS humans, array_agg(a.at ORDER BY a.at, a.human_id) AS ats,
               array_agg(a.digest ORDER BY a.at, a.human_id) AS digests
        FROM troth.approval a WHERE a.change_id = s.change_id
    ) a ON true
    LEFT JOIN LATERAL troth.receipt_entry_v1(p_tenant, s.change_id) AS l ON true
    ORDER BY c.place
$$;
