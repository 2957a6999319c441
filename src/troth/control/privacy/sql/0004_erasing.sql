-- Erasure, by the client's hand or by the recipient's own: the person's key is destroyed, mail that asks them to confirm
-- is called back, and Troth's own copy of the address goes along unless somebody else needs it.

ALTER TABLE confirmation ADD email_id uuid;                       -- the mail that asks; its id is made before it
CREATE INDEX confirmation_email ON confirmation (email_id);

-- Who is erased in a system tenant leaves the place free: a later registration, with whatever client, begins anew, and no
-- client can tell what the person did with another.
CREATE FUNCTION free_the_place() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF (SELECT kind FROM troth.tenant WHERE id = NEW.tenant_id) = 2 THEN
        NEW.blind_index := NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER free_the_place BEFORE UPDATE OF status ON person FOR EACH ROW
    WHEN (NEW.status = 4 AND OLD.status <> 4) EXECUTE FUNCTION free_the_place();

-- The key is destroyed, and what it sealed opens no more; false for whoever was erased before. Granted to nobody.
CREATE FUNCTION erase_row(p_tenant uuid, p_person uuid, p_leaf text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH gone AS (
        UPDATE troth.person SET status = 4, erased_at = troth.now_v1(), data_key = NULL, address_ct = NULL,
               timezone = NULL, agreement = NULL, basis_ct = NULL
        WHERE id = p_person AND tenant_id = p_tenant AND status <> 4
        RETURNING id, tenant_id),
    entry AS (
        SELECT troth.ledger_entry(ARRAY['privacy:person:erase'], ARRAY[tenant_id], ARRAY[p_leaf]) FROM gone)
    SELECT EXISTS (SELECT FROM gone, entry)
$$;

-- Ends confirmations that are still open, and calls back their mails: a lifetime that is over is marked by nobody, and a
-- claim made meanwhile stands no more. One that is being sent is sent; its link and code serve no more. Whether there was
-- one. Granted to nobody.
CREATE FUNCTION unask(p_hashes bytea[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    now timestamptz := troth.now_v1();
    mails uuid[];
    ended integer;
BEGIN
    WITH over AS (
        UPDATE troth.confirmation SET expires_at = now
        WHERE secret_hash = ANY (p_hashes) AND used_at IS NULL AND expires_at > now RETURNING email_id)
    SELECT array_agg(email_id) FILTER (WHERE email_id IS NOT NULL), count(*) INTO mails, ended FROM over;
    UPDATE troth.spool SET lifetime_ends = least(lifetime_ends, now), due = now, token = token + 1,
        state = CASE WHEN state = 3 THEN 2 ELSE state END
    WHERE email_id = ANY (mails) AND state <> 4;
    RETURN ended > 0;
END $$;

-- Troth's own copy of an address, which asked on behalf of one client: it goes, unless another client of the programme has
-- the address, or somebody with an account here. Granted to nobody.
CREATE FUNCTION erase_copy(p_client uuid, p_index bytea) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT coalesce(bool_or(troth.erase_row(p.tenant_id, p.id, troth.leaf_json(ARRAY['person'], ARRAY[p.id::text]))), false)
    FROM troth.tenant c JOIN troth.tenant s ON s.programme_id = c.programme_id AND s.kind = 2
    JOIN troth.person p ON p.tenant_id = s.id AND p.blind_index = p_index AND p.status <> 4
    WHERE c.id = p_client
      AND NOT EXISTS (SELECT FROM troth.tenant o JOIN troth.person q ON q.tenant_id = o.id AND q.blind_index = p_index
                      WHERE o.programme_id = c.programme_id AND o.kind = 1 AND o.id <> p_client AND q.status <> 4)
      AND NOT EXISTS (SELECT FROM troth.account a WHERE a.address_index = p_index AND a.disabled_at IS NULL)
$$;

-- A client's recipient, whoever asks for it.
CREATE FUNCTION erase_recipient(p_tenant uuid, p_person uuid, p_leaf text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    index bytea := (SELECT blind_index FROM troth.person WHERE id = p_person AND tenant_id = p_tenant);
BEGIN
    IF NOT troth.erase_row(p_tenant, p_person, p_leaf) THEN
        RETURN false;
    END IF;
    PERFORM troth.unask(ARRAY(SELECT secret_hash FROM troth.confirmation WHERE person_id = p_person));
    PERFORM troth.erase_copy(p_tenant, index) FROM troth.tenant WHERE id = p_tenant AND kind = 1;
    RETURN true;
END $$;

-- By the client: only where the caller works.
CREATE FUNCTION erase_person_v1(p_tenant uuid, p_person uuid) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT p_tenant IS NOT DISTINCT FROM nullif(current_setting('troth.tenant', true), '')::uuid
       AND troth.erase_recipient(p_tenant, p_person, troth.leaf_json(ARRAY['person'], ARRAY[p_person::text]))
$$;

-- By the recipient: erase_own_v1, 0005_proving.sql
