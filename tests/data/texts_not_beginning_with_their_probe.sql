-- Source data: texts that do not begin with their probe. They are exported unchanged; check how they
-- read.
{{ config(**dirty_data("text_id", only="table_output")) }}
select text_id, probe
from {{ ref("texts") }}
where not starts_with_probe and probe <> '(no probe)'
