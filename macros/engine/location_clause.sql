{#
  Overrides a macro of dbt-spark: the table of a model is in its usual folder, but named, so that the build may replace the
  files that are there. Otherwise Spark refuses to create a table where a killed build has left files.
#}
{% macro spark__location_clause() %}
  {% if model.resource_type == 'model' and config.get('file_format') == 'parquet' and not config.get('location_root') %}
    {% do run_query('set spark.sql.legacy.allowNonEmptyLocationInCTAS = true') %}
    {{ return('location ' ~ text_literal(model.alias)) }}
  {% endif %}
  {{ return(dbt.spark__location_clause()) }}
{% endmacro %}
