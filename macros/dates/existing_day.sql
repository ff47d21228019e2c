{#
  Eight digits as a date; null for a day that does not exist.

  | digits   | existing_day(digits) |
  | 20200305 | 2020-03-05           |
  | 20200229 | 2020-02-29           |
  | 20210229 | null                 |
  | 20201301 | null                 |
  | 20200100 | null                 |
  | null     | null                 |
#}
{% macro existing_day(digits) %}{{ return(adapter.dispatch('existing_day')(digits)) }}{% endmacro %}

{% macro default__existing_day(digits) %}
  {{ return("try_cast(concat(left(" ~ digits ~ ", 4), '-', substring(" ~ digits ~ ", 5, 2), '-', right(" ~ digits
    ~ ", 2)) as date)") }}
{% endmacro %}

{# By arithmetic, because in strict mode a cast of a bad date makes `create table as select` fail. #}
{% macro mariadb__existing_day(digits) %}
  {% set month = 'cast(substring(' ~ digits ~ ', 5, 2) as signed)' %}
  {% set day = 'cast(right(' ~ digits ~ ', 2) as signed)' %}
  {% set first_of_year = 'makedate(cast(left(' ~ digits ~ ', 4) as signed), 1)' %}
  {% set first_of_month = first_of_year ~ ' + interval least(greatest(' ~ month ~ ', 1), 12) - 1 month' %}
  {% set exists = month ~ ' between 1 and 12 and ' ~ day ~ ' between 1 and day(last_day(' ~ first_of_month ~ '))' %}
  {# In two parts, so that neither goes beyond the end of a month. #}
  {{ return('case when ' ~ exists ~ ' then ' ~ first_of_month
    ~ ' + interval least(greatest(' ~ day ~ ', 1), 28) - 1 day + interval greatest(' ~ day ~ ', 28) - 28 day end') }}
{% endmacro %}

{% macro mysql__existing_day(digits) %}{{ return(mariadb__existing_day(digits)) }}{% endmacro %}
