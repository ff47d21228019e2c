{#
  A text with tidy white space: each run of spaces (and of characters that look like spaces) becomes one space; there are
  no spaces beside a line feed, at most two line feeds in a row, and no spaces or line feeds at the ends. Steps (e) to (g) of clean.

  | x                      | tidy_spaces(x) |
  | {space}a{NBSP}{space}b | a b            |
  | a {LF}{LF} {LF}b{LF}   | a{LF}{LF}b     |
#}
{% macro tidy_spaces(x) %}{{ return(adapter.dispatch('tidy_spaces')(x)) }}{% endmacro %}

{% macro default__tidy_spaces(x) %}
  {% set spaces, lf = ['%c'] * space_characters() | length, uchar(10) %}
  {% set runs = regex_replace(x, '[ ' ~ spaces | join | format(*space_characters()) ~ ']+', [' ']) %}
  {% set bare = replace_each(runs, [("concat(' ', " ~ lf ~ ")", lf), ('concat(' ~ lf ~ ", ' ')", lf)]) %}
  {% set lines = regex_replace(bare, '%c{3,}' | format(10), ['%c%c' | format(10, 10)]) %}
  {{ return("trim(both concat(' ', " ~ lf ~ ') from ' ~ lines ~ ')') }}
{% endmacro %}

{# Without a pattern, because MariaDB's regexp_replace is quadratic in the matches. #}
{% macro mariadb__tidy_spaces(x) %}
  {% set to_space = [] %}
  {% for code in space_characters() %}{% do to_space.append((uchar(code), "' '")) %}{% endfor %}
  {% set lf = uchar(10) %}
  {% set lf_lf = 'concat(' ~ lf ~ ', ' ~ lf ~ ')' %}
  {% set single = one_for_each_run(replace_each(x, to_space), "' '", "' '") %}
  {% set bare = replace_each(single, [("concat(' ', " ~ lf ~ ")", lf), ('concat(' ~ lf ~ ", ' ')", lf)]) %}
  {% set lines = one_for_each_run(bare, lf, lf_lf) %}
  {{ return('trim(both ' ~ lf ~ " from trim(both ' ' from " ~ lines ~ '))') }}
{% endmacro %}

{% macro mysql__tidy_spaces(x) %}{{ return(mariadb__tidy_spaces(x)) }}{% endmacro %}

{#
  A text in which each run of two or more of a character becomes `one`, by replace() alone: pairs become begin and end, each
  end with a begin behind it is removed, then a last single character is removed with its neighbours. No step makes the text
  longer, because MariaDB's replace() would then be quadratic. Begin and end are controls, which no text has any more.
#}
{% macro one_for_each_run(x, character, one) %}
  {% set begin, end = uchar(0x01), uchar(0x02) %}
  {% set pair = 'concat(' ~ begin ~ ', ' ~ end ~ ')' %}
  {{ return(replace_each(x, [
    ('concat(' ~ character ~ ', ' ~ character ~ ')', pair),
    ('concat(' ~ end ~ ', ' ~ begin ~ ')', "''"),
    ('concat(' ~ pair ~ ', ' ~ character ~ ')', pair),
    (pair, one)])) }}
{% endmacro %}
