{#
  The rest of a cleaned text after its beginning, without the spaces and line feeds before it.

  | x                   | beginning | rest_after(x, beginning) |
  | Masks are ok        | Masks are | ok                       |
  | Masks are{LF}{LF}ok | Masks are | ok                       |
  | Masks are           | Masks are |                          |
#}
{% macro rest_after(x, beginning) %}{{ return(adapter.dispatch('rest_after')(x, beginning)) }}{% endmacro %}

{% macro default__rest_after(x, beginning) %}
  {{ return("trim(leading concat(' ', " ~ uchar(10) ~ ') from substring(' ~ x ~ ', length(' ~ beginning ~ ') + 1))') }}
{% endmacro %}

{# A cleaned text never has a space beside a line feed, so one trim after the other is enough. #}
{% macro mariadb__rest_after(x, beginning) %}
  {{ return('trim(leading ' ~ uchar(10) ~ " from trim(leading ' ' from substring(" ~ x ~ ', char_length('
    ~ beginning ~ ') + 1)))') }}
{% endmacro %}

{% macro mysql__rest_after(x, beginning) %}{{ return(mariadb__rest_after(x, beginning)) }}{% endmacro %}
