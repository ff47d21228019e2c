{{ config(enabled=var("shape") == "transcript") }}
-- One row per utterance of a transcript, in its order.
select
    record_id,
    text_id,
    root_id as caption,
    file_stem,
    "Start" as start_time,
    "End" as end_time,
    probe as speaker,
    text,
    concat(left(replace(probe, ':', ' '), 63), ': ', {{ flat("text") }}) as line
from {{ ref("texts") }}
