{#
  The marks of the link rules, {name: character}. A mark says something about the characters beside it, so that a later step
  need not look around. Only `begin` and `end` are left in a marked text; mark_links removes the others again.

  text_begin, text_end  around a whole text         scheme        before http:// and similar
  begin, end            around a link               inner_scheme  before the scheme of a link within a link
  open, close           in place of [ and ]         host          before a word with a dot in it
  stop                  where a link must end       slash_host    the same, behind a slash
  cut                   between pieces of a text    last_label    before the last part of that word
  too_long              before a piece too long     known         behind it, if it is a top-level domain
                        to look for links           host_end      behind that word
  maybe                 behind host, until its last label is known

  Marks are noncharacters, which clean() deletes, so no text can hold them before.
#}
{% macro link_marks() %}
  {% set names, marks = ['begin', 'end', 'text_begin', 'text_end', 'scheme', 'inner_scheme', 'host', 'slash_host',
    'last_label', 'known', 'host_end', 'stop', 'open', 'close', 'cut', 'too_long', 'maybe'], {} %}
  {% for name in names %}{% do marks.update({name: '%c' | format(noncharacters()[loop.index0])}) %}{% endfor %}
  {{ return(marks) }}
{% endmacro %}

{# Nested replace() of pairs of Jinja strings, such as marks. #}
{% macro replace_marks(x, pairs) %}
  {% set literals = [] %}
  {% for old, new in pairs %}{% do literals.append((text_literal(old), text_literal(new))) %}{% endfor %}
  {{ return(replace_each(x, literals)) }}
{% endmacro %}
