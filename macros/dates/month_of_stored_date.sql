{# What the first view showed for a stored date, for combined v1 only: `March, 2020`, in the server's locale. #}
{% macro month_of_stored_date(x) %}{{ return(adapter.dispatch('month_of_stored_date')(x)) }}{% endmacro %}

{% macro default__month_of_stored_date(x) %}
  {{ return("strftime(try_cast(left(" ~ x ~ ", 10) as date), '%B, %Y')") }}
{% endmacro %}

{% macro mariadb__month_of_stored_date(x) %}{{ return("date_format(" ~ x ~ ", '%M, %Y')") }}{% endmacro %}

{% macro mysql__month_of_stored_date(x) %}{{ return(mariadb__month_of_stored_date(x)) }}{% endmacro %}
