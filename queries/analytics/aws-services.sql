/* flowscan
id = "aws-services"
title = "Which AWS services are talked to"
description = "Traffic from and to addresses of AWS services (needs pkt-src-aws-service and pkt-dst-aws-service, version 5)."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    COALESCE(pkt_src_aws_service, '') AS from_service,
    COALESCE(pkt_dst_aws_service, '') AS to_service,
    SUM(bytes) AS bytes,
    SUM(packets) AS packets,
    COUNT(*) AS flows,
    COUNT(DISTINCT srcaddr) AS sources,
    COUNT(DISTINCT dstaddr) AS destinations
FROM flows
WHERE (pkt_src_aws_service IS NOT NULL OR pkt_dst_aws_service IS NOT NULL)
  AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY pkt_src_aws_service, pkt_dst_aws_service
ORDER BY bytes DESC, from_service, to_service
LIMIT /*$top*/ 20
