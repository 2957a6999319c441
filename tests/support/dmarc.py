"""Reports of others, made for tests: XML of DMARC, JSON of SMTP TLS, packed and mailed."""

import base64
import gzip
import io
import json
import zipfile
from typing import Any

RECORD = """<record><row><source_ip>{ip}</source_ip><count>{count}</count><policy_evaluated>
<disposition>{disposition}</disposition><dkim>{dkim}</dkim><spf>{spf}</spf></policy_evaluated></row>
<identifiers><envelope_from>{domain}</envelope_from><header_from>{domain}</header_from></identifiers>
<auth_results><dkim><domain>{domain}</domain><selector>s1</selector><result>{dkim}</result></dkim>
<spf><domain>{domain}</domain><scope>mfrom</scope><result>{spf}</result></spf></auth_results></record>"""


def record(ip: str = "192.0.2.1", count: object = 3, *, dkim: str = "pass", spf: str = "pass", **given: str) -> str:
    values = {"disposition": "none", "domain": "example.com", **given}
    return RECORD.format(ip=ip, count=count, dkim=dkim, spf=spf, **values)


def xml(
    *records: str, domain: str = "example.com", org: str = "Receiver Inc", report: str = "r-1", begin: int = 1780000000,
    days: int = 1, namespace: str = "",
) -> bytes:  # fmt: skip
    root = f'<feedback xmlns="{namespace}">' if namespace else "<feedback>"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
{root}<version>1.0</version><report_metadata><org_name>{org}</org_name><email>dmarc@receiver.test</email>
<report_id>{report}</report_id><date_range><begin>{begin}</begin><end>{begin + days * 86400 - 1}</end></date_range>
</report_metadata><policy_published><domain>{domain}</domain><adkim>r</adkim><aspf>r</aspf><p>reject</p><pct>100</pct>
</policy_published>{"".join(records or [record(domain=domain)])}</feedback>""".encode()


def tls(domain: str = "example.com", report: str = "t-1", *, day: str = "2026-06-01", failed: int = 2) -> bytes:
    failure = {"result-type": "certificate-expired", "sending-mta-ip": "192.0.2.9", "failed-session-count": failed,
               "receiving-mx-hostname": f"mx.{domain}"}  # fmt: skip
    policy: dict[str, Any] = {
        "policy": {"policy-type": "sts", "policy-domain": domain, "policy-string": ["version: STSv1"]},
        "summary": {"total-successful-session-count": 40, "total-failure-session-count": failed},
        "failure-details": [failure] if failed else [],
    }
    return json.dumps({
        "organization-name": "Receiver Inc", "contact-info": "tls@receiver.test", "report-id": report,
        "date-range": {"start-datetime": f"{day}T00:00:00Z", "end-datetime": f"{day}T23:59:59Z"}, "policies": [policy],
    }).encode()  # fmt: skip


def zipped(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def letter(
    content: bytes, *, type_: str = "application/gzip", to: str = "dmarc@bounces.test", packed: bool = True,
    sender: str = "dmarc@receiver.test",
) -> bytes:  # fmt: skip
    body = base64.encodebytes(gzip.compress(content) if packed else content).replace(b"\n", b"\r\n")
    head = (
        f"From: Reports <{sender}>\r\nTo: {to}\r\nSubject: Report Domain: example.com\r\n"
        f'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'
        f"Content-Type: text/plain\r\n\r\nThis is a report.\r\n--b\r\nContent-Type: {type_}\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + body + b"--b--\r\n"
