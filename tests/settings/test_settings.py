"""Settings: where they come from, what is refused and in which words."""

from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.settings import HostPort, SettingError, Settings, load, require, settings_markdown
from troth.settings.declared import declared


def given_file(folder, text):
    (folder / "troth.toml").write_text(text, encoding="utf-8")
    return folder


def refusal(env, cwd, file=None):
    with pytest.raises(SettingError) as caught:
        load(env, cwd, file)
    return str(caught.value)


def test_without_anything_every_default_is_itself_allowed(tmp_path):
    settings = load({}, tmp_path)
    assert (settings.mode, settings.cell, settings.batch_limit) == ("production", "a", 500)
    assert settings.var_dir == tmp_path / "var"
    assert settings.key_path == tmp_path / "var" / "keys" / "master"
    for name, (about, field) in declared().items():
        if field.default not in (None, ()):
            shown = [*field.default] if isinstance(field.default, tuple) else field.default
            shown = str(shown) if isinstance(shown, Path) else shown
            assert about.kind.read(shown, Path()) == field.default, name


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path):
    given_file(tmp_path, 'mode = "demo"\ncell = "b"\nlog_json = true\nallowed_hosts = ["a.example", "b.example"]')
    settings = load({"TROTH_CELL": "c", "HOME": "/"}, tmp_path)
    assert (settings.mode, settings.cell, settings.log_json) == ("demo", "c", True)
    assert settings.allowed_hosts == ("a.example", "b.example")


def test_the_file_may_be_named(tmp_path):
    (tmp_path / "other.toml").write_text('cell = "z"')
    given_file(tmp_path, 'cell = "b"')
    assert load({}, tmp_path, Path("other.toml")).cell == "z"
    assert load({"TROTH_CONFIG": "other.toml"}, tmp_path).cell == "z"
    assert load({"TROTH_CONFIG": ""}, tmp_path).cell == "b"
    assert "other2.toml cannot be read" in refusal({"TROTH_CONFIG": "other2.toml"}, tmp_path)


def test_relative_paths_start_where_they_were_written(tmp_path):
    given_file(tmp_path, 'var_dir = "v"\nkey_file = "k"')
    settings = load({"TROTH_PG_BIN": "bin"}, tmp_path / "elsewhere", tmp_path / "troth.toml")
    assert settings.var_dir == tmp_path / "v"
    assert settings.key_path == tmp_path / "k"
    assert settings.pg_bin == tmp_path / "elsewhere" / "bin"


def test_every_setting_can_be_given_in_the_environment(tmp_path):
    env = {
        "TROTH_MODE": "test",
        "TROTH_DATABASE_URL": "postgresql:///troth?host=%2Ftmp%2Fa%20b",
        "TROTH_DNS_RESOLVERS": "127.0.0.1:5353, [::1]:54,dns.example",
        "TROTH_LOG_JSON": "Yes",
        "TROTH_PUBLIC_URL": "https://mail.example/",
        "TROTH_SPF_MECHANISM": "include:spf.mail.example",
        "TROTH_ACCEPT_WINDOW_MS": "0",
        "TROTH_RELAY_USERNAME": "u",
        "TROTH_RELAY_PASSWORD": "p",
        "TROTH_RELAY_HOST": "::1",
        "TROTH_BODY_LIMIT_BYTES": "",
    }
    settings = load(env, tmp_path)
    assert settings.dns_resolvers == (HostPort("127.0.0.1", 5353), HostPort("::1", 54), HostPort("dns.example", 53))
    assert [str(each) for each in settings.dns_resolvers] == ["127.0.0.1:5353", "[::1]:54", "dns.example:53"]
    assert settings.log_json is True
    assert settings.public_url == "https://mail.example"
    assert settings.accept_window_ms == 0
    assert settings.body_limit_bytes == 10_485_760


def test_a_secret_may_lie_in_a_file(tmp_path):
    (tmp_path / "password").write_text("pass word\n")
    env = {"TROTH_RELAY_USERNAME": "u", "TROTH_RELAY_PASSWORD_FILE": "password"}
    assert load(env, tmp_path).relay_password == "pass word"
    assert "TROTH_RELAY_PASSWORD and TROTH_RELAY_PASSWORD_FILE are both set" in refusal(
        env | {"TROTH_RELAY_PASSWORD": "p"}, tmp_path
    )
    assert "TROTH_RELAY_PASSWORD_FILE names" in refusal(env | {"TROTH_RELAY_PASSWORD_FILE": "none"}, tmp_path)
    assert "TROTH_CELL_FILE is not a setting" in refusal({"TROTH_CELL_FILE": "x"}, tmp_path)


def test_no_secret_is_shown(tmp_path):
    secret = "s3cret"
    env = {
        "TROTH_SECRET_KEY": secret,
        "TROTH_DATABASE_URL": f"postgresql://u:{secret}@h/d",
        "TROTH_DATABASE_URL_FLOW": f"postgresql://u:{secret}@h/d",
        "TROTH_RELAY_USERNAME": "u",
        "TROTH_RELAY_PASSWORD": secret,
    }
    settings = load(env, tmp_path)
    assert secret not in repr(settings)
    assert secret not in str(settings)
    for variable in env:
        if variable != "TROTH_RELAY_USERNAME":
            said = refusal({variable: f"{secret}\x00\x01 {secret}"}, tmp_path)
            assert variable in said
            assert secret not in said


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"TROTH_MOED": "demo"}, "TROTH_MOED is not a setting; did you mean TROTH_MODE?"),
        ({"TROTH_RELAY_PASSWORD_FIL": "x"}, "did you mean TROTH_RELAY_PASSWORD_FILE?"),
        ({"TROTH_QQQQQQQQQQQQQ": "x"}, "TROTH_QQQQQQQQQQQQQ is not a setting; docs/settings.md lists them all."),
        (
            {"TROTH_MODE": "prod"},
            "mode (TROTH_MODE) is 'prod'; allowed is one of 'production', 'demo', 'test'.",
        ),
        ({"TROTH_HTTP_PORT": "0"}, "http_port (TROTH_HTTP_PORT) is '0'; allowed is a whole number from 1 to 65535."),
        ({"TROTH_HTTP_PORT": "8o"}, "'8o'; allowed is a whole number"),
        ({"TROTH_HTTP_PORT": "٣٣"}, "allowed is a whole number"),
        ({"TROTH_LOG_JSON": "perhaps"}, "allowed is true or false."),
        ({"TROTH_DNS_RESOLVERS": "a:b"}, "allowed is a list of host:port"),
        ({"TROTH_DNS_RESOLVERS": "a:99999"}, "allowed is a list of host:port"),
        ({"TROTH_DATABASE_URL": "mysql://x"}, "a value that is not shown; allowed is an address such as postgresql://"),
        ({"TROTH_PUBLIC_URL": "mail.example"}, "allowed is an address such as https://"),
        ({"TROTH_EHLO_NAME": "-a.example"}, "allowed is a domain name"),
        ({"TROTH_EHLO_NAME": "a" * 64}, "allowed is a domain name"),
        ({"TROTH_PG_BIN": "~no-such-user/x"}, "allowed is a path"),
        ({"TROTH_EHLO_NAME": "\u212a.example"}, "allowed is a domain name"),
        ({"TROTH_CELL": "A!"}, "allowed is one letter"),
        ({"TROTH_SPF_MECHANISM": "spf"}, "allowed is an SPF mechanism"),
        ({"TROTH_RELAY_USERNAME": "u"}, "relay_username and relay_password belong together"),
        ({"TROTH_RELAY_PASSWORD": "u"}, "relay_username and relay_password belong together"),
        (
            {"TROTH_RELAY_PASSWORD": "u", "TROTH_RELAY_USERNAME": "u", "TROTH_RELAY_TLS": "none"},
            "relay_tls is 'none', which would send relay_password in clear",
        ),
        ({"TROTH_SIGN_ON_ALLOW": "127.0.0.0/8"}, "sign_on_allow names inner networks"),
        ({"TROTH_WEBHOOK_ALLOW": "127.0.0.0/8"}, "webhook_allow names inner networks"),
        ({"TROTH_SNS_TEST_ORIGIN": "https://127.0.0.1:1"}, "providers_test_origin stand in"),
        ({"TROTH_SES_TOPICS": "mail"}, "allowed is a list of ARNs"),
        ({"TROTH_SES_CONFIGURATION_SET": "a b"}, "allowed is at most 64 letters"),
    ],
)
def test_what_is_wrong_in_the_environment_is_named(env, said, tmp_path):
    assert said in refusal(env, tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("moed = 1", "is not a setting; did you mean mode?"),
        ("[relay]\nhost = 1", "relay in "),
        ("mode = ", "is not TOML: "),
        ("mode = 5", "is 5; allowed is one of"),
        ("http_port = true", "is True; allowed is a whole number"),
        ("http_port = 80.5", "is 80.5; allowed is a whole number"),
        ("log_json = 1", "is 1; allowed is true or false"),
        ("log_json = [true]", "allowed is true or false"),
        ("cell = ''", "allowed is one letter"),
        ("var_dir = 1", "is 1; allowed is a path"),
        ("allowed_hosts = 1", "allowed is a list of names"),
        ("allowed_hosts = [1]", "allowed is a list of names"),
        ("dns_resolvers = ['']", "allowed is a list of host:port"),
        ("secret_key = 17", "is a value that is not shown"),
    ],
)
def test_what_is_wrong_in_the_file_is_named_with_the_file(text, said, tmp_path):
    words = refusal({}, given_file(tmp_path, text))
    assert said in words
    assert str(tmp_path / "troth.toml") in words


def test_a_file_that_is_not_text_is_named(tmp_path):
    (tmp_path / "troth.toml").write_bytes(b"\xff")
    assert "cannot be read" in refusal({}, tmp_path)


def test_a_demo_may_authenticate_in_clear(tmp_path):
    env = {"TROTH_MODE": "demo", "TROTH_RELAY_PASSWORD": "u", "TROTH_RELAY_USERNAME": "u", "TROTH_RELAY_TLS": "none"}
    assert load(env, tmp_path).relay_tls == "none"


def test_what_is_needed_is_asked_for_by_name(tmp_path):
    settings = load({"TROTH_RELAY_HOST": "relay.example"}, tmp_path)
    require(settings, "relay_host", "public_url")
    with pytest.raises(SettingError) as caught:
        require(settings, "relay_host", "return_path_domain")
    assert str(caught.value).startswith(
        "return_path_domain (TROTH_RETURN_PATH_DOMAIN) is needed and not set: domain of"
    )
    with pytest.raises(SettingError):
        require(settings, "dns_resolvers")


@pytest.mark.parametrize(
    ("url", "flow"),
    [
        (
            "postgresql://boss:p%40@db.example:5433/troth?sslmode=require",
            "postgresql://troth_flow:p%40@db.example:5433/troth?sslmode=require",
        ),
        ("postgres://db.example/troth", "postgres://troth_flow@db.example/troth"),
        ("postgresql:///troth?host=%2Ftmp%2Fx", "postgresql://troth_flow@/troth?host=%2Ftmp%2Fx"),
        ("postgresql://boss@a,b:5433/troth", "postgresql://troth_flow@a,b:5433/troth"),
        ("postgresql://db.example", "postgresql://troth_flow@db.example"),
    ],
)
def test_each_role_has_its_own_address(url, flow, tmp_path):
    settings = load({"TROTH_DATABASE_URL": url, "TROTH_DATABASE_URL_LEDGER": "postgresql://x@y/z"}, tmp_path)
    assert settings.database_url_for("flow") == flow
    assert settings.database_url_for("ledger") == "postgresql://x@y/z"


def test_without_an_address_the_database_is_the_embedded_one(tmp_path):
    assert load({}, tmp_path).database_url_for("control") is None


def test_the_page_lists_every_setting():
    page = settings_markdown()
    for field in fields(Settings):
        about, _ = declared()[field.name]
        assert f"`TROTH_{field.name.upper()}`" in page
        assert about.doc in page
        assert about.doc.endswith(".")
    assert "| `secret_key` (secret) |" in page
    assert "`localhost, 127.0.0.1`" in page
    assert "`false`" in page


@given(st.text(), st.sampled_from(sorted(declared())))
def test_any_text_is_a_value_or_a_setting_error(text, name):
    with suppress(SettingError):
        load({f"TROTH_{name.upper()}": text}, Path("/nonexistent"))
