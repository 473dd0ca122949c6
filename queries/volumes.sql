/* flowscan
id = "volumes"
title = "What each of our addresses sent to the internet, by hour"
description = "One row per UTC day, hour and address of ours: sessions to public addresses, bytes."
columns = ["day", "hour", "address", "sessions", "bytes_out", "packets_out", "first_seen",
  "last_seen", "server"]
*/
SELECT
  s.first_seen - mod(s.first_seen, 86400) AS day,
  s.first_seen - mod(s.first_seen, 3600) AS hour,
  s.client AS address,
  count(*) AS sessions,
  CAST(sum(s.bytes_out) AS BIGINT) AS bytes_out,
  CAST(sum(s.packets_out) AS BIGINT) AS packets_out,
  min(s.first_seen) AS first_seen,
  max(s.last_seen) AS last_seen,
  max_by(s.server, s.bytes_out) AS server
FROM sessions s
JOIN (
  SELECT DISTINCT day, client, server FROM contacts
  WHERE client_side = 'ours' AND server_side = 'public'
) c ON c.client = s.client AND c.server = s.server
  AND c.day = s.first_seen - mod(s.first_seen, 86400)
GROUP BY 1, 2, 3
