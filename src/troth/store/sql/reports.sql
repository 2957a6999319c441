-- Reports of others about our mail, as the desk takes them in.

-- name: dmarc_take
SELECT dmarc_take_v1(%(id)b, %(key)b, %(domain)b, %(org)b, %(report)b, %(reporter)b, %(begin)b, %(end)b, %(digest)b, %(head)t,
                     %(left_out)b, %(house)b, %(records)t);

-- name: tls_take
SELECT tls_take_v1(%(id)b, %(key)b, %(domain)b, %(org)b, %(report)b, %(reporter)b, %(begin)b, %(end)b, %(digest)b, %(policies)t,
                   %(sessions)b, %(failed)b, %(house)b, %(failures)t);

-- name: report_count
SELECT report_count_v1(%(kind)b, %(outcome)b);
