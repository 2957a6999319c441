"""An export holds all of the ledger, is whole or not there, and is verified with nothing else at hand."""

import shutil
import subprocess
import sys

import pytest

from troth.control.ledger import export as exporting
from troth.control.ledger.export import CannotExport, export
from troth.control.ledger.offline import verify_export
from troth.ledger.checkpoint import notes, parse, sign
from troth.ledger.note import sign_note, vkey
from troth.ledger.verify import CannotVerify, Found


def quiet(_done, _all):
    """No progress."""


@pytest.fixture
def taken(house, tmp_path):
    """An export of the house's ledger as it is now."""
    return take(house, tmp_path / "export")


def take(house, folder):
    with house.ledger() as connection:
        export(connection, folder, quiet)
    return folder


def judge(folder, key=None, since=()):
    return verify_export(folder, key, [("held", since)] if since else [], quiet)


def test_an_export_says_what_the_database_says(house, taken):
    live, away = house.verify(), judge(taken)
    assert (away.entries, away.root, away.sealed, away.checkpoints) == (
        live.entries, live.root, live.sealed, live.checkpoints,
    )  # fmt: skip
    assert away.files == 6
    assert "Files: 6, none missing, none more." in away.lines()
    assert (taken / "checkpoint").read_text() == house.newest()
    assert (taken / "log.vkey").read_text() == house.signer.vkey + "\n"


def test_it_is_verified_without_database_settings_or_psycopg(taken):
    """In a process that could not reach a database if it wanted to."""
    program = (
        "import sys; sys.modules['psycopg'] = None; sys.modules['django'] = None\n"
        "from pathlib import Path\n"
        "from troth.control.ledger.offline import verify_export\n"
        "print(verify_export(Path(sys.argv[1]), None, [], lambda d, a: None).lines()[0])"
    )
    said = subprocess.run([sys.executable, "-c", program, str(taken)], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("OK: ")


def test_nothing_is_overwritten(house, tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("x")
    (tmp_path / "empty").mkdir()
    for name in ("file", "full"):
        with pytest.raises(CannotExport, match="nothing is overwritten"):
            take(house, tmp_path / name)
    assert judge(take(house, tmp_path / "empty")).entries
    assert judge(take(house, tmp_path / "new" / "deep")).entries
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_what_is_cut_off_leaves_nothing(house, tmp_path, monkeypatch):
    def full(self, name, parts):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting._Export, "_write_all", full)
    with pytest.raises(CannotExport, match="No space left on device"):
        take(house, tmp_path / "export")
    assert [path for path in tmp_path.iterdir() if "export" in path.name] == []


def test_a_ledger_that_is_not_whole_is_not_exported(house, tmp_path):
    house.database.fill("DELETE FROM ledger_leaf WHERE index = 3")
    with pytest.raises(CannotExport, match="entry 3: it is missing"):
        take(house, tmp_path / "export")
    assert not (tmp_path / "export").exists()


def test_a_ledger_without_entries_is_not_exported(database, tmp_path):
    from troth.control.ledger import rows

    with rows.connect(database.conninfo("troth_ledger"), "export") as connection:
        with pytest.raises(CannotExport, match="nothing to export"):
            export(connection, tmp_path / "export", quiet)


def test_many_checkpoints_go_into_several_files(house, tmp_path):
    seed, origin = house.signer.seed, house.signer.origin
    with house.database.filler() as connection:
        # a checkpoint of every size, as if each leaf had had its own turn
        sizes = connection.execute("SELECT max(index) + 1 FROM ledger_leaf").fetchone()[0]
        (at,) = connection.execute("SELECT min(at) FROM ledger_checkpoint").fetchone()
        from troth.ledger.tree import Tree

        tree = Tree()
        for (hashed,) in connection.execute("SELECT leaf_hash FROM ledger_leaf ORDER BY index").fetchall():
            tree.append(bytes(hashed))
            connection.execute(
                "INSERT INTO ledger_checkpoint VALUES (1, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (tree.size, tree.root(), at, sign(seed, origin, tree.size, tree.root(), at)),
            )
        connection.execute("UPDATE ledger_key SET created_at = %s", (at,))
    exporting.layout.NOTES_A_FILE, before = 4, exporting.layout.NOTES_A_FILE
    try:
        folder = take(house, tmp_path / "export")
        assert len(list((folder / "checkpoints").iterdir())) == -(-sizes // 4)
        assert judge(folder).checkpoints == sizes
        (folder / "checkpoints" / f"{(sizes - 1) // 4:03}").unlink()
        with pytest.raises(Found):
            judge(folder)
    finally:
        exporting.layout.NOTES_A_FILE = before


def test_what_is_not_an_export_is_not_judged(tmp_path):
    with pytest.raises(CannotVerify, match="no folder"):
        judge(tmp_path / "nowhere")
    with pytest.raises(CannotVerify, match="not an export"):
        judge(tmp_path)


def test_an_older_export_is_rolled_back_against_a_newer_checkpoint(house, taken, tmp_path):
    house.tell()
    house.seal()
    assert judge(take(house, tmp_path / "newer"), since=notes((taken / "checkpoint").read_text())).since == 1
    with pytest.raises(Found, match="rolled back: the checkpoint of .* saw"):
        judge(taken, since=notes(house.witness.read_text()))


def test_an_export_of_another_history_is_found(house, taken):
    at = parse(house.newest(), house.signer.vkey).at
    other = sign(house.signer.seed, house.signer.origin, 2, bytes(32), at)
    with pytest.raises(Found, match="rolled back: the checkpoint of 2 entries, .* has another root"):
        judge(taken, since=[other])


def test_whose_key_it_was_is_said(house, taken):
    assert "the export says so itself" in "".join(judge(taken).lines())
    assert "the one given" in "".join(judge(taken, key=house.signer.vkey).lines())
    with pytest.raises(Found, match="another key than the trusted one"):
        judge(taken, key=vkey(house.signer.origin, bytes(32)))


def test_a_second_signature_on_a_checkpoint_is_found(house, taken):
    text = (taken / "checkpoint").read_text()
    more = sign_note(bytes(32), "witness", text.split("\n\n")[0] + "\n").split("\n\n")[1]
    (taken / "checkpoint").write_text(text + more)
    with pytest.raises(Found, match="2 signatures, not its own alone"):
        judge(taken)


def test_checkpoints_in_another_order_or_not_all_are_found(taken):
    file = taken / "checkpoints" / "000"
    first, *rest = notes(file.read_text())
    for order in ([rest[0], first, *rest[1:]], [first, first, *rest], [*rest, first], [first, rest[-1]]):
        file.write_text("\n".join(order))
        with pytest.raises(Found):
            judge(taken)


def test_what_is_no_plain_file_is_found(taken, tmp_path):
    shutil.move(taken / "checkpoint", tmp_path / "elsewhere")
    (taken / "checkpoint").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Found, match="missing"):
        judge(taken)
    (taken / "checkpoint").unlink()
    shutil.move(tmp_path / "elsewhere", taken / "checkpoint")
    (taken / "more").symlink_to(tmp_path)
    with pytest.raises(Found, match="the file more is none of this export"):
        judge(taken)


def test_a_huge_file_is_not_read_to_its_end(taken):
    with (
        (taken / "tile" / "0")
        .joinpath(next((taken / "tile" / "0").iterdir()).name)
        .joinpath(next(next((taken / "tile" / "0").iterdir()).iterdir()).name)
        .open("r+b") as file
    ):
        file.truncate(2**40)
    with pytest.raises(Found, match="longer than it can be"):
        judge(taken)
