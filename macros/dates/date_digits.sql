{#
  The eight digits of the date at the start of a flat text; null if there is none. The day may not exist.

  | x                   | date_digits(x) |
  | 2020-3-5 12:00      | 20200305       |
  | 2020/03/05T12:00    | 20200305       |
  | 20200305            | 20200305       |
  | 2020-02-30          | 20200230       |
  | 2020-03/05          | null           |
  | 5 March 2020        | null           |
#}
{# A space is added at the end, because on MySQL $ also matches before a line separator at the end. #}
{% macro date_digits(x) %}{{ return(adapter.dispatch('date_digits')("concat(" ~ x ~ ", ' ')")) }}{% endmacro %}

{% macro default__date_digits(x) %}
  {% set year, number, end = '^([1-9][0-9]{3})', '([0-9]{1,2})', '[ T]' %}
  {% set cases = [] %}
  {% for separator in ['-', '/'] %}
    {% set pattern = "'" ~ year ~ separator ~ number ~ separator ~ number ~ end ~ "'" %}
    {% set month = "lpad(regexp_extract(" ~ x ~ ', ' ~ pattern ~ ", 2), 2, '0')" %}
    {% set day = "lpad(regexp_extract(" ~ x ~ ', ' ~ pattern ~ ", 3), 2, '0')" %}
    {% do cases.append('when regexp_extract(' ~ x ~ ', ' ~ pattern ~ ", 0) <> '' then concat(left(" ~ x ~ ', 4), ' ~ month ~ ', '
      ~ day ~ ')') %}
  {% endfor %}
  {% do cases.append('when regexp_extract(' ~ x ~ ", '^[1-9][0-9]{7}" ~ end ~ "', 0) <> '' then left(" ~ x ~ ', 8)') %}
  {{ return('case ' ~ cases | join(' ') ~ ' end') }}
{% endmacro %}

{% macro mariadb__date_digits(x) %}
  {% set date = "substring_index(substring_index(" ~ x ~ ", ' ', 1), 'T', 1)" %}
  {% set cases = [] %}
  {% for separator in ['-', '/'] %}
    {% set pattern = "'^[1-9][0-9]{3}" ~ separator ~ '[0-9]{1,2}' ~ separator ~ "[0-9]{1,2}[ T]'" %}
    {% set part = "substring_index(" ~ date ~ ", '" ~ separator ~ "', " %}
    {% set month = "lpad(substring_index(" ~ part ~ "2), '" ~ separator ~ "', -1), 2, '0')" %}
    {% set day = 'lpad(' ~ part ~ "-1), 2, '0')" %}
    {% do cases.append('when ' ~ x ~ ' regexp ' ~ pattern ~ ' then concat(left(' ~ x ~ ', 4), ' ~ month ~ ', ' ~ day ~ ')') %}
  {% endfor %}
  {% do cases.append('when ' ~ x ~ " regexp '^[1-9][0-9]{7}[ T]' then left(" ~ x ~ ', 8)') %}
  {{ return('case ' ~ cases | join(' ') ~ ' end') }}
{% endmacro %}

{% macro mysql__date_digits(x) %}{{ return(mariadb__date_digits(x)) }}{% endmacro %}
