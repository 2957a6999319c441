"""Cases: incidents, reports of abuse and of vulnerabilities, as one engine of states, clocks, owners and a timeline."""
