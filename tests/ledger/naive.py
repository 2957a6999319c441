"""RFC 9162, section 2.1, as its text has it: recursive, slow, and nothing of ours in it but two hash functions."""

import hashlib


def leaves(size):
    return [hashlib.sha256(b"\x00" + index.to_bytes(4)).digest() for index in range(size)]


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def half(size):
    k = 1
    while 2 * k < size:
        k *= 2
    return k


def root(d):
    """MTH(D_n), 2.1.1."""
    if not d:
        return hashlib.sha256(b"").digest()
    if len(d) == 1:
        return d[0]
    k = half(len(d))
    return node(root(d[:k]), root(d[k:]))


def path(m, d):
    """PATH(m, D_n), 2.1.3.1."""
    if len(d) == 1:
        return []
    k = half(len(d))
    if m < k:
        return [*path(m, d[:k]), root(d[k:])]
    return [*path(m - k, d[k:]), root(d[:k])]


def proof(m, d):
    """PROOF(m, D_n), 2.1.4.1."""
    return subproof(m, d, True)


def subproof(m, d, whole):
    if m == len(d):
        return [] if whole else [root(d)]
    k = half(len(d))
    if m <= k:
        return [*subproof(m, d[:k], whole), root(d[k:])]
    return [*subproof(m - k, d[k:], False), root(d[:k])]
