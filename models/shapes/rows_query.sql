-- query_result has a row per answer that a query found; the query may say why a row is left out.
{{
    rows_of_answers(
        source_table("query_result"),
        "coalesce(nullif(trim(reason), ''), case when coalesce(text, '') = '' then 'no answer' end)",
    )
}}
