"""What might be done to the numbers that hold sending back: a client's, a template's, a recipient's, a route's."""

from tests.control.trust.breaking import constraint, fences, function, quiet

_FACT = "limit_fact_v1(text, timestamptz)"
_TRY = "limit_attempt_v1(text)"
AMOUNTS = [
    *fences("LIM-1", "rate_counter"), *constraint("LIM-1", "rate_counter", "rate_never_exceeded", "used <= cap"),
    *function("LIM-1", "limit_fact_v1", _FACT), *function("LIM-1", "limit_attempt_v1", _TRY),
    quiet("LIM-1", "a client has used more than it may", "rate_counter", "UPDATE rate_counter SET used = cap + 1 WHERE scope = 1"),
    quiet("LIM-1", "a client's cap is nobody's promise", "rate_counter", "UPDATE rate_counter SET cap = 2000000000 WHERE scope = 2"),
    quiet("LIM-1", "what was sent is counted nowhere", "rate_counter", "DELETE FROM rate_counter WHERE scope = 2"),
    *constraint("LIM-2", "rate_counter", "rate_never_exceeded", "used <= cap"), *function("LIM-2", "limit_fact_v1", _FACT),
    quiet("LIM-2", "a template went more often than it may", "rate_counter", "UPDATE rate_counter SET used = cap + 1 WHERE scope = 4"),
    quiet("LIM-2", "a recipient's cap is nobody's promise", "rate_counter", "UPDATE rate_counter SET cap = 2000000000 WHERE scope = 5"),
    quiet("LIM-2", "a recipient was flooded", "snapshot",
          """UPDATE snapshot SET artefact = replace(artefact, '"recipient_template_day":1000000', '"recipient_template_day":0')"""
          " WHERE kind = 'policy'"),
    *fences("EML-6", "route_day"), *constraint("EML-6", "route_day", "route_day_never_exceeded", "used <= cap"),
    *function("EML-6", "route_cap_v1", "route_cap_v1(text, timestamptz)"), *function("EML-6", "limit_fact_v1", _FACT),
    *function("EML-6", "limit_attempt_v1", _TRY),
    quiet("EML-6", "a day went over its number", "route_day", "UPDATE route_day SET used = cap + 1"),
    quiet("EML-6", "a day's number is not the schedule's", "route_day", "UPDATE route_day SET cap = 900000, used = 800000"),
    quiet("EML-6", "a day is said to have sent less than it did", "route_day", "UPDATE route_day SET used = 0"),
    quiet("EML-6", "the schedule was never approved", ("snapshot", "governed"),
          "UPDATE snapshot SET artefact = replace(artefact, '100,200', '0,0') WHERE kind = 'route'",
          "UPDATE snapshot SET artefact = replace(artefact, '0,0,300,400,500,600', '0,0,0,0,0,0') WHERE kind = 'route'"),
]  # fmt: skip
