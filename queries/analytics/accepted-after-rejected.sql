/* flowscan
id = "accepted-after-rejected"
title = "Who got in after being refused"
description = "Callers whose tries at an address were refused first and let through later: a rule that was opened, or an attacker who found the open port. Rejected are records of refused tries, accepted the sessions that began later, bytes what was accepted from the caller in them."
[params.top]
type = "integer"
help = "rows to show"
[params.refusals]
type = "integer"
help = "records of refusals that the pair must have"
*/
WITH refused AS (
    SELECT
        client,
        server,
        SUM(rejected) AS rejected,
        MIN(first_seen) AS first_rejected
    FROM sessions
    WHERE refused_out > 0
      AND first_seen >= /*$since*/ 0 AND first_seen < /*$until*/ 4102444800
    GROUP BY client, server
    HAVING SUM(rejected) >= /*$refusals*/ 3
)
SELECT
    s.client AS srcaddr,
    s.server AS dstaddr,
    s.server_port AS dstport,
    s.protocol,
    r.rejected,
    COUNT(*) AS accepted,
    SUM(CASE WHEN s.packets_in > 0 THEN 1 ELSE 0 END) AS answered,
    SUM(s.bytes_out) AS bytes,
    date_format(from_unixtime(r.first_rejected), '%Y-%m-%dT%H:%i:%sZ') AS first_rejected,
    date_format(from_unixtime(MIN(s.first_seen)), '%Y-%m-%dT%H:%i:%sZ') AS first_accepted
FROM sessions AS s
JOIN refused AS r ON r.client = s.client AND r.server = s.server
WHERE s.packets_out > 0
  AND s.first_seen > r.first_rejected
  AND s.first_seen >= /*$since*/ 0 AND s.first_seen < /*$until*/ 4102444800
GROUP BY s.client, s.server, s.server_port, s.protocol, r.rejected, r.first_rejected
ORDER BY r.rejected DESC, s.client, s.server, s.server_port, s.protocol
LIMIT /*$top*/ 50
