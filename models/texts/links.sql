-- One row per link of a text, in the order of the text.
with
    link_rows as (
        {{
            link_rows(
                ref("marked_texts"),
                ["text_id", "experiment_id", "date", "month", "probe", "file_stem"],
                "marked_text",
            )
        }}
    )

select
    concat('T', text_id, '-L', link_number) as record_id,
    text_id,
    link_number,
    url,
    {{ link_host("url") }} as host,
    concat('T', text_id) as text_record_id,
    experiment_id,
    date,
    month,
    probe,
    file_stem
from link_rows
