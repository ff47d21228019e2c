-- Source data: texts that do not begin with their probe. Nothing was split off; check how these texts
-- read.
{{ config(severity="warn") }}
select text_id, probe
from {{ ref("texts") }}
where not starts_with_probe and probe <> '(no probe)'
