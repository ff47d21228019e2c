{{ config(materialized=view_for_exports()) }}
-- One row per text that is not blank, as in texts, and where its links are. Pages for a browser read it.
select texts.*, {{ link_pieces("marked.marked_text") }} as pieces
from {{ ref("marked_texts") }} as marked
inner join {{ ref("texts") }} as texts on marked.text_id = texts.text_id
