-- Dirty source data: texts that do not begin with their probe; nothing was split off, so look how their
-- sheet reads.
{{ config(severity="warn") }}
select text_id, probe
from {{ ref("texts") }}
where not starts_with_probe and probe <> '(no probe)'
