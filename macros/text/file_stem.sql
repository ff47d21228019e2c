{#
  A file name, without its ending, for a probe: a readable part of at most 60 lower-case ASCII letters, digits and hyphens,
  then 16 digits of the probe's SHA-256, which tell apart probes with the same readable part.

  | probe     | file_stem(probe)           |
  | Masks are | masks-are-96ca1b6f084fafd4 |
  | MASKS ARE | masks-are-72947213586f2cd3 |
#}
{% macro file_stem(probe) %}
  {# Each run of other characters than ASCII letters and digits becomes one hyphen. #}
  {% set words = 'lower(' ~ regex_replace('left(' ~ probe ~ ', 240)', '[^0-9A-Za-z]+', ['-']) ~ ')' %}
  {% set readable = "trim(both '-' from left(trim(both '-' from " ~ words ~ "), 60))" %}
  {{ return("cast(concat(case when " ~ readable ~ " = '' then 'probe' else " ~ readable ~ " end, '-', left("
    ~ sha256_hex(probe) ~ ", 16)) as " ~ short_text_type() ~ ")") }}
{% endmacro %}

{# A type short enough to sort and join by; on the servers, dbt's own string type is LONGTEXT. #}
{% macro short_text_type() %}{{ return(adapter.dispatch('short_text_type')()) }}{% endmacro %}

{% macro default__short_text_type() %}{{ return(dbt.type_string()) }}{% endmacro %}

{% macro mariadb__short_text_type() %}{{ return('char(80)') }}{% endmacro %}

{% macro mysql__short_text_type() %}{{ return(mariadb__short_text_type()) }}{% endmacro %}
