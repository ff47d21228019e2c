{# A Jinja string as a SQL string. #}
{% macro text_literal(value) %}{{ return(adapter.dispatch('text_literal')(value)) }}{% endmacro %}

{% macro default__text_literal(value) %}{{ return("'" ~ value | replace("'", "''") ~ "'") }}{% endmacro %}

{# On the servers, a backslash starts an escape. #}
{% macro mariadb__text_literal(value) %}{{ return(default__text_literal(value | replace('\\', '\\\\'))) }}{% endmacro %}

{# The same on Spark, where ${ starts a variable, too. #}
{% macro spark__text_literal(value) %}
  {{ return("'" ~ value | replace('\\', '\\\\') | replace("'", "\\'") | replace('${', '\\u0024{') ~ "'") }}
{% endmacro %}

{% macro mysql__text_literal(value) %}{{ return(mariadb__text_literal(value)) }}{% endmacro %}
