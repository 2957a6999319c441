"""The desks: reports of abuse and of vulnerabilities, from a letter or a form to an outcome, each on its clock."""
