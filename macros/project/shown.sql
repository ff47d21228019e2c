{#
  A text of the source or of a variable for a message: on one line, without characters that control a terminal.

  | text              | shown(text)     |
  | date{U+001B}[2J   | date\u001b[2J   |
  | two{LF}lines      | two\nlines      |
  | {U+202E}backwards | \u202ebackwards |
#}
{% macro shown(text) %}
  {% set parts = [] %}
  {% for character in text | string %}
    {% do parts.append(character if character.isprintable() else tojson(character)[1:-1]) %}
  {% endfor %}
  {{ return(parts | join) }}
{% endmacro %}
