-- Too long for the link rules: a run of over 32,767 characters without white space; look at its "Text" by
-- hand.
{{ config(severity="warn") }} select text_id from {{ ref("marked_texts") }} where links_too_long
