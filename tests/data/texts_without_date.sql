-- Source data: texts without a date. They are exported without a date, at the end of their sheet.
{{ config(**dirty_data("text_id")) }}
select text_id, root_id, experiment_id, probe
from {{ ref("texts") }}
where date_match = 'none'
