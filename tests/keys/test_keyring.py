"""Three wraps: only the right KMS, tenant, person and place open a ciphertext; nothing prints a key."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from troth.keys.errors import KeyringError, KmsUnavailable, Undecryptable
from troth.keys.keyring import OPERATOR, Keyring
from troth.outside.kms import LocalKms

shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


@pytest.fixture
def ring(kms):
    return Keyring(kms)


@pytest.fixture
def tenant(ring):
    tenant_id = uuid4()
    return ring.tenant(tenant_id, ring.new_tenant_keyset(tenant_id))


@shared
@given(st.binary(max_size=500), st.binary(max_size=40))
def test_what_a_person_seals_opens(tenant, plaintext, aad):
    key, wrapped = tenant.new_person_key("p1")
    sealed = key.seal(plaintext, aad)
    assert sealed[0] == 0x02
    assert len(sealed) == len(plaintext) + 29
    assert tenant.person(wrapped, "p1").open(sealed, aad) == plaintext


@shared
@given(st.binary(max_size=200), st.binary(max_size=40))
def test_what_a_tenant_seals_opens(tenant, plaintext, aad):
    sealed = tenant.seal(plaintext, aad)
    assert sealed[0] == 0x01
    assert len(sealed) == len(plaintext) + 33
    assert tenant.open(sealed, aad) == plaintext


def test_everything_opens_after_a_restart(ring, kms_file):
    tenant_id, person_id = uuid4(), uuid4()
    wrapped = ring.new_tenant_keyset(tenant_id)
    key, wrapped_key = ring.tenant(tenant_id, wrapped).new_person_key(person_id)
    sealed = key.seal(b"jo@example.org", b"person.address")
    again = Keyring(LocalKms(kms_file)).tenant(tenant_id, wrapped)
    assert again.person(wrapped_key, person_id).open(sealed, b"person.address") == b"jo@example.org"


def test_every_column_starts_with_its_version(ring, tenant):
    assert ring.new_tenant_keyset(uuid4())[0] == 1
    assert tenant.new_person_key("p")[1][0] == 1


def test_another_person_place_or_tenant_does_not_open(ring, tenant):
    key, wrapped = tenant.new_person_key("p1")
    sealed = key.seal(b"x", b"body")
    with pytest.raises(Undecryptable):
        tenant.person(wrapped, "p2")
    with pytest.raises(Undecryptable):
        key.open(sealed, b"address")
    with pytest.raises(Undecryptable):
        tenant.new_person_key("p1")[0].open(sealed, b"body")
    other_id = uuid4()
    other = ring.tenant(other_id, ring.new_tenant_keyset(other_id))
    for attempt in (lambda: other.person(wrapped, "p1"), lambda: other.open(tenant.seal(b"x", b"a"), b"a")):
        with pytest.raises(Undecryptable):
            attempt()
    with pytest.raises(Undecryptable):
        tenant.open(tenant.seal(b"x", b"a"), b"b")


def test_a_keyset_belongs_to_its_tenant(ring):
    wrapped = ring.new_tenant_keyset("t1")
    with pytest.raises(Undecryptable):
        ring.tenant("t2", wrapped)


def test_a_persons_key_cannot_be_read_as_a_tenants_secret(tenant):
    _, wrapped = tenant.new_person_key("p1")
    for aad in (b"p1", b"", b"person\x00p1"):
        with pytest.raises(Undecryptable):
            tenant.open(wrapped, aad)


@shared
@given(st.data())
def test_changed_bytes_do_not_open(tenant, data):
    key, wrapped = tenant.new_person_key("p1")
    for ciphertext, attempt in (
        (key.seal(b"hello", b"a"), lambda c: key.open(c, b"a")),
        (tenant.seal(b"hello", b"a"), lambda c: tenant.open(c, b"a")),
        (wrapped, lambda c: tenant.person(c, "p1")),
    ):
        place = data.draw(st.integers(0, len(ciphertext) - 1))
        changed = (
            ciphertext[:place] + bytes((ciphertext[place] ^ data.draw(st.integers(1, 255)),)) + ciphertext[place + 1 :]
        )
        for bad in (changed, ciphertext[:place], ciphertext + b"x"):
            with pytest.raises(Undecryptable):
                attempt(bad)


@shared
@given(st.binary(max_size=150))
def test_any_bytes_at_all_are_refused_as_a_keyset(ring, data):
    for bad in (data, b"\x01" + data):
        with pytest.raises(Undecryptable):
            ring.tenant("t", bad)


def test_a_tenant_stays_open_and_the_least_used_goes(kms):
    ring = Keyring(kms, keep=2)
    wrapped = {name: ring.new_tenant_keyset(name) for name in "abc"}
    first = ring.tenant("a", wrapped["a"])
    ring.tenant("b", wrapped["b"])
    asked = kms.asked
    assert ring.tenant("a", wrapped["a"]) is first
    assert kms.asked == asked
    ring.tenant("c", wrapped["c"])
    assert ring.tenant("a", wrapped["a"]) is first
    ring.tenant("b", wrapped["b"])
    assert kms.asked == asked + 2
    ring.forget()
    assert ring.tenant("b", wrapped["b"])
    assert kms.asked == asked + 3


def test_a_silent_kms_is_temporary_and_open_tenants_go_on(ring, kms):
    wrapped = ring.new_tenant_keyset("t")
    opened = ring.tenant("t", wrapped)
    kms.off = True
    assert ring.tenant("t", wrapped).open(opened.seal(b"x", b""), b"") == b"x"
    ring.forget()
    for attempt in (
        lambda: ring.tenant("t", wrapped),
        lambda: ring.new_tenant_keyset("u"),
        lambda: ring.rotate_tenant_keyset("t", wrapped),
    ):
        with pytest.raises(KmsUnavailable) as caught:
            attempt()
        assert caught.value.temporary
    kms.off = False
    assert ring.tenant("t", wrapped)


def test_another_kms_is_permanent(ring, tmp_path):
    wrapped = ring.new_tenant_keyset("t")
    with pytest.raises(Undecryptable) as caught:
        Keyring(LocalKms.create(tmp_path / "other")).tenant("t", wrapped)
    assert not caught.value.temporary
    assert isinstance(caught.value, KeyringError)


def test_rotation_seals_with_the_new_key_and_opens_the_old(ring):
    old = ring.new_tenant_keyset("t")
    before = ring.tenant("t", old)
    secret = before.seal(b"dkim key", b"domain")
    key, wrapped = before.new_person_key("p")
    body = key.seal(b"body", b"b")

    newest = old
    for _ in range(3):
        newest = ring.rotate_tenant_keyset("t", newest)
    after = ring.tenant("t", newest)
    assert after.open(secret, b"domain") == b"dkim key"
    assert after.person(wrapped, "p").open(body, b"b") == b"body"
    assert after.seal(b"x", b"")[1:5] != secret[1:5]  # Tink's key id

    rewrapped = after.rewrap_person_key(wrapped, "p")
    assert rewrapped[1:5] == after.seal(b"x", b"")[1:5]
    assert after.person(rewrapped, "p").open(body, b"b") == b"body"
    with pytest.raises(Undecryptable):
        before.open(after.seal(b"new", b""), b"")
    with pytest.raises(Undecryptable):
        after.rewrap_person_key(wrapped, "q")


def test_rotation_of_anothers_keyset_is_refused(ring):
    with pytest.raises(Undecryptable):
        ring.rotate_tenant_keyset("t2", ring.new_tenant_keyset("t1"))


def test_a_new_key_whose_id_is_taken_is_drawn_again(ring, monkeypatch):
    import tink

    real, taken = tink.new_keyset_handle, []
    old = ring.new_tenant_keyset("t")

    def draw(template):
        taken.append(real(template))
        return taken[0] if len(taken) < 3 else taken[-1]

    monkeypatch.setattr(tink, "new_keyset_handle", draw)  # a clash of 32-bit ids cannot be waited for
    once = ring.rotate_tenant_keyset("t", old)
    twice = ring.rotate_tenant_keyset("t", once)
    assert len(taken) == 3
    assert ring.tenant("t", twice).seal(b"", b"")[1:5] != ring.tenant("t", once).seal(b"", b"")[1:5]


def test_the_operators_keyset_is_like_a_tenants(ring):
    operator = ring.tenant(OPERATOR, ring.new_tenant_keyset(OPERATOR))
    assert operator.open(operator.seal(b"jo@example.org", b"suppression"), b"suppression") == b"jo@example.org"


def test_a_uuid_and_its_text_are_the_same_tenant(ring):
    tenant_id = uuid4()
    wrapped = ring.new_tenant_keyset(tenant_id)
    assert ring.tenant(str(tenant_id), wrapped) is ring.tenant(tenant_id, wrapped)


def test_nonces_do_not_repeat(tenant):
    key, _ = tenant.new_person_key("p")
    assert len({key.seal(b"", b"")[1:13] for _ in range(2000)}) == 2000


def test_threads_may_share_the_ring(ring):
    wrapped = {str(n): ring.new_tenant_keyset(str(n)) for n in range(8)}
    ring.forget()

    def use(n):
        keys = ring.tenant(str(n % 8), wrapped[str(n % 8)])
        return keys.open(keys.seal(b"x", b""), b"")

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(use, range(400))) == {b"x"}


def test_nothing_prints_or_pickles_a_key(ring, tenant):
    key, _ = tenant.new_person_key("p")
    assert repr(key) == "PersonKey(...)"
    assert repr(tenant) == f"TenantKeys({tenant.tenant_id})"
    assert repr(ring).startswith("Keyring(local:")
    for thing in (key, tenant, ring):
        with pytest.raises(Exception, match="pickle"):
            pickle.dumps(thing)
