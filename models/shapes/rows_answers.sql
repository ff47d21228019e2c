-- answers has a row per answer, under these names whatever the file calls them.
{{ rows_of_answers(source_table("answers")) }}
