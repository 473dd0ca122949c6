/* flowscan
id = "later"
title = "What connections did after the period in which they began"
description = "The second rows of `connections`, few beside the first."
columns = ["k", "m", "began", "e", "last", "records", "rejected", "packets_ab", "packets_ba",
  "bytes_ab", "bytes_ba", "refused_ab", "refused_ba", "refused_bytes_ab", "refused_bytes_ba",
  "flags", "path"]
*/
SELECT k, m, began, e, last, records, rejected, packets_ab, packets_ba, bytes_ab, bytes_ba,
  refused_ab, refused_ba, refused_bytes_ab, refused_bytes_ba, flags, path
FROM connections
WHERE late = 1
