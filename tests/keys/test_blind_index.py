"""The blind index is frozen: these vectors may never change, or every suppression is lost."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.keys.blind_index import BlindIndex

ONE, TWO, THREE = (bytes([n]) * 32 for n in (1, 2, 3))

# echo -n jo@example.org | openssl dgst -sha256 -mac HMAC -macopt hexkey:0101...; then the next key over the octets
VECTORS = [
    (
        "jo@example.org",
        "7bccce15c7ecabbec0d712f9718cd65ac5325d376ae5630b14c81168a85d9d24",
        "0305e394871aef13923dbd1a76157514830563d4026f2eb0ea1e284b66cb47bd",
    ),
    (
        "o'brien+tag@xn--bcher-kva.example",
        "52af204028478626ae98973db683f24703203e32b45dda7ad34cf1a0e4afd2c0",
        "96e3493a3be0ba88f2cbc10db14f17de538daf6f85d23f741642a1e79189123e",
    ),
    (
        "jörg@example.org",
        "603c0d2146e0287edb213b5cf489eb14a2f68161539f156f37544550a5895ffb",
        "426f5bc2583dc5af51f66aab7f5570dfa99dc2c41709ad0bae2010935010c9e2",
    ),
]


@pytest.mark.parametrize(("address", "first", "second"), VECTORS)
def test_frozen_vectors(address, first, second):
    assert BlindIndex([ONE]).index(address).hex() == first
    assert BlindIndex([ONE, TWO]).index(address).hex() == second


def test_the_vectors_are_plain_hmac():
    for address, first, second in VECTORS:
        inner = hmac.new(ONE, address.encode(), hashlib.sha256).digest()
        assert inner.hex() == first
        assert hmac.new(TWO, inner, hashlib.sha256).hexdigest() == second


@given(st.emails().map(str.lower))
def test_rotation_needs_no_plaintext(address):
    old, new = BlindIndex([ONE]), BlindIndex([ONE, TWO, THREE])
    assert new.lift(old.index(address), old.layer) == new.index(address)
    assert new.lift(new.index(address), new.layer) == new.index(address)
    layers = new.all_layers(address)
    assert layers == [
        (3, new.index(address)),
        (2, BlindIndex([ONE, TWO]).index(address)),
        (1, old.index(address)),
    ]
    assert all(len(value) == 32 for _, value in layers)


@pytest.mark.parametrize("address", ["Jo@example.org", "jo@Example.org", "jo", ""])
def test_an_address_that_was_not_normalised_is_refused(address):
    with pytest.raises(ValueError, match="normalise"):
        BlindIndex([ONE]).index(address)
    with pytest.raises(ValueError, match="normalise"):
        BlindIndex([ONE]).all_layers(address)


@pytest.mark.parametrize("layers", [[], [b"short"], [ONE, b""]])
def test_keys_have_32_bytes(layers):
    with pytest.raises(ValueError, match="32 bytes"):
        BlindIndex(layers)


@pytest.mark.parametrize("layer", [-1, 2])
def test_a_layer_that_is_not_there_is_refused(layer):
    with pytest.raises(ValueError, match="no layer"):
        BlindIndex([ONE]).lift(bytes(32), layer)


def test_it_does_not_print_its_keys():
    assert repr(BlindIndex([ONE, TWO])) == "BlindIndex(layer 2)"
