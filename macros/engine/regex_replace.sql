{#
  Every match of a portable pattern replaced. The replacement is a list: a number is a group of the pattern, a string
  stands for itself. Patterns: no backslash, no look-around, no engine's classes; (?-i) because some collations fold.

  | x   | pattern | replacement | regex_replace(x, pattern, replacement) |
  | abc | (a)(b)  | [2, '-', 1] | b-ac                                   |
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
  {{ return('regexp_replace(' ~ x ~ ', ' ~ text_literal('(?-i)' ~ pattern) ~ ", '"
    ~ replacement_text(replacement, '$') ~ "')") }}
{% endmacro %}


{# The replacement as text: `sign` is what an engine writes in front of a group's number. #}
{% macro replacement_text(replacement, sign) %}
  {% set parts = [] %}
  {% for part in replacement %}{% do parts.append(sign ~ part if part is number else part) %}{% endfor %}
  {{ return(parts | join) }}
{% endmacro %}
