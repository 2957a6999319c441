"""The house's way to Microsoft's SNDS: two CSV files behind a key, fetched and handed to mail/snds.py.

NotRead (postmaster_tools.py)   temporary; the words are for the page and never hold the key
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from troth.mail import snds
from troth.mail.snds import Activity, Block, SndsError
from troth.outside.guarded_http import GuardedClient, NoAnswer
from troth.outside.guarded_url import BadUrl, ForbiddenAddress
from troth.outside.postmaster_tools import NotRead

PLACE = "https://sendersupport.olc.protection.outlook.com"
_OK, _NOTHING = 200, 204


@dataclass(slots=True)
class Snds:
    """`key`: the file that holds SNDS's key for automated access. `origin`: where tests have theirs."""

    client: GuardedClient
    key: Path
    origin: str | None = None

    async def activity(self) -> tuple[Activity, ...]:
        """Of the newest day that Microsoft has."""
        try:
            return snds.activity(await self._page("/snds/data.aspx"))
        except SndsError as wrong:
            raise NotRead(str(wrong)) from None

    async def blocks(self) -> tuple[Block, ...]:
        try:
            return snds.status(await self._page("/snds/ipStatus.aspx"))
        except SndsError as wrong:
            raise NotRead(str(wrong)) from None

    async def _page(self, path: str) -> bytes:
        try:
            key = self.key.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise NotRead("The file of snds_key_file cannot be read.") from None
        try:
            answer = await self.client.page("GET", f"{self.origin or PLACE}{path}?{urlencode({'key': key})}", {})
        except (NoAnswer, ForbiddenAddress) as trouble:
            raise NotRead(f"SNDS could not be asked: {trouble}") from None
        except BadUrl:
            raise NotRead("The key in snds_key_file is none of SNDS's.") from None
        if answer.status not in (_OK, _NOTHING):
            raise NotRead(f"SNDS answered {answer.status}.")
        return answer.body
