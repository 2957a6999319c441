-- What the confirmation page may ask beside whether the address is theirs: consent to the categories that are sent on it.

-- That an address is theirs is no consent to get anything: whoever agrees on that page agrees to something by its name.
ALTER TABLE consent ADD CONSTRAINT consent_of_a_page_has_its_purpose
    CHECK (basis <> 'confirmation' OR kind <> 1 OR category_id IS NOT NULL);

-- Holds the link for whoever presses: whether it is still unused. Who comes at the same moment waits, and is told no.
CREATE FUNCTION confirmation_turn_v1(p_secret bytea) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT used_at IS NULL FROM troth.confirmation WHERE secret_hash = sha256(p_secret) FOR UPDATE
$$;

-- The client's categories that are sent on consent, for the page of a link: in force, neither agreed to already nor opted
-- out of by this recipient. Holding the secret is the right to see them, as each message's own page shows them.
CREATE FUNCTION confirmation_offers_v1(p_secret bytea)
RETURNS TABLE (category_id uuid, name text, purpose text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT g.subject, s.artefact::jsonb ->> 'name', s.artefact::jsonb ->> 'purpose'
    FROM troth.confirmation c JOIN troth.person p ON p.id = c.person_id
    JOIN troth.governed g ON g.tenant_id = p.tenant_id AND g.kind = 'category' AND NOT g.retired
    JOIN troth.snapshot s ON s.id = g.snapshot_id
    WHERE c.secret_hash = sha256(p_secret) AND p.status IN (1, 2) AND s.artefact::jsonb ->> 'lawful_basis' = 'consent'
      AND NOT EXISTS (SELECT FROM troth.revocation r WHERE r.snapshot_id = g.snapshot_id)
      AND NOT troth.opted_out(p.tenant_id, p.blind_index, g.subject)
      AND NOT EXISTS (
          SELECT FROM troth.consent k WHERE k.tenant_id = p.tenant_id AND k.person_id = p.id AND k.kind = 1
          AND coalesce(k.category_id = g.subject, true) AND coalesce(k.expires_at > troth.now_v1(), true)
          AND NOT EXISTS (SELECT FROM troth.consent w WHERE w.tenant_id = k.tenant_id AND w.person_id = k.person_id
                          AND w.kind = 3 AND coalesce(w.category_id = g.subject, true) AND w.at >= k.at))
    ORDER BY g.code LIMIT 50
$$;
