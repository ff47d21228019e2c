{#
  The eight digits of the date that a flat text begins with, else null. The day may still not exist.

  | x                   | date_digits(x) |
  | 2020-3-5 12:00      | 20200305       |
  | 2020/03/05T12:00    | 20200305       |
  | 20200305            | 20200305       |
  | 5 March 2020        | null           |
#}
{# A space is put behind it, for $ is in front of a last line separator, too, on MySQL. #}
{% macro date_digits(x) %}{{ return(adapter.dispatch('date_digits')("concat(" ~ x ~ ", ' ')")) }}{% endmacro %}

{% macro default__date_digits(x) %}
  {% set year, number, end = '^([1-9][0-9]{3})', '([0-9]{1,2})', '[ T]' %}
  {% set cases = [] %}
  {% for separator in ['-', '/'] %}
    {% set pattern = "'" ~ year ~ separator ~ number ~ separator ~ number ~ end ~ "'" %}
    {% do cases.append('when regexp_matches(' ~ x ~ ', ' ~ pattern ~ ') then concat(left(' ~ x ~ ', 4), lpad(regexp_extract('
      ~ x ~ ', ' ~ pattern ~ ", 2), 2, '0'), lpad(regexp_extract(" ~ x ~ ', ' ~ pattern ~ ", 3), 2, '0'))") %}
  {% endfor %}
  {{ return('case ' ~ cases | join(' ') ~ ' when regexp_matches(' ~ x ~ ", '^[1-9][0-9]{7}" ~ end ~ "') then left(" ~ x ~ ', 8) end') }}
{% endmacro %}

{% macro mariadb__date_digits(x) %}
  {% set day = "substring_index(substring_index(" ~ x ~ ", ' ', 1), 'T', 1)" %}
  {% set cases = [] %}
  {% for separator in ['-', '/'] %}
    {% set part = "substring_index(" ~ day ~ ", '" ~ separator ~ "', " %}
    {% do cases.append('when ' ~ x ~ " regexp '^[1-9][0-9]{3}" ~ separator ~ '[0-9]{1,2}' ~ separator ~ "[0-9]{1,2}[ T]' then concat(left("
      ~ x ~ ', 4), lpad(substring_index(' ~ part ~ "2), '" ~ separator ~ "', -1), 2, '0'), lpad(" ~ part ~ "-1), 2, '0'))") %}
  {% endfor %}
  {{ return('case ' ~ cases | join(' ') ~ ' when ' ~ x ~ " regexp '^[1-9][0-9]{7}[ T]' then left(" ~ x ~ ', 8) end') }}
{% endmacro %}

{% macro mysql__date_digits(x) %}{{ return(mariadb__date_digits(x)) }}{% endmacro %}
