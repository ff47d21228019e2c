-- tag_matches must have one row for each text and tag. If not, report the text's id.
select text_id, tag, count(*) as row_count
from {{ ref("tag_matches") }}
group by text_id, tag
having count(*) > 1
