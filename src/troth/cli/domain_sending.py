"""The composition root's domains: what the duties ask of sending domains, out of the settings."""

from datetime import timedelta

from troth.flow.duties import Sending
from troth.flow.duties.sending import Rotation, Watched
from troth.keys.opened import Keys
from troth.outside.dns import Resolver
from troth.outside.domain_views import Asked
from troth.settings import Settings

_DNS = 53


def of(settings: Settings, keys: Keys) -> Sending:
    """Each resolver of the settings is asked by itself, the domains' own servers too where that is wanted."""
    resolvers = tuple(Asked(f"{each.host}", Resolver([each])) for each in settings.dns_resolvers)
    return Sending(
        Resolver(settings.dns_resolvers),
        settings.spf_mechanism or "",
        settings.return_path_domain,
        resolvers,
        _DNS if settings.dns_servers_too else None,
        keys.keyring,
        keys.operator,
        Rotation(
            after=timedelta(days=settings.dkim_rotation_days),
            settle=timedelta(minutes=settings.dkim_settle_minutes),
            overlap=timedelta(days=settings.dkim_overlap_days),
        ),
        Watched(settings.sending_addresses, settings.address_lists, settings.domain_lists),
    )
