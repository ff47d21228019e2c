{#
  Month and year of a stored date as the original view showed it, in the server's locale. Only for combined v1.

  | x          | month_of_stored_date(x) |
  | 2020-03-05 | March, 2020             |
#}
{% macro month_of_stored_date(x) %}{{ return(adapter.dispatch('month_of_stored_date')(x)) }}{% endmacro %}

{% macro default__month_of_stored_date(x) %}
  {{ return("strftime(try_cast(left(" ~ x ~ ", 10) as date), '%B, %Y')") }}
{% endmacro %}

{% macro mariadb__month_of_stored_date(x) %}{{ return("date_format(" ~ x ~ ", '%M, %Y')") }}{% endmacro %}

{# 2020-03 would be a date, too, and a year of more digits one that fails when it is formatted. #}
{% macro spark__month_of_stored_date(x) %}
  {{ return("date_format(try_cast(case when " ~ x ~ " like '____-%-%' then left(" ~ x ~ ", 10) end as date), 'MMMM, yyyy')") }}
{% endmacro %}

{% macro mysql__month_of_stored_date(x) %}{{ return(mariadb__month_of_stored_date(x)) }}{% endmacro %}
