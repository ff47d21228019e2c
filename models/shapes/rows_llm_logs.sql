-- One row per response that the command line llm has logged, and one per date.
{{ rows_of_answers(source_table("llm_logs")) }}
