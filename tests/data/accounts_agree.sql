-- Every text row and raw row must be counted once. If not, a model lost rows: build all models again,
-- and report it if it fails again.
select *
from {{ ref("accounts") }}
where text_rows <> texts + blank_texts or raw_rows <> raw_rows_with_text + raw_rows_without_text
