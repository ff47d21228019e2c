-- One row per text, code and coder: the coder has given the text this code, once or several times.
select text_id, min(record_id) as record_id, code, coder, count(*) as stretches
from {{ ref("checked_codings") }}
where status = 'matched'
group by text_id, code, coder
