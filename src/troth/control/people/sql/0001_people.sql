-- Humans, their accounts and credentials. A session is opened only by a function that checks both factors itself,
-- so that no run-time role can make one for somebody else.

CREATE TABLE human (
    id         uuid PRIMARY KEY,
    created_at timestamptz NOT NULL
);

CREATE TABLE account (
    id            uuid PRIMARY KEY,
    human_id      uuid NOT NULL REFERENCES human,
    tenant_id     uuid REFERENCES tenant,            -- NULL: the operator's staff
    role          text NOT NULL,
    name_ct       bytea NOT NULL CHECK (get_byte(name_ct, 0) = 1),   -- under the operator's keyset
    address_ct    bytea NOT NULL CHECK (get_byte(address_ct, 0) = 1),
    address_index bytea NOT NULL CHECK (octet_length(address_index) = 32),
    created_at    timestamptz NOT NULL,
    disabled_at   timestamptz,
    UNIQUE NULLS NOT DISTINCT (tenant_id, human_id),
    UNIQUE NULLS NOT DISTINCT (tenant_id, address_index),
    CHECK (CASE WHEN tenant_id IS NULL
        THEN role IN ('owner', 'security', 'deliverability', 'compliance', 'ops-admin', 'support', 'auditor')
        ELSE role IN ('admin', 'author', 'approver', 'developer', 'viewer') END)
);

-- Two factors: a device secret (32 random bytes) and a passphrase stretched by scrypt on the person's side.
CREATE TABLE credential (
    id              uuid PRIMARY KEY,
    account_id      uuid NOT NULL REFERENCES account,
    device_hash     bytea NOT NULL CHECK (octet_length(device_hash) = 32),
    passphrase_salt bytea NOT NULL CHECK (octet_length(passphrase_salt) >= 16),
    passphrase_hash bytea NOT NULL CHECK (octet_length(passphrase_hash) = 32),
    created_at      timestamptz NOT NULL,
    revoked_at      timestamptz,
    UNIQUE (device_hash)
);

CREATE TABLE session (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id  uuid NOT NULL REFERENCES account,
    credential_id uuid NOT NULL REFERENCES credential,
    secret_hash bytea NOT NULL UNIQUE CHECK (octet_length(secret_hash) = 32),
    opened_at   timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL CHECK (expires_at > opened_at)
);

CREATE FUNCTION credential_salt_v1(p_account uuid) RETURNS bytea
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT passphrase_salt FROM troth.credential
      WHERE account_id = p_account AND revoked_at IS NULL ORDER BY created_at DESC LIMIT 1 $$;

CREATE FUNCTION session_open_v1(p_account uuid, p_device bytea, p_passphrase_key bytea, p_secret bytea)
RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    found_credential uuid;
    ends timestamptz := troth.now_v1() + interval '30 minutes';
BEGIN
    IF octet_length(p_secret) < 32 THEN
        RAISE EXCEPTION 'a session secret has at least 32 bytes' USING ERRCODE = '22023';
    END IF;
    SELECT c.id INTO found_credential
    FROM troth.credential c JOIN troth.account a ON a.id = c.account_id
    WHERE a.id = p_account AND a.disabled_at IS NULL AND c.revoked_at IS NULL
      AND c.device_hash = sha256(p_device) AND c.passphrase_hash = sha256(p_passphrase_key);
    IF found_credential IS NULL THEN
        RAISE EXCEPTION 'no session: account, device or passphrase is wrong' USING ERRCODE = '28000';
    END IF;
    INSERT INTO troth.session (account_id, credential_id, secret_hash, opened_at, expires_at)
    VALUES (p_account, found_credential, sha256(p_secret), troth.now_v1(), ends);
    RETURN ends;
END $$;
