-- Source data: utterances without a speaker. They are in the workbook (no speaker). Write speakers
-- as <v Name>, Name: or [Name] before their words, or in a column speaker.
{{ config(**dirty_data("text_id", only="transcript")) }}
select text_id, text
from {{ ref("texts") }}
where probe = '(no speaker)'
