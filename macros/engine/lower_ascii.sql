{#
  A text with A to Z in lower case and nothing else changed: the engines' lower() disagree about other letters.

  | x               | lower_ascii(x)  |
  | A{U+00C4}Z-1    | a{U+00C4}z-1    |
#}
{% macro lower_ascii(x) %}{{ return(adapter.dispatch('lower_ascii')(x)) }}{% endmacro %}

{% macro default__lower_ascii(x) %}
  {{ return('translate(' ~ x ~ ", 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')") }}
{% endmacro %}

{% macro mariadb__lower_ascii(x) %}
  {% set pairs = [] %}
  {% for letter in 'ABCDEFGHIJKLMNOPQRSTUVWXYZ' %}{% do pairs.append((letter, letter | lower)) %}{% endfor %}
  {{ return(replace_marks(x, pairs)) }}
{% endmacro %}

{% macro mysql__lower_ascii(x) %}{{ return(mariadb__lower_ascii(x)) }}{% endmacro %}
