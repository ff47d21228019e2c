{#
  A text with every match of a pattern replaced. The replacement is a list in which a number is a group of the pattern and a
  string is itself. A pattern that works on all engines has no backslash, no look-around and no named class. It gets (?-i)
  because some collations ignore case.

  | x    | regex_replace(x, '(a)(b)', [2, '-', 1]) |
  | abcab | b-acb-a                                |
  | ABC  | ABC                                     |
#}
{% macro regex_replace(x, pattern, replacement) %}
  {{ return(adapter.dispatch('regex_replace')(x, pattern, replacement)) }}
{% endmacro %}

{% macro default__regex_replace(x, pattern, replacement) %}
  {{ return('regexp_replace(' ~ x ~ ', ' ~ text_literal('(?-i)' ~ pattern) ~ ", '"
    ~ replacement_text(replacement, '\\') ~ "', 'g')") }}
{% endmacro %}

{% macro mariadb__regex_replace(x, pattern, replacement) %}
  {{ return('regexp_replace(' ~ x ~ ', ' ~ text_literal('(?-i)' ~ pattern) ~ ", '"
    ~ replacement_text(replacement, '\\\\') ~ "')") }}
{% endmacro %}

{% macro mysql__regex_replace(x, pattern, replacement) %}
  {{ return('regexp_replace(' ~ x ~ ', ' ~ text_literal('(?-i)' ~ pattern) ~ ', '
    ~ text_literal(replacement_text(replacement, '$')) ~ ')') }}
{% endmacro %}

{% macro spark__regex_replace(x, pattern, replacement) %}
  {{ return(mysql__regex_replace(x, pattern, replacement)) }}
{% endmacro %}


{# The replacement as text; `sign` is what the engine needs before the number of a group. #}
{% macro replacement_text(replacement, sign) %}
  {% set parts = [] %}
  {% for part in replacement %}{% do parts.append(sign ~ part if part is number else part) %}{% endfor %}
  {{ return(parts | join) }}
{% endmacro %}
