-- Every text row and raw row must be counted once, and the sums must be those of the models. If not, a model
-- lost rows. Build all models again, and report this test if it fails again.
with counted as (select count(*) as texts, coalesce(sum(link_count), 0) as links from {{ ref("texts") }})

select accounts.*
from {{ ref("accounts") }} as accounts
cross join counted
where
    accounts.text_rows <> accounts.texts + accounts.blank_texts + accounts.texts_left_out_by_shape
    or accounts.raw_rows <> accounts.raw_rows_with_text + accounts.raw_rows_without_text
    or accounts.texts <> counted.texts
    or accounts.links <> counted.links
