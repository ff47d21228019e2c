-- One row per row that a query of the user gave, and one per date. The query may say why a row is left out.
{{
    rows_of_answers(
        source_table("query_result"),
        "coalesce(nullif(trim(reason), ''), case when coalesce(text, '') = '' then 'no answer' end)",
    )
}}
