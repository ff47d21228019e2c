-- Two probes must not share a file. If they do, report both probes: the first 64 bits of their SHA-256
-- are equal.
select file_stem from {{ ref("probe_names") }} group by file_stem having count(distinct probe) > 1
