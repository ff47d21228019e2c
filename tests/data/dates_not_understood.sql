-- Source data: stored dates that are not YYYY-MM-DD, YYYY/MM/DD or YYYYMMDD. Look at "Date as stored" in
-- the sheets.
{{ config(**dirty_data("date_text")) }}
select text_id, date_text
from {{ ref("texts") }}
where date is null and date_text <> ''
