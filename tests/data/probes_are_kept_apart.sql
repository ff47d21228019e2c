-- Two probes must not share a file. By chance they never do: 16 digits of a SHA-256 are 64 bits.
select file_stem from {{ ref("probe_names") }} group by file_stem having count(distinct probe) > 1
