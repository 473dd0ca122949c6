/* flowscan
id = "address-story"
title = "What one address did"
description = "Everything one address sent and received, hour by hour: who with, on which port, accepted or refused."
[params.top]
type = "integer"
help = "rows to show"
[params.address]
type = "string"
help = "the address, as it stands in the log"
*/
SELECT
    date_format(from_unixtime("start"), '%Y-%m-%dT%H:00Z') AS hour,
    CASE WHEN srcaddr = /*$address*/ '10.20.1.10' THEN 'sent' ELSE 'received' END AS direction,
    CASE WHEN srcaddr = /*$address*/ '10.20.1.10' THEN dstaddr ELSE srcaddr END AS peer,
    dstport,
    protocol,
    action,
    COUNT(*) AS flows,
    SUM(packets) AS packets,
    SUM(bytes) AS bytes
FROM flows
WHERE (srcaddr = /*$address*/ '10.20.1.10' OR dstaddr = /*$address*/ '10.20.1.10')
  AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY 1, 2, 3, dstport, protocol, action
ORDER BY hour, direction, peer, dstport, protocol, action
LIMIT /*$top*/ 500
