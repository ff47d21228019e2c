-- Two probes must not share a file; if they do, eight digits of the hash are too few: report both probes.
select file_stem from {{ ref("probe_names") }} group by file_stem having count(distinct probe) > 1
