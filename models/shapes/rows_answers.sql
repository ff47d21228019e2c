-- One row per answer of a file, and one per date.
{{ rows_of_answers(source_table("answers")) }}
