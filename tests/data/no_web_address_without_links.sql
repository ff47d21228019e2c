-- A text without links must not have http:// before a host. If one does, a link rule missed a link:
-- report the text.
with
    suspects as (
        -- in http://http:// no host follows
        select text_id, {{ regex_replace("text", "(?:https?://){1,200}(?:https?|ftp)://", [""]) }} as text
        from {{ ref("texts_without_links") }}
        where text like '%http://%' or text like '%https://%' {{ computed_once() }}
    )

select suspects.text_id, suspects.text
from suspects
inner join {{ ref("marked_texts") }} as marked on suspects.text_id = marked.text_id
where
    {{ regex_replace("suspects.text", "https?://[A-Za-z0-9]", [""]) }} <> suspects.text
    -- a run that is too long for the patterns keeps its links on every engine
    and not marked.links_too_long
