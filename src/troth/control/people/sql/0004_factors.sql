-- Second factors: allauth's table, whose rows only troth_signin reads or writes. Whoever adds or removes one, by whatever
-- path, leaves an entry in the ledger and the access log; and a row stays its account's, of its kind.

ALTER TABLE mfa_authenticator ADD CHECK (type IN ('totp', 'webauthn', 'recovery_codes'));
ALTER TABLE mfa_authenticator ADD CHECK (jsonb_typeof(data -> 'sealed') = 'string' AND data - 'sealed' = '{}'::jsonb);
CREATE INDEX mfa_authenticator_user ON mfa_authenticator (user_id, id);

CREATE FUNCTION factor_told() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    one troth.mfa_authenticator := CASE TG_OP WHEN 'INSERT' THEN NEW ELSE OLD END;
    act text := CASE TG_OP WHEN 'INSERT' THEN 'add' ELSE 'remove' END;
    whose uuid;
BEGIN
    SELECT tenant_id INTO whose FROM troth.account WHERE id = one.user_id;
    PERFORM troth.ledger_entry(ARRAY['people:factor:' || act], ARRAY[whose], ARRAY[troth.leaf_json(
        ARRAY['account', 'factor', 'type'], ARRAY[one.user_id::text, one.id::text, one.type::text])]);
    PERFORM troth.access_entry(CASE TG_OP WHEN 'INSERT' THEN 'factor-added' ELSE 'factor-removed' END, whose, one.user_id,
                               NULL, one.type, NULL, NULL);
    RETURN NULL;
END $$;
CREATE TRIGGER told AFTER INSERT OR DELETE ON mfa_authenticator FOR EACH ROW EXECUTE FUNCTION factor_told();

CREATE FUNCTION factor_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'a factor stays its account''s, and of its kind' USING ERRCODE = '42501';
END $$;
CREATE TRIGGER stays BEFORE UPDATE ON mfa_authenticator FOR EACH ROW
    WHEN (OLD.user_id <> NEW.user_id OR OLD.type <> NEW.type OR OLD.id <> NEW.id) EXECUTE FUNCTION factor_stays();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON mfa_authenticator FOR EACH STATEMENT EXECUTE FUNCTION factor_stays();

-- Whose access ends loses password, factors and devices with it: given anew, by two people, it begins with a link, as at first. It
-- is also the way back for somebody who has lost every factor.
CREATE FUNCTION account_emptied() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    DELETE FROM troth.mfa_authenticator WHERE user_id = NEW.id;
    UPDATE troth.credential SET revoked_at = troth.now_v1() WHERE account_id = NEW.id AND revoked_at IS NULL;
    UPDATE troth.login SET password = '!', set_at = NULL WHERE account_id = NEW.id;
    UPDATE troth.password_link SET used_at = troth.now_v1() WHERE account_id = NEW.id AND used_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER emptied AFTER UPDATE OF disabled_at ON account FOR EACH ROW
    WHEN (OLD.disabled_at IS NULL AND NEW.disabled_at IS NOT NULL) EXECUTE FUNCTION account_emptied();
