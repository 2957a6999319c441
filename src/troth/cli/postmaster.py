"""Around the river: the readers of what mailbox providers tell, composed: those whose credentials are set."""

from troth.cli.relaying import client
from troth.flow.duties import postmaster
from troth.flow.duties.running import Duty
from troth.outside.postmaster_tools import PostmasterTools
from troth.outside.snds import Snds
from troth.settings import Settings


def duties(settings: Settings) -> tuple[Duty, ...]:
    origin, found = settings.providers_test_origin, []
    if settings.postmaster_tools_file is not None:
        tools = PostmasterTools(client(settings, origin), settings.postmaster_tools_file, origin)
        found.append(Duty("Gmail's Postmaster Tools", postmaster.EVERY, lambda c: postmaster.gmail(c, tools)))
    if settings.snds_key_file is not None:
        reader = Snds(client(settings, origin), settings.snds_key_file, origin)
        found.append(Duty("Microsoft's SNDS", postmaster.EVERY, lambda c: postmaster.snds(c, reader)))
    return tuple(found)
