"""Beside the river: what must happen on time, whoever sends: the clock's mark, partitions, domain checks, sweeping,
and access that ends with a date.
"""

from troth.flow.duties.domains import RECHECK, check_domains, findings, grace
from troth.flow.duties.running import Duty, run_duties
from troth.flow.duties.sending import Sending
from troth.flow.duties.standard import standard

__all__ = ["RECHECK", "Duty", "Sending", "check_domains", "findings", "grace", "run_duties", "standard"]
