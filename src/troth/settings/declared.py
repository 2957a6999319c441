"""Around the house: the settings themselves, each with its kind, its default and one sentence."""

# ruff: noqa: RUF009 - _setting and _optional return dataclasses.field, which is what a default may be

from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from troth.settings import kinds
from troth.settings.kinds import HostPort, Kind, Network


@dataclass(frozen=True, slots=True)
class About:
    """What the reader and the page know of a setting besides its default."""

    kind: Kind[Any]
    doc: str
    secret: bool


def _setting[T](kind: Kind[T], default: T, doc: str) -> T:
    return field(default=default, metadata={"about": About(kind, doc, secret=False)})


def _optional[T](kind: Kind[T], doc: str, *, secret: bool = False) -> T | None:
    return cast("T | None", field(default=None, repr=not secret, metadata={"about": About(kind, doc, secret)}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings. Secrets are left out of repr. `None` means what the setting's sentence says."""

    mode: str = _setting(
        kinds.choice("production", "demo", "test"), "production", "Only demo and test may move the clock."
    )
    var_dir: Path = _setting(
        kinds.PATH, Path("var"), "Folder of all that Troth writes: database, keys, run files, logs."
    )
    cell: str = _setting(kinds.CELL, "a", "Code of this cell; part of every API id, key and return path.")

    database_url: str | None = _optional(
        kinds.DATABASE, "A PostgreSQL 15 or newer to use; without it the embedded one.", secret=True
    )
    database_url_control: str | None = _optional(
        kinds.DATABASE, "The same for role troth_control; else database_url with that user.", secret=True
    )
    database_url_flow: str | None = _optional(
        kinds.DATABASE, "The same for role troth_flow; else database_url with that user.", secret=True
    )
    database_url_ledger: str | None = _optional(
        kinds.DATABASE, "The same for role troth_ledger; else database_url with that user.", secret=True
    )
    database_url_signin: str | None = _optional(
        kinds.DATABASE, "The same for role troth_signin; else database_url with that user.", secret=True
    )
    database_url_migrate: str | None = _optional(
        kinds.DATABASE, "The same for role troth_migrate; else database_url with that user.", secret=True
    )
    pg_bin: Path | None = _optional(
        kinds.PATH, "Folder with postgres and initdb for the embedded database; without it the installed package's."
    )
    key_file: Path | None = _optional(
        kinds.PATH, "The local master key (mode 0600); without it keys/master in var_dir."
    )
    secret_key: str | None = _optional(
        kinds.TEXT, "Key of sessions and signed links; without it one is made and kept in var_dir.", secret=True
    )

    http_host: str = _setting(kinds.HOST, "127.0.0.1", "Address that the sending door listens on.")
    http_port: int = _setting(kinds.PORT, 8025, "Port of the sending door.")
    web_host: str = _setting(kinds.HOST, "127.0.0.1", "Address that the pages listen on.")
    web_port: int = _setting(kinds.PORT, 8026, "Port of the pages.")
    tls_cert_file: Path | None = _optional(
        kinds.PATH, "Certificate chain (PEM) with which the pages speak HTTPS; without it HTTP, for a proxy in front."
    )
    tls_key_file: Path | None = _optional(kinds.PATH, "Its private key (PEM, PKCS #8, mode 0600).")
    public_url: str = _setting(kinds.URL, "http://localhost:8026", "Start of every link in mail and pages.")
    allowed_hosts: tuple[str, ...] = _setting(
        kinds.NAMES, ("localhost", "127.0.0.1"), "Host names that the pages answer to."
    )
    door_processes: int = _setting(kinds.whole(1, 64), 1, "Processes of the sending door.")
    accept_window_ms: int = _setting(
        kinds.whole(0, 1000), 2, "Milliseconds that a request waits for others to share its transaction."
    )
    accept_batch: int = _setting(kinds.whole(1, 1000), 256, "Messages at which an accepting transaction is full.")
    body_limit_bytes: int = _setting(kinds.whole(1024, 104_857_600), 10_485_760, "Largest request body in bytes.")
    trusted_proxies: tuple[Network, ...] = _setting(
        kinds.NETWORKS, (), "Networks of the proxies whose X-Forwarded-For says where a request to the door came from."
    )
    batch_limit: int = _setting(kinds.whole(1, 500), 500, "Most emails in one batch request.")

    relay_host: str | None = _optional(kinds.HOST, "The relay that mail is handed to.")
    relay_port: int = _setting(kinds.PORT, 587, "Port of the relay.")
    relay_tls: str = _setting(
        kinds.choice("starttls", "implicit", "none"), "starttls", "How the connection to the relay is encrypted."
    )
    relay_username: str | None = _optional(kinds.TEXT, "User name at the relay; without it no AUTH.")
    relay_password: str | None = _optional(kinds.TEXT, "Password at the relay.", secret=True)
    relay_ca_file: Path | None = _optional(
        kinds.PATH, "Certificates that the relay's must descend from; without it the system's."
    )
    relay_server_name: str | None = _optional(
        kinds.DOMAIN, "Name that the relay's certificate must hold; without it relay_host."
    )
    relay_max_connections: int = _setting(kinds.whole(1, 1000), 48, "Most connections to the relay per worker.")
    relay_kind: str = _setting(
        kinds.choice("smtp", "mailgun", "ses"),
        "smtp",
        "Whose the relay is: what a message needs so that the relay's webhooks can name it.",
    )
    mailgun_signing_key_file: Path | None = _optional(
        kinds.PATH,
        "File of the keys that Mailgun signs its webhooks with, one a line; without it none of them is taken.",
    )
    mailgun_webhook_minutes: int = _setting(
        kinds.whole(5, 600), 15, "Minutes for which the signature of a webhook of Mailgun's is believed."
    )
    ses_topics: tuple[str, ...] = _setting(
        kinds.TOPICS, (), "SNS topics by which SES tells what became of mail; without any none is taken."
    )
    ses_configuration_set: str | None = _optional(
        kinds.WORD, "Configuration set that a message names to SES, which publishes its events."
    )
    sns_test_origin: str | None = _optional(
        kinds.URL, "For demo and test: where SNS's certificates stand instead; refused in production."
    )
    sns_test_ca_file: Path | None = _optional(
        kinds.PATH, "For demo and test: certificates that this place's must descend from; refused in production."
    )
    postmaster_tools_file: Path | None = _optional(
        kinds.PATH, "Credentials (Google's JSON) that may read Gmail's Postmaster Tools; without it they are not read."
    )
    snds_key_file: Path | None = _optional(
        kinds.PATH, "File of the key to Microsoft SNDS's automated access; without it SNDS is not read."
    )
    providers_test_origin: str | None = _optional(
        kinds.URL, "For demo and test: where Google and Microsoft are played instead; refused in production."
    )
    ehlo_name: str | None = _optional(kinds.DOMAIN, "Name given in EHLO; without it this machine's.")
    return_path_domain: str | None = _optional(kinds.DOMAIN, "Domain of the return paths that bounces come back to.")
    inbound_host: str = _setting(kinds.HOST, "127.0.0.1", "Address that the server for incoming mail listens on.")
    inbound_port: int | None = _optional(
        kinds.PORT,
        "Port of the server for incoming mail, best 25; without it none is taken, and no opt-out by mail offered.",
    )
    inbound_size_bytes: int = _setting(kinds.whole(65_536, 52_428_800), 10_485_760, "Largest incoming letter in bytes.")
    inbound_connections: int = _setting(kinds.whole(1, 10_000), 100, "Most connections that bring mail at once.")
    spf_mechanism: str | None = _optional(kinds.SPF, "What a sender domain's SPF record must hold.")
    dns_resolvers: tuple[HostPort, ...] = _setting(
        kinds.ADDRESSES, (), "DNS resolvers to ask; when empty the system's. The port may be left out (53)."
    )

    dns_servers_too: bool = _setting(
        kinds.FLAG, True, "Ask a sending domain's own name servers too, where they are in reach (port 53)."
    )
    dkim_rotation_days: int = _setting(
        kinds.whole(30, 3650), 180, "Days after which a sending domain's DKIM key is changed for a new one."
    )
    dkim_settle_minutes: int = _setting(
        kinds.whole(0, 10_080), 60, "Minutes that every resolver must have shown a new DKIM key before it signs."
    )
    dkim_overlap_days: int = _setting(
        kinds.whole(7, 365), 10, "Days that the DKIM key before stays published, for mail that is still on its way."
    )
    sending_addresses: tuple[str, ...] = _setting(
        kinds.ADDRESSES_IP,
        (),
        "IP addresses that mail leaves from, the relay's dedicated ones.",
    )
    address_lists: tuple[str, ...] = _setting(
        kinds.NAMES, (), "DNS lists (zones) that are asked about these addresses; mind each list's terms of use."
    )
    domain_lists: tuple[str, ...] = _setting(
        kinds.NAMES, (), "DNS lists (zones) that are asked about sending domains; mind each list's terms of use."
    )

    worker_processes: int = _setting(kinds.whole(1, 64), 2, "Processes that deliver: best as many as there are cores.")
    claim_batch: int = _setting(kinds.whole(1, 5000), 200, "Most messages that a worker claims at once.")
    mark_group: int = _setting(
        kinds.whole(1, 500), 48, "Most messages marked in one transaction; free connections bound it, too."
    )
    lease_seconds: int = _setting(
        kinds.whole(5, 3600), 60, "Seconds after which another worker may take a claimed message."
    )

    webhook_allow: tuple[Network, ...] = _setting(
        kinds.NETWORKS,
        (),
        "Inner networks that webhooks may go to, over plain HTTP too; for demo and test, refused in production.",
    )

    sign_on_allow: tuple[Network, ...] = _setting(
        kinds.NETWORKS,
        (),
        "Inner networks where sign-on providers may be, over plain HTTP too; for demo and test, not in production.",
    )

    security_key_file: Path | None = _optional(
        kinds.PATH, "OpenPGP secret key without a passphrase (mode 0600) that signs security.txt; without it, unsigned."
    )
    breached_passwords_file: Path | None = _optional(
        kinds.PATH,
        "Stolen passwords that nobody may take: sorted lines of SHA-1, as Have I Been Pwned gives them.",
    )
    witness_file: Path | None = _optional(
        kinds.PATH, "File that the ledger's checkpoints go to, best on another machine; without it witness in var_dir."
    )

    metrics_host: str = _setting(kinds.HOST, "127.0.0.1", "Address that the metrics' process listens on.")
    metrics_port: int = _setting(kinds.PORT, 8027, "Port of /metrics and of the platform's own /healthz.")

    log_level: str = _setting(kinds.choice("debug", "info", "warning", "error"), "info", "Least level that is logged.")
    log_json: bool = _setting(kinds.FLAG, default=False, doc="Log lines as JSON.")

    @property
    def key_path(self) -> Path:
        return self.key_file or self.var_dir / "keys" / "master"

    @property
    def witness_path(self) -> Path:
        return self.witness_file or self.var_dir / "witness"

    def database_url_for(self, role: str) -> str | None:
        """The address for 'control', 'flow', 'ledger', 'signin' or 'migrate'; None means the embedded database."""
        given = getattr(self, f"database_url_{role}")
        if given or not self.database_url:
            return cast("str | None", given)
        scheme, _, rest = self.database_url.partition("://")
        authority, slash, path = rest.partition("/")
        userinfo, _, host = authority.rpartition("@")
        _, colon, password = userinfo.partition(":")
        return f"{scheme}://{quote(f'troth_{role}')}{colon}{password}@{host}{slash}{path}"


def declared() -> dict[str, tuple[About, Field[Any]]]:
    """Every setting by name, in the order above."""
    return {each.name: (each.metadata["about"], each) for each in fields(Settings)}
