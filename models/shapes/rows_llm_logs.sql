-- llm_logs has a row per response that the command line llm has logged.
{{ rows_of_answers(source_table("llm_logs")) }}
