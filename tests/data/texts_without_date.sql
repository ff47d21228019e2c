-- Dirty source data: texts for which no date row was written; they stay, undated, at the end of their sheet.
{{ config(severity="warn") }}
select text_id, root_id, experiment_id, probe
from {{ ref("texts") }}
where date_match = 'none'
