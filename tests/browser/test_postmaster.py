"""What providers tell, looked at: where nothing is read, and with the curves of a month."""

from tests.control.complaints.test_postmaster_pages import told


def test_what_providers_tell(look, site):
    looker = look(site.staff)
    looker.look_at("/feedback-loops/providers", "provider-figures-none")
    told(site)
    looker.look_at("/feedback-loops/providers", "provider-figures")
