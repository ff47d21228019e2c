-- Every text row and raw row must be accounted for; if not, a model lost rows: build all models again, then
-- report it.
select *
from {{ ref("accounts") }}
where text_rows <> texts + blank_texts or raw_rows <> raw_rows_with_text + raw_rows_without_text
